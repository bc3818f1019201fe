package db_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// number is the item of the batches here: a fact to state, and what the batch has to say about it.
type number struct {
	n       int
	refused bool
}

// notebook is a batch that states facts and notes which items it was given together.
type notebook struct {
	*db.Batch[number]
	mutex sync.Mutex
	calls [][]int
}

func newNotebook(d *db.DB, also func(*number) error) *notebook {
	b := &notebook{}
	b.Batch = db.NewBatch(d, func(tx *db.Tx, items []*number) error {
		call := []int{}
		for _, item := range items {
			call = append(call, item.n)
			item.refused = item.n < 0
			if err := also(item); err != nil {
				return err
			}
			if item.refused {
				continue
			}
			if err := state(tx, item.n); err != nil {
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

// Items of one kind that wait for the same commit are handed over together; other kinds and plain writes do not mix in.
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

// A batch tells one item's caller of a refusal by writing it into the item. The others are stored.
func TestBatchRefusesAnItem(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		b := newNotebook(d, fine)
		release := hold(t, d)
		items := []*number{{n: 1}, {n: -2}, {n: 3}}
		all := start(len(items), func(i int) error { return b.Write(t.Context(), items[i]) })
		waiting(t, d, len(items))
		release()
		for i, err := range all() {
			if err != nil || items[i].refused != (items[i].n < 0) {
				t.Errorf("item %d: refused %v (%v)", items[i].n, items[i].refused, err)
			}
		}
		if got := stated(t, d); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("stored are %v, want 1 and 3", got)
		}
	})
}

// A batch that fails as a whole is tried item by item, so only the guilty one fails.
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
						t.Errorf("the bad item's error is %v, want %q in it", err, row.want)
					}
					if n != bad && err != nil {
						t.Errorf("item %d: %v", n, err)
					}
				}
				if got := stated(t, d); !slices.Equal(got, []int64{0, 1, 2, 4, 5, 6, 7, 8, 9, 100}) {
					t.Errorf("stored are %v, want all but 3", got)
				}
			})
		})
	}
}

// A batch's items are written in the order in which they came.
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
