package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// rawStore is the store without a server: messages go through the room's append path and the group commit as sends do,
// with the same SQL, but from this process, without doors, JSON and sockets. It is empty, and on the same disk (or in the
// same PostgreSQL) as the server's. The way through the doors is measured against it.
type rawStore struct {
	raw     *chat.Raw
	body    []byte
	peers   peers
	watch   stopwatch
	from    int64 // what is written before is warming up
	written atomic.Int64
}

// rawFigures are what a rawStore can do.
type rawFigures struct {
	perSecond float64 // by as many writers as there are sends in flight, each waiting for its own commit
	alone     float64 // milliseconds of one commit when there is nothing else, median
}

// measureRaw writes in the chats of the load, with as many writers as it has sends in flight.
func (o *C2COptions) measureRaw(ctx context.Context, s *stage) (found rawFigures, err error) {
	address := ""
	if s.setup.DB != "" {
		inside, drop, err := freshSchema(ctx, s.setup.DB)
		if err != nil {
			return found, err
		}
		defer func() { _ = drop() }()
		address = inside
	}
	store, err := db.Open(ctx, db.Options{Dir: filepath.Join(s.dir, "raw-"+randomName()), URL: address})
	if err != nil {
		return found, fmt.Errorf("open a store for raw commits: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	w := &rawStore{
		raw: chat.NewRaw(store), body: newPayload(o.Size), peers: newPeers(o.Connections, chatsOf(o.Connections, o.Chats)),
	}
	if found.alone, err = w.alone(ctx); err != nil {
		return found, err
	}
	writers := o.Connections * max(o.InFlight, 1)
	found.perSecond, err = w.together(ctx, writers, rawPlan(o.main()))
	s.progress("raw    %.0f commits/s by %d writers, %s ms for one alone", found.perSecond, writers, short(found.alone))
	return found, err
}

func (w *rawStore) alone(ctx context.Context) (float64, error) {
	const warm, times = 20, 200
	took := make([]int64, 0, times)
	for i := range warm + times {
		started := now()
		if err := w.append(ctx, 0, int64(i)); err != nil {
			return 0, err
		}
		if i >= warm {
			took = append(took, int64(now().Sub(started)))
		}
	}
	return medianNS(took), nil
}

// together writes from n goroutines, between connections as the load does.
func (w *rawStore) together(ctx context.Context, n int, p plan) (perSecond float64, err error) {
	ctx, stop := context.WithTimeout(ctx, p.warmup+p.duration)
	defer stop()
	w.watch, w.from = stopwatch{now()}, int64(p.warmup)
	failures := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { failures[i] = w.write(ctx, i) })
	}
	group.Wait()
	return float64(w.written.Load()) / p.duration.Seconds(), errors.Join(failures...)
}

func (w *rawStore) write(ctx context.Context, i int) error {
	for seq := int64(1); ; seq++ {
		err := w.append(ctx, i, seq)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case w.watch.ns() >= w.from:
			w.written.Add(1)
		}
	}
}

// append stores a message of writer i to the next of its peers. The random number makes it another one than others of the
// same chat.
func (w *rawStore) append(ctx context.Context, i int, seq int64) error {
	const anyone = 1_000_000
	sender := i % len(w.peers)
	to := w.peers[sender]
	from, peer := im.AccountID(anyone+sender), im.AccountID(anyone+to[int(seq)%len(to)])
	err := w.raw.Append(ctx, &chat.Draft{
		App: stageApp, Chat: chat.Between(from, peer), From: from, Seq: seq, Random: int64(rand.Uint32()), Lifetime: im.MaxLifetimeSeconds,
		Body: w.body,
	})
	if err != nil {
		return fmt.Errorf("raw commits: %w", err)
	}
	return nil
}

// rawPlan keeps the raw phase short: it has less to warm up than a server.
func rawPlan(p plan) plan {
	const most, warm = 5 * time.Second, time.Second
	return plan{name: "raw", warmup: min(p.warmup, warm), duration: min(p.duration, most)}
}
