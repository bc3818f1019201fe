package db_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// The store fails at each statement of five writes in turn, those that begin and end a transaction included. What was
// acknowledged is there, what was refused is not, and the next write finds a store that works: a connection that could not
// even roll back is not used again.
func TestEveryStatementFails(t *testing.T) {
	for _, how := range dbtest.Modes() {
		t.Run(how.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, o db.Options) {
				var faults dbtest.Faults
				d := open(t, faults.Into(o))
				first, n := 0, 1
				for ; failing(t, d, &faults, fault{n, how}, first); n++ {
					first += writers
				}
				if n < 4 { // begin, insert, commit
					t.Errorf("only %d statements could fail", n-1)
				}
			})
		})
	}
}

const writers = 5

// fault is the statement that fails, and how.
type fault struct {
	n   int
	how dbtest.Mode
}

// failing states facts from first on while a statement fails, and reports whether one did.
func failing(t *testing.T, d *db.DB, faults *dbtest.Faults, f fault, first int) (failed bool) {
	t.Helper()
	faults.Fail(f.n, f.how)
	errs := start(writers, func(i int) error {
		return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, first+i) })
	})()
	failed = faults.Heal()
	there := map[int64]bool{}
	for _, n := range stated(t, d) {
		there[n] = true
	}
	for i, err := range errs {
		stored := there[int64(first+i)]
		if err == nil && !stored || err != nil && stored && f.how != dbtest.Lost { // a lost COMMIT may have taken place
			t.Errorf("%+v: a write ended with %v, and stored is %v", f, err, stored)
		}
	}
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		changed, err := tx.Exec(`UPDATE fact SET said = said + 1 WHERE n >= $1`, first)
		if err == nil && changed > writers {
			err = fmt.Errorf("%d facts of %d", changed, writers)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%+v: the next write: %v", f, err)
	}
	return failed
}
