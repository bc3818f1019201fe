package group

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// transaction is what a write does in its transaction. It refuses before it writes anything, which costs the writes that share
// its commit nothing, and adds to news what is pushed once it is on disk.
type transaction func(tx *db.Tx, news *[]News) (refused, err error)

// writing is a write on its way: of one group, in the order of what is stored in the group's chat.
type writing struct {
	group   int64 // 0 of a group that is about to be made
	run     transaction
	refused error
	news    []News
	ended   chan error
	// taken is set by whoever is first: the caller who has gone, or the commit's end, which the caller then waits for.
	taken atomic.Bool
}

// newFlow makes the way of writes. Messages of a group have the same order, so that nobody who left is pushed what is said later.
func (g *Groups) newFlow() *db.Flow[writing] {
	return db.NewFlow(g.db, db.FlowRules[writing]{
		Apply: func(tx *db.Tx, all []*writing) error {
			for _, w := range all {
				w.refused, w.news = nil, nil
				var err error
				if w.refused, err = w.run(tx, &w.news); err != nil {
					return err
				}
			}
			return nil
		},
		Order: func(w *writing) uint64 { return uint64(w.group) },
		Ended: func(all []*writing, errs []error) {
			for i, w := range all {
				g.committed(w, errs[i])
			}
		},
		Alone: true,
	})
}

// write runs a transaction, and returns when it is on disk and what there is to push has left this process.
func (g *Groups) write(ctx context.Context, group int64, run transaction) error {
	w := &writing{group: group, run: run, ended: make(chan error, 1)}
	if err := g.flow.Submit(ctx, w); err != nil {
		return fmt.Errorf("change group: %w", err)
	}
	select {
	case err := <-w.ended:
		return g.conclude(w, err)
	case <-ctx.Done():
		if w.taken.Swap(true) {
			return g.conclude(w, <-w.ended)
		}
		return ctx.Err()
	}
}

// conclude pushes what need not be in the order of the group's messages. A refusal among the errors is the caller's.
func (g *Groups) conclude(w *writing, err error) error {
	if err != nil {
		if _, ok := im.Refusal(err); ok {
			return err
		}
		return fmt.Errorf("change group: %w", err)
	}
	w.then()
	if len(w.news) > 0 {
		g.teller.Flush()
	}
	return w.refused
}

// committed is told of a write whose commit has ended, in the order of the commits. It leaves all but the first pushes to the
// caller, unless he has gone.
func (g *Groups) committed(w *writing, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			g.log.Error("a change of a group panicked", telemetry.FieldError, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	defer func() { w.ended <- err }()
	if err == nil {
		for _, one := range w.news {
			one.inOrder()
		}
	}
	if w.taken.Swap(true) && err == nil {
		w.then()
	}
}

func (w *writing) then() {
	for _, one := range w.news {
		if one.Then != nil {
			one.Then()
		}
	}
}
