package db_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// fact is the item of the flows here: a number to state, and what its order is kept with.
type fact struct {
	n     int
	order uint64
}

// ends is what a flow was told.
type ends struct {
	mutex sync.Mutex
	told  []fact
	errs  map[int]error
	all   chan struct{} // closed when want were told of
	want  int
}

func (e *ends) ended(items []*fact, errs []error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for i, item := range items {
		e.told = append(e.told, *item)
		e.errs[item.n] = errs[i]
	}
	if len(e.told) == e.want {
		close(e.all)
	}
}

var errNegative = errors.New("a fact below zero")

// newFlow makes a flow that states facts, and refuses those below zero after it has written.
func newFlow(d *db.DB, want int) (*db.Flow[fact], *ends) {
	e := &ends{errs: map[int]error{}, all: make(chan struct{}), want: want}
	return db.NewFlow(d, db.FlowRules[fact]{
		Apply: func(tx *db.Tx, items []*fact) error {
			for _, item := range items {
				if err := state(tx, item.n); err != nil {
					return err
				}
				if item.n < 0 {
					return errNegative
				}
			}
			return nil
		},
		Order: func(item *fact) uint64 { return item.order },
		Ended: e.ended,
	}), e
}

// Items of one order are told of in the order in which they were submitted, the bad ones among them with their errors;
// they alone are left out.
func TestFlowKeepsItsOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		o.CommitBatch = 16
		d := open(t, o)
		const items, orders = 400, 7
		flow, e := newFlow(d, items)
		want := map[uint64][]int{}
		for i := range items {
			item := &fact{n: i + 1, order: uint64(i % orders)}
			if i%50 == 9 {
				item.n = -item.n
			}
			want[item.order] = append(want[item.order], item.n)
			if err := flow.Submit(t.Context(), item); err != nil {
				t.Fatal(err)
			}
		}
		within(t, "all ends are told", e.all)
		got := map[uint64][]int{}
		for _, item := range e.told {
			got[item.order] = append(got[item.order], item.n)
			if err := e.errs[item.n]; (err != nil) != (item.n < 0) {
				t.Errorf("the fact %d ended with %v", item.n, err)
			}
		}
		for order, list := range want {
			if !slices.Equal(got[order], list) {
				t.Errorf("the order %d was told of as %v, want %v", order, got[order], list)
			}
		}
		if stored := len(stated(t, d)); stored != items-items/50 {
			t.Errorf("%d facts are stored, want %d", stored, items-items/50)
		}
	})
}

// What was submitted before the store closed is committed and told of; what comes later is not taken.
func TestFlowEndsWithTheStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		const items = 100
		flow, e := newFlow(d, items)
		release := hold(t, d)
		for n := range items {
			if err := flow.Submit(t.Context(), &fact{n: n, order: uint64(n)}); err != nil {
				t.Fatal(err)
			}
		}
		release()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if len(e.told) != items {
			t.Errorf("%d ends were told when the store had closed, want %d", len(e.told), items)
		}
		if err := flow.Submit(t.Context(), &fact{n: items}); !errors.Is(err, db.ErrClosed) {
			t.Errorf("a closed store takes an item with %v", err)
		}
	})
}
