package db

import (
	"context"
	"math/rand/v2"
	"time"
)

// maxAttempts bounds how often a write is tried again after the database asked for it (a deadlock, two transactions
// that could not be put in an order).
const maxAttempts = 5

// op is one write that waits for its commit: a function of its own, or an item of a Batch.
type op struct {
	run   func(*Tx) error
	batch batch
	item  any
	err   error
	done  chan struct{}
}

// batch is a Batch of any type, as the committer sees it.
type batch interface {
	write(tx *Tx, ops []*op) error
}

// Write runs fn in the next commit and returns when that commit is on disk, or with the error that kept fn out of it.
// Many writes share one commit: an idle store commits at once, and while one commit is running the next gathers.
// fn may run more than once (a commit that failed is tried again write by write), so it must have no effect outside
// the transaction that a second run does not overwrite.
//
// A write that a committer has begun is not withdrawn when ctx ends: the caller is told of the context's end and the
// write may still happen, so after an error the caller must not look at what fn shares with it.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return d.submit(ctx, &op{run: fn, done: make(chan struct{})})
}

func (d *DB) submit(ctx context.Context, o *op) error {
	if err := d.enqueue(ctx, o); err != nil {
		return err
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *DB) enqueue(ctx context.Context, o *op) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.closed {
		return ErrClosed
	}
	select {
	case d.queue <- o:
		d.pending.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Batch writes items of one kind together: all that wait for the same commit are handed to one call, so that the
// number of statements does not grow with the number of items.
type Batch[T any] struct {
	db    *DB
	apply func(tx *Tx, items []*T) error
}

// NewBatch declares a kind of write. apply writes all items or fails as a whole; what an item's caller needs to know,
// a refusal of just that item included, apply puts into the item. It may run more than once for an item, as Write says.
func NewBatch[T any](d *DB, apply func(tx *Tx, items []*T) error) *Batch[T] {
	return &Batch[T]{db: d, apply: apply}
}

// Write has the item written and returns when the commit that holds it is on disk.
func (b *Batch[T]) Write(ctx context.Context, item *T) error {
	return b.db.submit(ctx, &op{batch: b, item: item, done: make(chan struct{})})
}

func (b *Batch[T]) write(tx *Tx, ops []*op) error {
	items := make([]*T, len(ops))
	for i, o := range ops {
		items[i] = o.item.(*T)
	}
	return b.apply(tx, items)
}

// work is a committer: it takes what waits, commits it together and answers.
func (d *DB) work() {
	defer d.workers.Done()
	w := &writer{db: d}
	defer w.drop()
	ops := make([]*op, 0, d.batch)
	for {
		select {
		case first := <-d.queue:
			ops = d.gather(append(ops[:0], first))
			d.commit(w, ops)
		case <-d.stop:
			d.finish(w)
			return
		}
	}
}

func (d *DB) gather(ops []*op) []*op {
	for len(ops) < d.batch {
		select {
		case next := <-d.queue:
			ops = append(ops, next)
		default:
			return ops
		}
	}
	return ops
}

// finish commits what was in the queue when Close was called.
func (d *DB) finish(w *writer) {
	for {
		select {
		case first := <-d.queue:
			d.commit(w, d.gather([]*op{first}))
		default:
			return
		}
	}
}

// commit writes ops in one transaction. If that fails and there are several, each is tried alone, so that one bad
// write costs its companions a little time and nothing else.
func (d *DB) commit(w *writer, ops []*op) {
	defer d.pending.Add(-int64(len(ops)))
	started := time.Now()
	err := d.attempt(w, ops)
	d.observe(len(ops), time.Since(started))
	d.commits.Add(1)
	if err != nil && len(ops) > 1 {
		for _, o := range ops {
			o.err = nil
			if err := d.attempt(w, []*op{o}); err != nil {
				o.err = err
			}
			close(o.done)
		}
		return
	}
	for _, o := range ops {
		if err != nil {
			o.err = err
		}
		close(o.done)
	}
}

func (d *DB) attempt(w *writer, ops []*op) error {
	var err error
	for n := range maxAttempts {
		err = w.transact(context.Background(), func(tx *Tx) error { return runAll(tx, ops) })
		if err == nil || !d.dialect.retryable(err) {
			return err
		}
		<-time.After(pause(n))
	}
	return err
}

// pause is how long to wait before trying again: some milliseconds, more each time, and never the same on two nodes that
// collided.
func pause(attempt int) time.Duration {
	const first = 2 * time.Millisecond
	return first<<attempt/2 + rand.N(first<<attempt)
}

// runAll runs the ops, those of one batch together. A function that refuses before it has written anything is left
// out with its own error; any other error fails the transaction.
func runAll(tx *Tx, ops []*op) error {
	for i, o := range ops {
		switch {
		case o.run != nil:
			if err := runOne(tx, o); err != nil {
				return err
			}
		case firstOf(ops, i):
			if err := o.batch.write(tx, sameBatch(ops[i:], o.batch)); err != nil {
				return err
			}
		}
	}
	return nil
}

func runOne(tx *Tx, o *op) error {
	tx.wrote = false
	o.err = o.run(tx)
	if o.err != nil && (tx.wrote || tx.failed) {
		return o.err
	}
	return nil
}

func firstOf(ops []*op, i int) bool {
	for _, earlier := range ops[:i] {
		if earlier.batch == ops[i].batch {
			return false
		}
	}
	return true
}

func sameBatch(ops []*op, b batch) []*op {
	same := make([]*op, 0, len(ops))
	for _, o := range ops {
		if o.batch == b {
			same = append(same, o)
		}
	}
	return same
}
