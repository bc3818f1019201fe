package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
)

// rawRate is how many messages a second as many writers as there are connections get onto the disk, each waiting for its
// own commit, without doors, JSON and sockets: the same SQL through the same group commit, in this process, on an empty
// store of the same kind and disk. It is what the way through the doors is measured against.
func rawRate(ctx context.Context, s *stage, writers int, size int, p plan) (float64, error) {
	address := ""
	if s.setup.DB != "" {
		inside, drop, err := freshSchema(ctx, s.setup.DB)
		if err != nil {
			return 0, err
		}
		defer func() { _ = drop() }()
		address = inside
	}
	store, err := db.Open(ctx, db.Options{Dir: filepath.Join(s.dir, "raw-"+randomName()), URL: address})
	if err != nil {
		return 0, fmt.Errorf("open a store for raw commits: %w", err)
	}
	defer func() { _ = store.Close() }()
	ctx, stop := context.WithTimeout(ctx, p.warmup+p.duration)
	defer stop()
	w := &rawWriters{raw: message.NewRaw(store), body: newPayload(size), watch: stopwatch{now()}, from: int64(p.warmup)}
	if err := w.run(ctx, writers); err != nil {
		return 0, err
	}
	rate := float64(w.written.Load()) / p.duration.Seconds()
	s.progress("raw    %.0f commits/s by %d writers", rate, writers)
	return rate, nil
}

type rawWriters struct {
	raw     *message.Raw
	body    []byte
	watch   stopwatch
	from    int64 // what is written before is warming up
	written atomic.Int64
}

// run writes from n goroutines, in pairs as connections are, until ctx ends.
func (w *rawWriters) run(ctx context.Context, n int) error {
	failures := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { failures[i] = w.write(ctx, i) })
	}
	group.Wait()
	return errors.Join(failures...)
}

func (w *rawWriters) write(ctx context.Context, i int) error {
	const anyone = 1_000_000
	for seq := int64(1); ; seq++ {
		err := w.raw.Append(ctx, &message.RawMessage{
			App: stageApp, From: im.AccountID(anyone + i), To: im.AccountID(anyone + i ^ 1), Seq: seq, Random: seq, Body: w.body,
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("raw commits: %w", err)
		case w.watch.ns() >= w.from:
			w.written.Add(1)
		}
	}
}

// rawPlan keeps the raw phase short: it has less to warm up than a server.
func rawPlan(p plan) plan {
	const most, warm = 5 * time.Second, time.Second
	return plan{name: "raw", warmup: min(p.warmup, warm), duration: min(p.duration, most)}
}
