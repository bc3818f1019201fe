package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// write begins to store results, many in one transaction, unless some are being stored.
func (q *queue) write(ctx context.Context) {
	if q.writing || len(q.unrecorded) == 0 {
		return
	}
	n := min(len(q.unrecorded), window)
	b := &batch{key: q.key, results: q.unrecorded[:n:n]}
	q.unrecorded = q.unrecorded[n:]
	for i := range b.results {
		// A pack's row goes with the last of its callbacks that needed it.
		if p := b.results[i].callback.pack; p != nil {
			if p.left--; p.left == 0 {
				b.done = append(b.done, p.id)
			}
		}
	}
	q.writing = true
	q.helpers.Go(func() { q.handover.wrote(&written{b, q.store(ctx, b)}) })
}

// wrote goes on after a batch was stored.
func (q *queue) wrote(w *written) {
	q.writing = false
	q.gaveUp = q.gaveUp || !w.ok
	for i := range w.batch.results {
		l := w.batch.results[i].callback.in
		if l.pending--; l.pending == 0 && l.state == delayed {
			q.dueBy(l.due)
		}
	}
	for _, id := range w.batch.done {
		delete(q.packs, id)
	}
}

// store writes a batch. While the node runs it tries until that has worked; when the node stops, once, and reports
// false if that failed: then all rows must stay as they are, and what is not recorded is delivered again.
func (n *line) store(ctx context.Context, b *batch) bool {
	const patience = 5 * time.Second
	if err := b.encode(); err != nil { // the records are for operators; deliveries do not need them
		n.o.Log.Error("record attempts", telemetry.FieldError, err)
	}
	for {
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		err := n.o.DB.Write(writing, b.record)
		cancel()
		if err == nil {
			return true
		}
		n.o.Log.Error("record callbacks", telemetry.FieldError, err)
		if errors.Is(err, db.ErrClosed) || !n.o.pause(ctx, time.Second) {
			return false
		}
	}
}

// leave takes delivered callbacks out of rows that have others left, so that the node that delivers next does not deliver
// them again.
func (q *queue) leave(ctx context.Context) {
	left := map[*pack][]*waiting{}
	for _, l := range q.lanes {
		for _, e := range l.callbacks {
			if e.pack != nil {
				left[e.pack] = append(left[e.pack], e)
			}
		}
	}
	if len(left) == 0 {
		return
	}
	err := q.o.DB.Write(ctx, func(tx *db.Tx) error {
		for p, callbacks := range left {
			if len(callbacks) == len(p.callbacks) {
				continue
			}
			slices.SortFunc(callbacks, func(x, y *waiting) int { return cmp.Compare(x.id, y.id) })
			if err := shrink(tx, p.id, callbacks); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		q.o.Log.Warn("leave callbacks to the next", telemetry.FieldError, err)
	}
}
