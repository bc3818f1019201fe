package db

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// submitted is one write that waits for its commit: a function of its own, or a value of a Batch or a Flow.
type submitted struct {
	run   func(*Tx) error
	batch batch
	value any
	err   error
	done  chan struct{} // nil of a Flow's value, whose end the Flow is told
}

// Write runs fn in the next commit and returns when that commit is on disk, or with the error that kept fn out of it.
// Many writes share one commit: an idle store commits at once, and while one commit is running the next gathers.
// An error of fn keeps fn alone out of the commit: everything it wrote is taken back, its companions are committed.
//
// fn may run more than once (when a write of the same commit failed, or lost against another node), so it must have no
// effect outside the transaction that a second run does not overwrite. A write that broke a unique index or a primary
// key runs again, because then it sees the row that was in its way; it gets ErrKeyTaken when that does not help.
//
// A write that a committer has begun is not withdrawn when ctx ends: the caller is told of the context's end and the
// write may still happen, so after an error the caller must not look at what fn shares with it.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return d.submit(ctx, &submitted{run: fn, done: make(chan struct{})})
}

func (d *DB) submit(ctx context.Context, o *submitted) error {
	if err := d.enqueue(ctx, d.shared, o); err != nil {
		return err
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *DB) enqueue(ctx context.Context, queue chan<- *submitted, o *submitted) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.closed {
		return ErrClosed
	}
	d.pending.Add(1)
	select {
	case queue <- o:
		return nil
	default: // only a write that has to wait pays for a context that can end
	}
	select {
	case queue <- o:
		return nil
	case <-d.closing:
		d.pending.Add(-1)
		return ErrClosed
	case <-ctx.Done():
		d.pending.Add(-1)
		return ctx.Err()
	}
}

// committer is one of the store's committers. Writes that need an order are in the queue of one committer; any of them
// takes the others. It commits the writes that wait together, and hands the ended writes of Flows to a goroutine that tells
// of them in the order of the commits, while the next commit is made.
type committer struct {
	db    *DB
	own   chan *submitted
	ended chan []*submitted
	held  int // how many writes the last commit held
}

// endedCap bounds the commits whose ends are not told yet; the committer then waits.
const endedCap = 8

func newCommitter(d *DB) *committer {
	return &committer{db: d, own: make(chan *submitted, queueCap), ended: make(chan []*submitted, endedCap)}
}

// work takes the writes that wait, commits them together and answers.
func (c *committer) work() {
	d := c.db
	defer d.workers.Done()
	defer close(c.ended)
	w := &writer{db: d}
	defer w.drop()
	writes := make([]*submitted, 0, d.batch)
	for {
		select {
		case first := <-c.own:
			writes = append(writes[:0], first)
		case first := <-d.shared:
			writes = append(writes[:0], first)
		case <-d.stop:
			c.finish(w)
			return
		}
		c.commit(w, c.gather(writes))
	}
}

// Bounds of how a commit gathers.
const (
	// manyHeld is from how many writes in the last commit on more are expected.
	manyHeld = 4
	// mostYields is how often a committer lets others run first.
	mostYields = 4
)

// gather adds the writes that wait. While many write, goroutines that are about to submit may be waiting for a processor: the
// committer lets them run first, as long as that brings more, so that their writes share this commit. It never sleeps, so
// a write that is alone is committed at once.
func (c *committer) gather(writes []*submitted) []*submitted {
	for yields := 0; ; yields++ {
		before := len(writes)
		writes = c.take(writes)
		if len(writes) == cap(writes) || c.held < manyHeld || yields == mostYields || yields > 0 && len(writes) == before {
			return writes
		}
		runtime.Gosched()
	}
}

// take adds the writes in the queues, up to the capacity.
func (c *committer) take(writes []*submitted) []*submitted {
	for len(writes) < cap(writes) {
		select {
		case next := <-c.own:
			writes = append(writes, next)
		case next := <-c.db.shared:
			writes = append(writes, next)
		default:
			return writes
		}
	}
	return writes
}

// finish commits the writes that were in the queues when the store was closed.
func (c *committer) finish(w *writer) {
	for {
		writes := c.take(make([]*submitted, 0, c.db.batch))
		if len(writes) == 0 {
			return
		}
		c.commit(w, writes)
	}
}

