package db

import (
	"context"
	"runtime"
	"time"
)

// op is one write that waits for its commit: a function of its own, or an item of a Batch or a Flow.
type op struct {
	run   func(*Tx) error
	batch batch
	item  any
	err   error
	done  chan struct{} // nil of a Flow's item, whose end the Flow is told
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
	return d.submit(ctx, &op{run: fn, done: make(chan struct{})})
}

func (d *DB) submit(ctx context.Context, o *op) error {
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

func (d *DB) enqueue(ctx context.Context, queue chan<- *op, o *op) error {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if d.closed {
		return ErrClosed
	}
	d.pending.Add(1)
	select {
	case queue <- o:
		return nil
	default: // only who has to wait pays for a context that can end
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
// takes the others. It commits what waits together, and hands the ended writes of Flows to a goroutine that tells of
// them in the order of the commits, while the next commit is made.
type committer struct {
	db    *DB
	own   chan *op
	ended chan []*op
	held  int // how many writes the last commit held
}

// endedCap bounds the commits whose ends are not told yet; the committer then waits.
const endedCap = 8

func newCommitter(d *DB) *committer {
	return &committer{db: d, own: make(chan *op, queueCap), ended: make(chan []*op, endedCap)}
}

// work takes what waits, commits it together and answers.
func (c *committer) work() {
	d := c.db
	defer d.workers.Done()
	defer close(c.ended)
	w := &writer{db: d}
	defer w.drop()
	ops := make([]*op, 0, d.batch)
	for {
		select {
		case first := <-c.own:
			ops = append(ops[:0], first)
		case first := <-d.shared:
			ops = append(ops[:0], first)
		case <-d.stop:
			c.finish(w)
			return
		}
		c.commit(w, c.gather(ops))
	}
}

// Bounds of how a commit gathers.
const (
	// manyHeld is from how many writes in the last commit on more are expected.
	manyHeld = 4
	// mostYields is how often a committer lets others run first.
	mostYields = 4
)

// gather adds what waits. While many write, goroutines that are about to submit may be waiting for a processor: the
// committer lets them run first, as long as that brings more, so that their writes share this commit. It never sleeps, so
// a write that is alone is committed at once.
func (c *committer) gather(ops []*op) []*op {
	for yields := 0; ; yields++ {
		before := len(ops)
		ops = c.take(ops)
		if len(ops) == cap(ops) || c.held < manyHeld || yields == mostYields || yields > 0 && len(ops) == before {
			return ops
		}
		runtime.Gosched()
	}
}

// take adds what is in the queues, up to the capacity.
func (c *committer) take(ops []*op) []*op {
	for len(ops) < cap(ops) {
		select {
		case next := <-c.own:
			ops = append(ops, next)
		case next := <-c.db.shared:
			ops = append(ops, next)
		default:
			return ops
		}
	}
	return ops
}

// finish commits what was in the queues when the store was closed.
func (c *committer) finish(w *writer) {
	for {
		ops := c.take(make([]*op, 0, c.db.batch))
		if len(ops) == 0 {
			return
		}
		c.commit(w, ops)
	}
}

// commit writes ops, and answers whoever waits.
func (c *committer) commit(w *writer, ops []*op) {
	c.held = len(ops)
	c.db.commit(w, ops)
	var flows []*op
	for _, o := range ops {
		if o.done == nil {
			flows = append(flows, o)
		} else {
			close(o.done)
		}
	}
	if len(flows) > 0 {
		c.ended <- flows
	}
	clear(ops)
}

// tell tells Flows of their ended writes, of those of several commits together if they wait.
func (c *committer) tell() {
	defer c.db.workers.Done()
	for ops := range c.ended {
		for more := true; more; {
			select {
			case next, open := <-c.ended:
				ops = append(ops, next...)
				more = open
			default:
				more = false
			}
		}
		for i, o := range ops {
			if firstOf(ops, i) {
				o.batch.end(unitAt(ops, i))
			}
		}
	}
}

// commit writes ops in one transaction. What a failure costs is bounded: the transaction is
// rolled back and run once more, with a savepoint before each write, so that the bad ones are left out and the others
// are committed together. Only when that transaction fails as a whole (the connection was lost) is each write tried in
// one of its own.
func (d *DB) commit(w *writer, ops []*op) {
	defer d.pending.Add(-int64(len(ops)))
	started := time.Now()
	if err := d.attempt(w, ops, runTogether); err != nil {
		d.leaveOut(w, ops, err)
	}
	d.observe(len(ops), time.Since(started))
	d.commits.Add(1)
}

func (d *DB) leaveOut(w *writer, ops []*op, err error) {
	if len(ops) > 1 || d.kind.collides(err) {
		err = d.attempt(w, ops, runApart)
	}
	switch {
	case err == nil:
	case len(ops) == 1:
		ops[0].err = err
	default:
		for _, o := range ops {
			if err := d.attempt(w, []*op{o}, runApart); err != nil {
				o.err = err
			}
		}
	}
}

// runTogether runs the ops, those of one batch in one call. A function that refuses before it has written anything is
// left out with its own error; any other error fails the transaction.
func runTogether(tx *Tx, ops []*op) error {
	for i, o := range ops {
		if o.batch != nil && !firstOf(ops, i) {
			continue // it was written with the batch's first item
		}
		if err := runUnit(tx, unitAt(ops, i)); err != nil {
			return err
		}
	}
	return nil
}

// unitAt is what is run in one call: the function at i, or all items of the batch whose first is at i.
func unitAt(ops []*op, i int) []*op {
	if ops[i].batch == nil {
		return ops[i : i+1]
	}
	same := make([]*op, 0, len(ops)-i)
	for _, o := range ops[i:] {
		if o.batch == ops[i].batch {
			same = append(same, o)
		}
	}
	return same
}

func firstOf(ops []*op, i int) bool {
	for _, earlier := range ops[:i] {
		if earlier.batch == ops[i].batch {
			return false
		}
	}
	return true
}

// runUnit runs one function, or some items of one batch.
func runUnit(tx *Tx, unit []*op) error {
	var err error
	tx.wrote = false
	if unit[0].batch != nil {
		err = unit[0].batch.write(tx, unit)
	} else {
		err = runFunction(tx, unit[0])
	}
	if err == nil && tx.failure != nil {
		// Whoever ignores that a statement failed must not be acknowledged: PostgreSQL turns the COMMIT of such a
		// transaction into a rollback and reports no error.
		err = tx.failure
	}
	return err
}

func runFunction(tx *Tx, o *op) error {
	tx.lookFirst = tx.apart || tx.conn.db.wary.next()
	o.err = o.run(tx)
	if o.err != nil && (tx.wrote || tx.failure != nil) {
		tx.conn.db.wary.note(tx, o.err)
		return o.err
	}
	return nil
}
