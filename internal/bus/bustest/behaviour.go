package bustest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
)

// testReentrancy has a handler give up its subject, take another and answer, all from within Receive.
func testReentrancy(t *testing.T, open Open) {
	a, b := open(t)
	answers := NewRecorder(t, 10)
	Subscribe(t, a, Devices(9), answers)
	Flush(t, a)
	var h handlerFunc
	h = func(s bus.Subject, data []byte) {
		err := errors.Join(
			b.Unsubscribe(s),
			b.Subscribe(Devices(s.ID+1), h),
			b.Publish(Devices(9), fmt.Appendf(nil, "%v got %s", s, data)),
		)
		if err != nil {
			t.Errorf("within Receive: %v", err)
		}
	}
	Subscribe(t, b, Devices(1), h)
	Flush(t, b)
	Publish(t, a, Devices(1), "one")
	answers.Want(Devices(9), "u.1 got one")
	Flush(t, b)
	Publish(t, a, Devices(1), "nobody")
	Publish(t, a, Devices(2), "two")
	answers.Want(Devices(9), "u.2 got two")
}

// testUnsubscribeWithin has a handler end its own subscription at the first message, while more are on the way.
func testUnsubscribeWithin(t *testing.T, open Open) {
	a, b := open(t)
	got := NewRecorder(t, 1) // room for one: a second message fails the test
	Subscribe(t, b, Devices(1), handlerFunc(func(s bus.Subject, data []byte) {
		got.Receive(s, data)
		if err := b.Unsubscribe(s); err != nil {
			t.Errorf("within Receive: %v", err)
		}
	}))
	Flush(t, b)
	for range 1000 {
		Publish(t, a, Devices(1), "only once")
	}
	got.Want(Devices(1), "only once")
	fence(t, a, b)
	if len(got.messages) > 0 {
		t.Error("received after Unsubscribe")
	}
}

// testConcurrency lets every method run against every other, for the race detector, and then sees that the bus works.
func testConcurrency(t *testing.T, open Open) {
	const workers, rounds = 8, 200
	a, b := open(t)
	ignore := handlerFunc(func(bus.Subject, []byte) {})
	var all sync.WaitGroup
	work := func(node bus.Bus, id int64) {
		for range rounds {
			err := errors.Join(
				node.Publish(Devices(id+1), []byte("x")),
				node.Subscribe(Devices(id), ignore), // id belongs to this worker
				node.Publish(Devices(id), []byte("y")),
				node.Unsubscribe(Devices(id)),
			)
			if err != nil {
				t.Error(err)
				return
			}
		}
		if err := node.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for id := range int64(workers) {
		all.Go(func() { work(a, 2*id) })
		all.Go(func() { work(b, 2*id+1) })
	}
	all.Wait()
	fence(t, a, b)
	fence(t, b, a)
}

func testBadSubject(t *testing.T, open Open) {
	a, _ := open(t)
	for _, s := range []bus.Subject{{}, {Kind: '.', ID: 1}, {Kind: '*', ID: 1}, {Kind: 'U', ID: 1}, {Kind: '>'}, {Kind: ' '}} {
		for name, err := range map[string]error{
			"Publish":     a.Publish(s, nil),
			"Subscribe":   a.Subscribe(s, handlerFunc(nil)),
			"Unsubscribe": a.Unsubscribe(s),
		} {
			if !errors.Is(err, bus.ErrSubject) {
				t.Errorf("%s with kind %q: %v, want ErrSubject", name, s.Kind, err)
			}
		}
	}
}

func testStats(t *testing.T, open Open) {
	a, b := open(t)
	counting, ok := a.(interface{ Stats() bus.Stats })
	if !ok {
		t.Fatalf("%T has no Stats", a)
	}
	got := NewRecorder(t, 3)
	Subscribe(t, a, Devices(1), got)
	Flush(t, a)
	Publish(t, a, Devices(1), "x")
	Publish(t, a, Devices(2), "nobody hears this")
	Publish(t, a, Devices(1), "y")
	got.Want(Devices(1), "x")
	got.Want(Devices(1), "y")
	if err := a.Publish(bus.Subject{}, nil); err == nil {
		t.Fatal("bad subject accepted")
	}
	if s, want := counting.Stats(), (bus.Stats{Published: 3, Received: 2}); s != want {
		t.Fatalf("%+v, want %+v", s, want)
	}
	fence(t, a, b)
}

func testClose(t *testing.T, open Open) {
	a, b := open(t)
	got := NewRecorder(t, 0) // any message fails the test
	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	for name, err := range map[string]error{
		"Publish":     b.Publish(Devices(1), []byte("x")),
		"Subscribe":   b.Subscribe(Devices(2), got),
		"Unsubscribe": b.Unsubscribe(Devices(1)),
		"Flush":       b.Flush(t.Context()),
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if a != b {
		Publish(t, a, Devices(1), "the other node is still there")
		fence(t, a, a)
	}
}

// testCloseUnderLoad closes while others call: they must see nil or ErrClosed, and nobody may hang.
func testCloseUnderLoad(t *testing.T, open Open) {
	const workers, rounds = 4, 500
	_, b := open(t)
	ignore := handlerFunc(func(bus.Subject, []byte) {})
	started, finished := make(chan struct{}, workers), make(chan struct{})
	var all sync.WaitGroup
	for id := range int64(workers) {
		all.Go(func() {
			for i := range rounds {
				for _, err := range []error{
					b.Subscribe(Devices(id), ignore), b.Publish(Devices(id), []byte("x")), b.Unsubscribe(Devices(id)),
				} {
					if err != nil && !errors.Is(err, bus.ErrClosed) {
						t.Errorf("while closing: %v", err)
					}
				}
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range workers {
		<-started
	}
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	go func() { all.Wait(); close(finished) }()
	Wait(t, finished, "callers return after Close")
}