// commit commits the writes, and answers the callers that wait for them.
func (c *committer) commit(w *writer, writes []*submitted) {
	c.held = len(writes)
	c.db.commit(w, writes)
	var flows []*submitted
	for _, o := range writes {
		if o.done == nil {
			flows = append(flows, o)
		} else {
			close(o.done)
		}
	}
	if len(flows) > 0 {
		c.ended <- flows
	}
	clear(writes)
}

// tell tells Flows of their ended writes.
func (c *committer) tell() {
	defer c.db.workers.Done()
	for writes := range c.ended {
		for writes != nil {
			together, next := c.merge(writes)
			c.tellOf(together)
			writes = next
		}
	}
}

// merge adds the commits that wait, whose ends are told together. One that is told of alone comes next.
func (c *committer) merge(writes []*submitted) (together, next []*submitted) {
	for !alone(writes) {
		select {
		case more := <-c.ended:
			if len(more) == 0 || alone(more) {
				return writes, more
			}
			writes = append(writes, more...)
		default:
			return writes, nil
		}
	}
	return writes, nil
}

// alone reports whether the ends of these writes are told apart from those of other commits.
func alone(writes []*submitted) bool {
	return slices.ContainsFunc(writes, func(o *submitted) bool { return o.batch.alone() })
}

func (c *committer) tellOf(writes []*submitted) {
	for i, o := range writes {
		if firstOf(writes, i) {
			c.db.afterCommit(func() { o.batch.end(unitAt(writes, i)) })
		}
	}
}

// commit commits the writes in one transaction. When it fails, the transaction is rolled back and run once more, with a
// savepoint before each write, so that the bad ones are left out and the others are committed together. Only when that
// transaction fails as a whole (the connection was lost) is each write tried in one of its own.
func (d *DB) commit(w *writer, writes []*submitted) {
	defer d.pending.Add(-int64(len(writes)))
	started := time.Now()
	if err := d.attempt(w, writes, runTogether); err != nil {
		d.leaveOut(w, writes, err)
	}
	d.observe(len(writes), time.Since(started))
	d.commits.Add(1)
}

func (d *DB) leaveOut(w *writer, writes []*submitted, err error) {
	if len(writes) > 1 || d.kind.collides(err) {
		err = d.attempt(w, writes, runApart)
	}
	switch {
	case err == nil:
	case len(writes) == 1:
		writes[0].err = err
	default:
		for _, o := range writes {
			if err := d.attempt(w, []*submitted{o}, runApart); err != nil {
				o.err = err
			}
		}
	}
}

// runTogether runs the writes, those of one batch in one call. A function that refuses before it has written anything is
// left out with its own error; any other error fails the transaction.
func runTogether(tx *Tx, writes []*submitted) error {
	for i, o := range writes {
		if o.batch != nil && !firstOf(writes, i) {
			continue // it was written with the batch's first value
		}
		if err := runUnit(tx, unitAt(writes, i)); err != nil {
			return err
		}
	}
	return nil
}

// unitAt is what is run in one call: the function at i, or all values of the batch whose first is at i.
func unitAt(writes []*submitted, i int) []*submitted {
	if writes[i].batch == nil {
		return writes[i : i+1]
	}
	same := make([]*submitted, 0, len(writes)-i)
	for _, o := range writes[i:] {
		if o.batch == writes[i].batch {
			same = append(same, o)
		}
	}
	return same
}

func firstOf(writes []*submitted, i int) bool {
	for _, earlier := range writes[:i] {
		if earlier.batch == writes[i].batch {
			return false
		}
	}
	return true
}

// runUnit runs one function, or some values of one batch.
func runUnit(tx *Tx, unit []*submitted) error {
	var err error
	tx.wrote = false
	if unit[0].batch != nil {
		err = unit[0].batch.write(tx, unit)
	} else {
		err = runFunction(tx, unit[0])
	}
	if err == nil && tx.failure != nil {
		// A write whose function ignores that a statement failed must not be acknowledged: PostgreSQL turns the COMMIT of
		// such a transaction into a rollback and reports no error.
		err = tx.failure
	}
	return err
}

func runFunction(tx *Tx, o *submitted) error {
	tx.lookFirst = tx.apart || tx.conn.db.wary.next()
	o.err = o.run(tx)
	if o.err != nil && (tx.wrote || tx.failure != nil) {
		tx.conn.db.wary.note(tx, o.err)
		return o.err
	}
	return nil
}
