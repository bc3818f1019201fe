package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxAttempts bounds how often a transaction runs that lost against another one (a deadlock, two that could not be put
// in an order), and how often a write runs whose key is taken.
const maxAttempts = 5

// ErrKeyTaken is returned for a write that broke a unique index or a primary key each time it ran.
var ErrKeyTaken = errors.New("db: a key that must be unique is taken, also when the write runs again")

// attempt runs the writes in a transaction, and again after a pause when it lost against another one. Nothing is
// committed when it returns an error.
func (d *DB) attempt(w *writer, writes []*submitted, run func(*Tx, []*submitted) error) error {
	var err error
	for n := range maxAttempts {
		err = w.transact(context.Background(), func(tx *Tx) error { return run(tx, writes) })
		if err == nil || !d.kind.contended(err) {
			return err
		}
		<-time.After(pause(n))
	}
	return err
}

// pause is how long to wait before trying again: some milliseconds, more each time, and never the same on two nodes that
// met.
func pause(attempt int) time.Duration {
	const first = 2 * time.Millisecond
	return first<<attempt/2 + rand.N(first<<attempt)
}

// runApart is runTogether with a savepoint before each function and each batch: a function or batch that fails is taken
// back and left out with its error. The error that runApart returns is the transaction's own.
func runApart(tx *Tx, writes []*submitted) error {
	tx.apart = true
	for _, o := range writes {
		o.err = nil
	}
	for i, o := range writes {
		if o.batch != nil && !firstOf(writes, i) {
			continue // it was written with the batch's first value
		}
		if err := leaveOutBad(tx, unitAt(writes, i)); err != nil {
			return err
		}
	}
	return nil
}

// leaveOutBad runs the function or the values of a batch; values that fail together are run in halves, so that a few bad
// ones among many are found in few runs.
func leaveOutBad(tx *Tx, unit []*submitted) error {
	if len(unit) == 1 {
		return leaveOutOne(tx, unit[0])
	}
	failure, err := tryUnit(tx, unit)
	if failure == nil || err != nil {
		return err
	}
	half := len(unit) / 2
	if err := leaveOutBad(tx, unit[:half]); err != nil {
		return err
	}
	return leaveOutBad(tx, unit[half:])
}

// leaveOutOne runs one write, again if its key was taken: another node may have taken it since the write looked.
func leaveOutOne(tx *Tx, o *submitted) error {
	for range maxAttempts {
		failure, err := tryUnit(tx, []*submitted{o})
		if err != nil {
			return err
		}
		if failure == nil {
			return nil
		}
		if o.err = failure; !tx.dialect().collides(failure) {
			return nil
		}
	}
	o.err = fmt.Errorf("%w: %w", ErrKeyTaken, o.err)
	return nil
}

// tryUnit runs the unit after a savepoint. failure is the unit's own, and what it wrote is taken back then; err ends the
// transaction.
func tryUnit(tx *Tx, unit []*submitted) (failure, err error) {
	if err := tx.control("SAVEPOINT unit"); err != nil {
		return nil, err
	}
	hooks := len(tx.done)
	failure = guarded(tx, func(tx *Tx) error { return runUnit(tx, unit) })
	if failure == nil {
		return nil, tx.control("RELEASE SAVEPOINT unit")
	}
	if tx.dialect().contended(failure) {
		return nil, failure
	}
	tx.done, tx.failure = tx.done[:hooks], nil
	if err := tx.control("ROLLBACK TO SAVEPOINT unit"); err != nil {
		return nil, errors.Join(failure, err)
	}
	return failure, tx.control("RELEASE SAVEPOINT unit")
}
