package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// runs notes which writes each transaction ran, in order. A write that runs again moves to its last transaction.
type runs struct {
	mutex sync.Mutex
	byTx  map[*db.Tx][]int
}

func (r *runs) note(tx *db.Tx, n int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.byTx == nil {
		r.byTx = map[*db.Tx][]int{}
	}
	for of, all := range r.byTx {
		r.byTx[of] = slices.DeleteFunc(all, func(other int) bool { return other == n })
	}
	r.byTx[tx] = append(r.byTx[tx], n)
}

// Several bad writes of several kinds are in one commit. All others are committed, still together and in the order in
// which they came, and what a bad one wanted done after the commit is not done.
func TestBadWritesAreLeftOutTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		var committed commits
		o.Observe = committed.observe
		d := open(t, o)
		write := func(tx *db.Tx) error { return state(tx, 1000) }
		if err := d.Write(t.Context(), write); err != nil {
			t.Fatal(err)
		}
		bad := map[int]func(tx *db.Tx) error{
			3:  func(tx *db.Tx) error { return errors.Join(state(tx, 3), errRefused) },
			7:  write, // a duplicate
			11: func(tx *db.Tx) error { panic(fmt.Sprint("boom ", state(tx, 11))) },
			14: func(*db.Tx) error { return errRefused },
		}
		var noted, after runs
		release := hold(t, d)
		committed.reset()
		results := make([]chan error, 30)
		for n := range results {
			results[n] = make(chan error, 1)
			go func() {
				results[n] <- d.Write(t.Context(), func(tx *db.Tx) error {
					tx.OnCommit(func() { after.note(tx, n) })
					if run := bad[n]; run != nil {
						return run(tx)
					}
					noted.note(tx, n)
					return state(tx, n)
				})
			}()
			waiting(t, d, n+1)
		}
		release()
		for n, result := range results {
			if err := <-result; (err != nil) != (bad[n] != nil) {
				t.Errorf("write %d: %v", n, err)
			}
		}
		if len(noted.byTx) == 0 || slices.Max(committed.list()) < len(results)/d.Committers() {
			t.Errorf("commits of %v writes, want them together", committed.list())
		}
		last := 0
		for tx, all := range noted.byTx {
			if len(all) > 0 {
				last++
			}
			if !slices.IsSorted(all) {
				t.Errorf("written in the order %v, want that in which they came", all)
			}
			done := slices.DeleteFunc(after.byTx[tx], func(n int) bool { return n == 14 }) // it wrote nothing to take back
			if !slices.Equal(done, all) {
				t.Errorf("after the commit of %v come %v", all, done)
			}
		}
		if last > d.Committers() {
			t.Errorf("the good writes were committed in %d transactions, want one for each committer", last)
		}
		if got := len(stated(t, d)); got != len(results)-len(bad)+1 {
			t.Errorf("%d facts are stored, want %d", got, len(results)-len(bad)+1)
		}
	})
}

// Some values of a batch are bad. The batch's other values and the plain writes beside it are stored, and the batch is not
// called for each value.
func TestBadValuesAreFoundInFewCalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		var calls atomic.Int64
		counted := db.NewBatch(d, func(tx *db.Tx, values []*number) error {
			calls.Add(1)
			for _, value := range values {
				if value.n == 17 || value.n == 40 {
					return errRefused
				}
				if err := state(tx, value.n); err != nil {
					return err
				}
			}
			return nil
		})
		release := hold(t, d)
		const values = 64
		all := start(values+1, func(n int) error {
			if n == values {
				return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
			}
			return counted.Write(t.Context(), &number{n: n})
		})
		waiting(t, d, values+1)
		release()
		for n, err := range all() {
			if bad := n == 17 || n == 40; bad != errors.Is(err, errRefused) || (!bad && err != nil) {
				t.Errorf("write %d: %v", n, err)
			}
		}
		if most := int64(2 * 2 * 8); calls.Load() > most {
			t.Errorf("%d calls for two bad values of %d, want at most %d", calls.Load(), values, most)
		}
		if got := len(stated(t, d)); got != values-1 {
			t.Errorf("%d facts are stored, want %d", got, values-1)
		}
	})
}

