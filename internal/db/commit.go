package db

import (
	"context"
	"time"
)

// op is one write that waits for its commit: a function of its own, or an item of a Batch.
type op struct {
	run   func(*Tx) error
	batch batch
	item  any
	err   error
	done  chan struct{}
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
	case <-d.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
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

// finish commits what was in the queue when the store was closed.
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

// commit writes ops in one transaction and answers their callers. What a failure costs is bounded: the transaction is
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
	for _, o := range ops {
		close(o.done)
	}
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
