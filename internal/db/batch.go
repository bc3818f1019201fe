package db

import (
	"context"
	"sync/atomic"
)

// Batch writes items of one kind together: all that wait for the same commit are handed to one call, so that the
// number of statements does not grow with the number of items.
type Batch[T any] struct {
	db    *DB
	apply func(tx *Tx, items []*T) error
	wary  wariness
}

// batch is a Batch or a Flow of any type, as the committer sees it.
type batch interface {
	write(tx *Tx, ops []*op) error
	end(ops []*op)
}

// NewBatch declares a kind of write. What an item's caller needs to know, a refusal of just that item included, apply
// puts into the item and returns nil: that costs the other items nothing. An error of apply is an error of all items it
// was given; what it wrote is taken back, and it is called again with fewer of them, in the same order, until only the
// guilty items are left out. So apply may run more than once for an item, as Write says, and sets all that it puts into
// an item each time.
//
// Items that may be stored already (a client that repeats a request) need no query as long as there are none: apply
// looks for them when tx.LookFirst says so, and otherwise inserts and lets the unique index refuse.
//
//	db.NewBatch(d, func(tx *db.Tx, items []*draft) error {
//		stored := map[key]*draft{}
//		if tx.LookFirst() {
//			… // one SELECT of the items' keys
//		}
//		… // mark the items that are stored, or twice among items, as duplicates; insert the others
//	})
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
	tx.lookFirst = tx.apart || b.wary.next()
	err := b.apply(tx, items)
	b.wary.note(tx, err)
	return err
}

// end is never called: whoever waits for an item is told by its channel.
func (*Batch[T]) end([]*op) {}

// waryFor is for how many transactions a kind of write looks first after a key was taken. Whoever repeats a write
// without end makes one transaction of so many run twice; in the others a look is all that he costs.
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
