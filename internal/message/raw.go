package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Raw is this room's append path by itself: no doors, accounts, checks or pushes. Load runs measure the rest of the
// server against it, fill stores with it, and look through it at what a crash left behind. Nothing that serves uses it.
type Raw struct{ messages *Messages }

// RawMessage is a message as the store takes it. Body is the JSON of its elements, already in normal form.
type RawMessage struct {
	App         im.AppID
	From, To    im.AccountID
	Seq, Random int64
	// SentAt is a unix second, which must not go back within a chat; 0 is the time of the commit.
	SentAt int64
	Body   []byte
}

// NewRaw makes the path over an open store. It remembers chats as the serving room does.
func NewRaw(d *db.DB) *Raw { return &Raw{New(d, nil, nil, nil, nil)} }

// Append stores one message by the group commit and returns when it is on disk, as a client's send does.
func (r *Raw) Append(ctx context.Context, m *RawMessage) error {
	return r.messages.store(ctx, m.entry())
}

// AppendAll stores many messages in one transaction, in their order.
func (r *Raw) AppendAll(ctx context.Context, all []RawMessage) error {
	entries := make([]*entry, len(all))
	for i := range all {
		entries[i] = all[i].entry()
	}
	if err := r.messages.db.Write(ctx, func(tx *db.Tx) error { return r.messages.append(tx, entries) }); err != nil {
		return fmt.Errorf("append messages: %w", err)
	}
	return nil
}

func (m *RawMessage) entry() *entry {
	return &entry{
		app: m.App, from: m.From, to: m.To, seq: m.Seq, random: m.Random, keyTime: m.SentAt, clientTime: m.SentAt,
		sentAt: m.SentAt, lifetime: im.MaxLifetimeSeconds, body: m.Body,
	}
}

// RawChat is a chat's counter of messages.
type RawChat struct{ ID, LastSequence int64 }

// Chats lists every chat of the store, of all applications.
func (r *Raw) Chats(ctx context.Context) ([]RawChat, error) {
	return db.All(ctx, r.messages.db, func(row db.Scanner) (RawChat, error) {
		var c RawChat
		err := row(&c.ID, &c.LastSequence)
		return c, err
	}, `SELECT id, last_sequence FROM chat ORDER BY id`)
}

// Sequences lists the sequences of a chat's messages in the order of its history.
func (r *Raw) Sequences(ctx context.Context, chat int64) ([]int64, error) {
	return db.All(ctx, r.messages.db, db.Number,
		`SELECT sequence FROM message WHERE chat_id = $1 ORDER BY sent_at, sequence`, chat)
}
