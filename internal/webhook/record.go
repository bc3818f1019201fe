package webhook

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// record stores results, many in one transaction, until keep is closed and empty.
func (q *queue) record(ctx context.Context) {
	for first := range q.keep {
		b := &batch{key: q.key}
		b.take(first)
		for len(b.results) < window && len(q.keep) > 0 {
			b.take(<-q.keep)
		}
		q.gaveUp = !q.store(ctx, b) || q.gaveUp
		q.recorded <- b
	}
}

// store writes a batch. While the queue runs it tries until that has worked; when the node stops, once, and reports
// false if that failed: then all rows must stay as they are, and what is not recorded is delivered again.
func (q *queue) store(ctx context.Context, b *batch) bool {
	const patience = 5 * time.Second
	for {
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		err := q.w.db.Write(writing, b.record)
		cancel()
		if err == nil {
			return true
		}
		q.w.log.Error("record callbacks", telemetry.FieldError, err)
		if errors.Is(err, db.ErrClosed) || !pause(ctx, time.Second) {
			return false
		}
	}
}

// take adds a result. A pack's row goes with the last of its callbacks that needed it.
func (b *batch) take(r finished) {
	b.results = append(b.results, r)
	if p := r.event.pack; p != nil {
		if p.left--; p.left == 0 {
			b.done = append(b.done, p.id)
		}
	}
}

// leave takes what was delivered out of the rows of which something is left, so that it is not delivered again by
// whoever goes on here.
func (q *queue) leave(ctx context.Context) {
	left := map[*pack][]*waiting{}
	for _, l := range q.lanes {
		for _, e := range l.events {
			if e.pack != nil {
				left[e.pack] = append(left[e.pack], e)
			}
		}
	}
	if len(left) == 0 {
		return
	}
	err := q.w.db.Write(ctx, func(tx *db.Tx) error {
		for p, events := range left {
			if len(events) == len(p.events) {
				continue
			}
			slices.SortFunc(events, func(x, y *waiting) int { return cmp.Compare(x.id, y.id) })
			if err := shrink(tx, p.id, events); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		q.w.log.Warn("leave callbacks to the next", telemetry.FieldError, err)
	}
}
