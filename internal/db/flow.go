package db

import "context"

// Flow is a Batch whose values nobody waits for one by one. Values of one order are committed in the order in which they
// were submitted, and their ends are told in that order, so a caller may submit the next one while the one before is on
// its way to the disk.
type Flow[T any] struct {
	batch Batch[T]
	rules FlowRules[T]
}

// FlowRules say how the values of a Flow are written. All of them but Alone are needed.
type FlowRules[T any] struct {
	// Apply writes values in one transaction, as NewBatch says.
	Apply func(tx *Tx, values []*T) error
	// Order is what values have in common that must keep their order, such as their chat.
	Order func(value *T) uint64
	// Ended is told of values once their commit is on disk, or has failed for good: then their errs are not nil. One call
	// tells of all that ended together. The next one waits for it, so a call that lasts holds up the store in the end, and
	// must not wait for a write.
	Ended func(values []*T, errs []error)
	// Alone says that ends of values of other flows, of the same order, are told before these or after these as their commits
	// were made. Without it the ends of some commits may be told together, one flow's after another's.
	Alone bool
}

// NewFlow declares a kind of write.
func NewFlow[T any](d *DB, rules FlowRules[T]) *Flow[T] {
	return &Flow[T]{Batch[T]{db: d, apply: rules.Apply}, rules}
}

// Submit hands a value over. It waits only while the queue of commits is full; an error means that the value was not
// taken, and then its end is not told.
func (f *Flow[T]) Submit(ctx context.Context, value *T) error {
	d := f.batch.db
	to := d.committers[f.rules.Order(value)%uint64(len(d.committers))]
	return d.enqueue(ctx, to.own, &submitted{batch: f, value: value})
}

func (f *Flow[T]) write(tx *Tx, writes []*submitted) error { return f.batch.write(tx, writes) }

func (f *Flow[T]) end(writes []*submitted) {
	values, errs := make([]*T, len(writes)), make([]error, len(writes))
	for i, o := range writes {
		values[i], errs[i] = o.value.(*T), o.err
	}
	f.rules.Ended(values, errs)
}

func (f *Flow[T]) alone() bool { return f.rules.Alone }
