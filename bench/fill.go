package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
)

// filled is a conversation whose n messages are known without looking: message i, counted from 1, has the sequence i, a
// random made from it, and ten of them share each second.
type filled struct {
	reader, writer string
	n              int
	started        int64 // unix second of the first
}

const perSecond = 10

func (f *filled) time(i int) int64 { return f.started + int64((i-1)/perSecond) }

// random spreads the number over 32 bits, as a client's would be.
func (f *filled) random(i int) int64 { return int64(uint32(i) * 2654435761) }

// key is the name of message i on the wire.
func (f *filled) key(i int) string {
	return message.Key{Seq: int64(i), Random: f.random(i), Time: f.time(i)}.String()
}

// newFilled has the last message sent a minute ago.
func newFilled(user, n int) *filled {
	last := now().Add(-time.Minute).Unix()
	return &filled{userName(user), userName(user + 1), n, last - int64(n/perSecond)}
}

// fill writes conversations straight into the store, in big transactions, with the SQL that sends use.
func (s *stage) fill(ctx context.Context, size int, all ...*filled) (err error) {
	d, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	accounts, err := s.accounts(d)
	if err != nil {
		return err
	}
	raw, body := chat.NewRaw(d), newPayload(size)
	for _, f := range all {
		one, err := accounts.Ensure(ctx, s.app, f.reader, now().Unix())
		if err != nil {
			return fmt.Errorf("make an account: %w", err)
		}
		other, err := accounts.Ensure(ctx, s.app, f.writer, now().Unix())
		if err != nil {
			return fmt.Errorf("make an account: %w", err)
		}
		if err := s.write(ctx, raw, f, body, [2]im.AccountID{one.ID, other.ID}); err != nil {
			return err
		}
	}
	return s.gatherStatistics(ctx)
}

// gatherStatistics has PostgreSQL count what was filled in, as its autovacuum does by itself within minutes. Without, its
// planner takes the new tables for small ones and sorts whole conversations.
func (s *stage) gatherStatistics(ctx context.Context) error {
	if s.db == "" {
		return nil
	}
	return execute(ctx, s.db, "ANALYZE")
}

func (s *stage) accounts(d *db.DB) (*account.Accounts, error) {
	alone := bus.NewMemory()
	return account.Open(account.Parts{DB: d, Bus: alone, Router: event.NewRouter(alone), Log: slog.New(slog.DiscardHandler)})
}

// write stores the messages of one conversation, its two sides taking turns.
func (s *stage) write(ctx context.Context, raw *chat.Raw, f *filled, body []byte, sides [2]im.AccountID) error {
	const each, tell = 4096, 5 * time.Second
	told := now()
	batch := make([]*chat.Draft, 0, each)
	for i := 1; i <= f.n; i++ {
		batch = append(batch, &chat.Draft{
			App: s.app, Chat: chat.Between(sides[0], sides[1]), From: sides[i%2], Seq: int64(i), Random: f.random(i),
			SentAt: f.time(i), KeyTime: f.time(i), Imported: true, Lifetime: im.MaxLifetimeSeconds, Body: body,
		})
		if len(batch) < each && i < f.n {
			continue
		}
		if err := raw.AppendAll(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
		if now().Sub(told) > tell {
			told = now()
			s.progress("filled %d of %d messages", i, f.n)
		}
	}
	return nil
}