// A write that ignores that a statement failed is not acknowledged: PostgreSQL would store nothing of its transaction.
func TestIgnoredFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		for name, ignore := range map[string]func(tx *db.Tx){
			"of a write": func(tx *db.Tx) { _ = errors.Join(state(tx, 5), state(tx, 5)) },
			"of a read": func(tx *db.Tx) {
				_, _ = db.One(t.Context(), tx, db.Number, `SELECT n FROM nowhere`)
			},
			"while rows are read": func(tx *db.Tx) {
				_ = tx.Returning(func(db.Scanner) error { return nil }, `INSERT INTO fact (n, said) VALUES (6, 0), (6, 0) RETURNING n`)
			},
		} {
			d := open(t, o)
			before := len(stated(t, d))
			release := hold(t, d)
			all := start(10, func(n int) error {
				return d.Write(t.Context(), func(tx *db.Tx) error {
					if n == 9 {
						ignore(tx)
						return nil
					}
					return state(tx, 100+before*100+n)
				})
			})
			waiting(t, d, 10)
			release()
			for n, err := range all() {
				if (err != nil) != (n == 9) {
					t.Errorf("%s: write %d: %v", name, n, err)
				}
			}
			if got := len(stated(t, d)); got != before+9 {
				t.Errorf("%s: %d facts are stored, want %d", name, got, before+9)
			}
		}
	})
}

// A key that is taken is the same on both databases, whatever makes it unique: the write runs again, without a pause, and
// is told to look first. One that never looks is given up.
func TestKeyTaken(t *testing.T) {
	for name, table := range map[string]string{
		"number key":   "CREATE TABLE taken (\n\ta BIGINT PRIMARY KEY,\n\tb BIGINT\n)",
		"text key":     "CREATE TABLE taken (\n\ta TEXT PRIMARY KEY,\n\tb BIGINT\n)",
		"several keys": "CREATE TABLE taken (\n\ta BIGINT,\n\tb BIGINT,\n\tPRIMARY KEY (a, b)\n)",
		"unique index": "CREATE TABLE taken (\n\ta BIGINT,\n\tb BIGINT\n);\nCREATE UNIQUE INDEX taken_a ON taken (a)",
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, o db.Options) {
				d := dbtest.Open(t, o)
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					for statement := range strings.SplitSeq(d.Schema(table), ";\n") {
						if _, err := tx.Exec(statement); err != nil {
							return err
						}
					}
					return insertTaken(tx)
				})
				if err != nil {
					t.Fatal(err)
				}
				ran := 0
				err = d.Write(t.Context(), func(tx *db.Tx) error { ran++; return insertTaken(tx) })
				if !errors.Is(err, db.ErrKeyTaken) || ran < 2 || ran > 10 {
					t.Errorf("a write that never looks ends with %v after %d runs", err, ran)
				}
				ran = 0
				for !t.Failed() && ran != 2 { // until the write is not wary of the first one's collision any more
					ran = 0
					err = d.Write(t.Context(), func(tx *db.Tx) error {
						if ran++; tx.LookFirst() {
							return nil
						}
						return insertTaken(tx)
					})
					if err != nil || ran > 2 {
						t.Errorf("a write that looks when it is told to ends with %v after %d runs", err, ran)
					}
				}
			})
		})
	}
}

func insertTaken(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO taken (a, b) VALUES (1, 1)`)
	return err
}

// Nobody looks first before a key was taken. Then a kind of write does, for a while, and other kinds do not.
func TestLookFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		looks := []bool{}
		kind := func() *db.Batch[number] {
			return db.NewBatch(d, func(tx *db.Tx, values []*number) error {
				looks = append(looks, tx.LookFirst())
				if tx.LookFirst() {
					return nil
				}
				return state(tx, values[0].n)
			})
		}
		one, other := kind(), kind()
		write := func(b *db.Batch[number], n int, want ...bool) {
			t.Helper()
			looks = looks[:0]
			if err := b.Write(t.Context(), &number{n: n}); err != nil || !slices.Equal(looks, want) {
				t.Errorf("value %d was told to look first: %v (%v), want %v", n, looks, err, want)
			}
		}
		write(one, 1, false)
		write(one, 1, false, true)
		for range db.WaryFor {
			write(one, 2, true)
		}
		write(one, 3, false)
		write(other, 4, false)
	})
}
