package db

import (
	"context"
	"sync/atomic"
)

// Batch writes values of one kind together, each a write of its caller: all that wait for the same commit are given to
// one call, so that the number of statements does not grow with the number of values.
type Batch[T any] struct {
	db    *DB
	apply func(tx *Tx, values []*T) error
	wary  wariness
}

// batch is a Batch or a Flow of any type, as the committer sees it.
type batch interface {
	write(tx *Tx, writes []*submitted) error
	end(writes []*submitted)
	alone() bool
}

// NewBatch declares a kind of write. apply puts into each value the result for its caller, also a refusal of just that
// value, and returns nil: that costs the other values nothing. An error of apply is an error of all values it
// was given; what it wrote is taken back, and it is called again with fewer of them, in the same order, until only the
// values that cause the error are left out. So apply may run more than once for a value, as Write says, and sets all that it puts into
// a value each time.
//
// Values that may be stored already (a client that repeats a request) need no query as long as there are none: apply
// looks for them when tx.LookFirst says so, and otherwise inserts and lets the unique index refuse.
//
//	db.NewBatch(d, func(tx *db.Tx, values []*draft) error {
//		stored := map[key]*draft{}
//		if tx.LookFirst() {
//			… // one SELECT of the values' keys
//		}
//		… // mark the values that are stored, or twice among values, as duplicates; insert the others
//	})
func NewBatch[T any](d *DB, apply func(tx *Tx, values []*T) error) *Batch[T] {
	return &Batch[T]{db: d, apply: apply}
}

// Write has the value written and returns when the commit that holds it is on disk.
func (b *Batch[T]) Write(ctx context.Context, value *T) error {
	return b.db.submit(ctx, &submitted{batch: b, value: value, done: make(chan struct{})})
}

func (b *Batch[T]) write(tx *Tx, writes []*submitted) error {
	values := make([]*T, len(writes))
	for i, o := range writes {
		values[i] = o.value.(*T)
	}
	tx.lookFirst = tx.apart || b.wary.next()
	err := b.apply(tx, values)
	b.wary.note(tx, err)
	return err
}

// end is never called: the caller that waits for a value is told by its channel.
func (*Batch[T]) end([]*submitted) {}

func (*Batch[T]) alone() bool { return false }

// waryFor is for how many transactions a kind of write looks first after a key was taken. A client that repeats a send
// without end makes one transaction of so many run twice; in the others it costs one look.
const waryFor = 32

// wariness counts the transactions in which a kind of write still looks before it inserts. It is zero as long as no
// key is taken, and then the look costs nothing.
type wariness struct{ left atomic.Int64 }

func (w *wariness) next() bool { return w.left.Load() > 0 && w.left.Add(-1) >= 0 }

// note is told of every write's outcome.
func (w *wariness) note(tx *Tx, err error) {
	if err != nil && tx.dialect().collides(err) {
		w.left.Store(waryFor)
	}
}
