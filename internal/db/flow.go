package db

import "context"

// Flow is a Batch whose items nobody waits for one by one. Items of one order are committed in the order in which they
// were submitted, and their ends are told in that order, so a caller may submit the next one while the one before is on
// its way to the disk.
type Flow[T any] struct {
	batch Batch[T]
	rules FlowRules[T]
}

// FlowRules say how the items of a Flow are written. All of them are needed.
type FlowRules[T any] struct {
	// Apply writes items in one transaction, as NewBatch says.
	Apply func(tx *Tx, items []*T) error
	// Order is what items have in common that must keep their order, such as their chat.
	Order func(item *T) uint64
	// Ended is told of items once their commit is on disk, or has failed for good: then their errs are not nil. One call
	// tells of all that ended together. The next one waits for it, so a call that lasts holds up the store in the end.
	Ended func(items []*T, errs []error)
}

// NewFlow declares a kind of write.
func NewFlow[T any](d *DB, rules FlowRules[T]) *Flow[T] {
	return &Flow[T]{Batch[T]{db: d, apply: rules.Apply}, rules}
}

// Submit hands an item over. It waits only while the queue of commits is full; an error means that the item was not
// taken, and then its end is not told.
func (f *Flow[T]) Submit(ctx context.Context, item *T) error {
	d := f.batch.db
	to := d.committers[f.rules.Order(item)%uint64(len(d.committers))]
	return d.enqueue(ctx, to.own, &op{batch: f, item: item})
}

func (f *Flow[T]) write(tx *Tx, ops []*op) error { return f.batch.write(tx, ops) }

func (f *Flow[T]) end(ops []*op) {
	items, errs := make([]*T, len(ops)), make([]error, len(ops))
	for i, o := range ops {
		items[i], errs[i] = o.item.(*T), o.err
	}
	f.rules.Ended(items, errs)
}
