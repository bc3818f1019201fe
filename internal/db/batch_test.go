package db_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// number is the value of the batches here: a fact to state, and what the batch has to say about it.
type number struct {
	n       int
	refused bool
}

// notebook is a batch that states facts and notes which values it was given together.
type notebook struct {
	*db.Batch[number]
	mutex sync.Mutex
	calls [][]int
}

func newNotebook(d *db.DB, also func(*number) error) *notebook {
	b := &notebook{}
	b.Batch = db.NewBatch(d, func(tx *db.Tx, values []*number) error {
		call := []int{}
		for _, value := range values {
			call = append(call, value.n)
			value.refused = value.n < 0
			if err := also(value); err != nil {
				return err
			}
			if value.refused {
				continue
			}
			if err := state(tx, value.n); err != nil {
				return err
			}
		}
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.calls = append(b.calls, call)
		return nil
	})
	return b
}

func fine(*number) error { return nil }

// Values of one kind that wait for the same commit are handed over together; other kinds and plain writes do not mix in.
func TestBatchGathers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		even, odd := newNotebook(d, fine), newNotebook(d, fine)
		release := hold(t, d)
		const writers = 60
		all := start(writers, func(n int) error {
			switch n % 3 {
			case 0:
				return even.Write(t.Context(), &number{n: n})
			case 1:
				return odd.Write(t.Context(), &number{n: n})
			default:
				return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
			}
		})
		waiting(t, d, writers)
		release()
		for n, err := range all() {
			if err != nil {
				t.Errorf("write %d: %v", n, err)
			}
		}
		if got := len(stated(t, d)); got != writers {
			t.Errorf("%d facts are stored, want %d", got, writers)
		}
		for i, b := range []*notebook{even, odd} {
			together := slices.Concat(b.calls...)
			if len(b.calls) > 2*d.Committers() || len(together) != writers/3 {
				t.Errorf("kind %d was handed over as %v, want all together", i, b.calls)
			}
			for _, n := range together {
				if n%3 != i {
					t.Errorf("kind %d was handed %d of another kind", i, n)
				}
			}
		}
	})
}

// A batch tells one value's caller of a refusal by writing it into the value. The others are stored.
func TestBatchRefusesAValue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		b := newNotebook(d, fine)
		release := hold(t, d)
		values := []*number{{n: 1}, {n: -2}, {n: 3}}
		all := start(len(values), func(i int) error { return b.Write(t.Context(), values[i]) })
		waiting(t, d, len(values))
		release()
		for i, err := range all() {
			if err != nil || values[i].refused != (values[i].n < 0) {
				t.Errorf("value %d: refused %v (%v)", values[i].n, values[i].refused, err)
			}
		}
		if got := stated(t, d); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("stored are %v, want 1 and 3", got)
		}
	})
}

// A batch that fails as a whole is tried value by value, so only the guilty one fails.
func TestBatchThatFails(t *testing.T) {
	const bad = 3
	for _, row := range []struct {
		name string
		also func(*number) error
		want string
	}{
		{"with an error", func(i *number) error {
			if i.n == bad {
				return errRefused
			}
			return nil
		}, "refused"},
		{"in the schema", func(i *number) error {
			if i.n == bad {
				i.n = 100
			}
			return nil
		}, "exec: "},
		{"with a panic", func(i *number) error {
			if i.n == bad {
				panic("boom")
			}
			return nil
		}, "boom"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, o db.Options) {
				d := open(t, o)
				if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 100) }); err != nil {
					t.Fatal(err)
				}
				b := newNotebook(d, row.also)
				release := hold(t, d)
				const writers = 10
				all := start(writers, func(n int) error { return b.Write(t.Context(), &number{n: n}) })
				waiting(t, d, writers)
				release()
				for n, err := range all() {
					if n == bad && (err == nil || !strings.Contains(err.Error(), row.want)) {
						t.Errorf("the bad value's error is %v, want %q in it", err, row.want)
					}
					if n != bad && err != nil {
						t.Errorf("value %d: %v", n, err)
					}
				}
				if got := stated(t, d); !slices.Equal(got, []int64{0, 1, 2, 4, 5, 6, 7, 8, 9, 100}) {
					t.Errorf("stored are %v, want all but 3", got)
				}
			})
		})
	}
}

// A batch's values are written in the order in which they came.
func TestBatchKeepsOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		b := newNotebook(d, fine)
		release := hold(t, d)
		results := make(chan error)
		const writers = 30
		for n := range writers {
			go func() { results <- b.Write(t.Context(), &number{n: n}) }()
			waiting(t, d, n+1)
		}
		release()
		for range writers {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		for _, call := range b.calls {
			if !slices.IsSorted(call) {
				t.Errorf("handed over as %v, want the order in which they came", call)
			}
		}
	})
}
