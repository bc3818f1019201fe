package db_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// fact is the value of the flows here: a number to state, and what its order is kept with.
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

func (e *ends) ended(values []*fact, errs []error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for i, value := range values {
		e.told = append(e.told, *value)
		e.errs[value.n] = errs[i]
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
		Apply: func(tx *db.Tx, values []*fact) error {
			for _, value := range values {
				if err := state(tx, value.n); err != nil {
					return err
				}
				if value.n < 0 {
					return errNegative
				}
			}
			return nil
		},
		Order: func(value *fact) uint64 { return value.order },
		Ended: e.ended,
	}), e
}

// Values of one order are told of in the order in which they were submitted, the bad ones among them with their errors;
// they alone are left out.
func TestFlowKeepsItsOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		o.CommitBatch = 16
		d := open(t, o)
		const values, orders = 400, 7
		flow, e := newFlow(d, values)
		want := map[uint64][]int{}
		for i := range values {
			value := &fact{n: i + 1, order: uint64(i % orders)}
			if i%50 == 9 {
				value.n = -value.n
			}
			want[value.order] = append(want[value.order], value.n)
			if err := flow.Submit(t.Context(), value); err != nil {
				t.Fatal(err)
			}
		}
		within(t, "all ends are told", e.all)
		got := map[uint64][]int{}
		for _, value := range e.told {
			got[value.order] = append(got[value.order], value.n)
			if err := e.errs[value.n]; (err != nil) != (value.n < 0) {
				t.Errorf("the fact %d ended with %v", value.n, err)
			}
		}
		for order, list := range want {
			if !slices.Equal(got[order], list) {
				t.Errorf("the order %d was told of as %v, want %v", order, got[order], list)
			}
		}
		if stored := len(stated(t, d)); stored != values-values/50 {
			t.Errorf("%d facts are stored, want %d", stored, values-values/50)
		}
	})
}

// Ends of a flow that is told of alone are told between those of other flows as the commits were made, also when several
// commits wait for that.
func TestFlowToldAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		const values = 5
		committed, release, told := make(chan int), make(chan struct{}), make(chan int, values)
		flow := func(alone bool) *db.Flow[fact] {
			return db.NewFlow(d, db.FlowRules[fact]{
				Apply: func(tx *db.Tx, values []*fact) error {
					tx.OnCommit(func() { committed <- values[0].n })
					return state(tx, values[0].n)
				},
				Order: func(value *fact) uint64 { return value.order },
				Ended: func(values []*fact, _ []error) {
					for _, value := range values {
						told <- value.n
					}
					<-release
				},
				Alone: alone,
			})
		}
		usual, alone := flow(false), flow(true)
		for n := range values {
			to := usual
			if n%2 == 1 {
				to = alone
			}
			if err := to.Submit(t.Context(), &fact{n: n}); err != nil {
				t.Fatal(err)
			}
			<-committed
		}
		close(release)
		for want := range values {
			if got := <-told; got != want {
				t.Errorf("the end of %d is told of, want that of %d", got, want)
			}
		}
	})
}

// What was submitted before the store closed is committed and told of; what comes later is not taken.
func TestFlowEndsWithTheStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		const values = 100
		flow, e := newFlow(d, values)
		release := hold(t, d)
		for n := range values {
			if err := flow.Submit(t.Context(), &fact{n: n, order: uint64(n)}); err != nil {
				t.Fatal(err)
			}
		}
		release()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if len(e.told) != values {
			t.Errorf("%d ends were told when the store had closed, want %d", len(e.told), values)
		}
		if err := flow.Submit(t.Context(), &fact{n: values}); !errors.Is(err, db.ErrClosed) {
			t.Errorf("a closed store takes a value with %v", err)
		}
	})
}

// A panic in what is called after a commit is reported. The write that it belongs to took place, and those that come later
// are committed and told of.
func TestFlowOutlivesAPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		reports := make(chan error, 2)
		o.Panicked = func(err error) { reports <- err }
		d := open(t, o)
		told := make(chan int, 2)
		flow := db.NewFlow(d, db.FlowRules[fact]{
			Apply: func(tx *db.Tx, values []*fact) error { return state(tx, values[0].n) },
			Order: func(value *fact) uint64 { return value.order },
			Ended: func(values []*fact, _ []error) {
				if values[0].n == 1 {
					panic("the first end")
				}
				told <- values[0].n
			},
		})
		reported := func(what string) {
			t.Helper()
			select {
			case err := <-reports:
				if !strings.Contains(err.Error(), what) {
					t.Errorf("reported is %v, want %s", err, what)
				}
			case <-time.After(patience):
				t.Fatalf("the panic of %s is not reported", what)
			}
		}
		if err := flow.Submit(t.Context(), &fact{n: 1}); err != nil {
			t.Fatal(err)
		}
		reported("the first end")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			tx.OnCommit(func() { panic("the hook") })
			return state(tx, 2)
		})
		if err != nil {
			t.Errorf("a write on disk ended with %v", err)
		}
		reported("the hook")
		if err := flow.Submit(t.Context(), &fact{n: 3}); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 4) }); err != nil {
			t.Fatal(err)
		}
		if got := stated(t, d); !slices.Contains(got, 1) || !slices.Contains(got, 2) || !slices.Contains(got, 4) {
			t.Errorf("stored are %v, want 1, 2 and 4 among them", got)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if len(told) != 1 || <-told != 3 {
			t.Error("the end after the panic is not told")
		}
	})
}
