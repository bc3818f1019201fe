package bustest

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
)

func testCarries(t *testing.T, open Open) {
	a, b := open(t)
	ofA, ofB := NewRecorder(t, 10), NewRecorder(t, 10)
	Subscribe(t, a, Devices(1), ofA)
	Subscribe(t, b, Devices(2), ofB)
	Flush(t, a)
	Flush(t, b)

	Publish(t, a, Devices(2), "from a to b")
	ofB.Want(Devices(2), "from a to b")
	Publish(t, b, Devices(1), "from b to a")
	ofA.Want(Devices(1), "from b to a")
	Publish(t, a, Devices(1), "from a to a")
	ofA.Want(Devices(1), "from a to a")
}

func testSubjectsApart(t *testing.T, open Open) {
	a, b := open(t)
	subjects := []bus.Subject{
		{Kind: bus.KindDevices, ID: 7}, {Kind: bus.KindLive, ID: 7}, {Kind: bus.KindNode, ID: 7}, {Kind: bus.KindAll},
		{Kind: bus.KindDevices}, {Kind: bus.KindDevices, ID: 70}, {Kind: bus.KindDevices, ID: -7},
		{Kind: bus.KindDevices, ID: math.MaxInt64}, {Kind: bus.KindDevices, ID: math.MinInt64}, {Kind: 'z', ID: 1},
	}
	for _, subscribed := range subjects {
		got := NewRecorder(t, 1) // room for one: a second message fails the test
		Subscribe(t, b, subscribed, got)
		Flush(t, b)
		for _, s := range subjects {
			Publish(t, a, s, s.String())
		}
		got.Want(subscribed, subscribed.String())
		fence(t, a, b)
		Unsubscribe(t, b, subscribed)
	}
}

// fence returns when all that a has published before has reached b's handlers: order holds between subjects too, in
// every bus there is, though the contract promises it only within one.
func fence(t *testing.T, a, b bus.Bus) {
	t.Helper()
	s := bus.Subject{Kind: 'f', ID: 1}
	got := NewRecorder(t, 1)
	Subscribe(t, b, s, got)
	Flush(t, b)
	Publish(t, a, s, "fence")
	got.Want(s, "fence")
	Unsubscribe(t, b, s)
}

func testUnsubscribe(t *testing.T, open Open) {
	a, b := open(t)
	got := NewRecorder(t, 1)
	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	Publish(t, a, Devices(1), "before")
	got.Want(Devices(1), "before")

	Unsubscribe(t, b, Devices(1))
	Unsubscribe(t, b, Devices(1))
	Unsubscribe(t, b, Devices(2)) // never subscribed
	Flush(t, b)
	Publish(t, a, Devices(1), "after")
	Publish(t, b, Devices(1), "after")
	fence(t, a, b)
	fence(t, b, b)

	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	Publish(t, a, Devices(1), "again")
	got.Want(Devices(1), "again")
}

func testOneHandler(t *testing.T, open Open) {
	a, b := open(t)
	first, second := NewRecorder(t, 1), NewRecorder(t, 1)
	Subscribe(t, b, Devices(1), first)
	if err := b.Subscribe(Devices(1), second); !errors.Is(err, bus.ErrSubscribed) {
		t.Fatalf("second Subscribe: %v, want ErrSubscribed", err)
	}
	Flush(t, b)
	Publish(t, a, Devices(1), "x")
	first.Want(Devices(1), "x")
	Unsubscribe(t, b, Devices(1))
	Subscribe(t, b, Devices(1), second)
	Flush(t, b)
	Publish(t, a, Devices(1), "y")
	second.Want(Devices(1), "y")
}

func testOrder(t *testing.T, open Open) {
	const count = 10_000
	a, b := open(t)
	got := NewRecorder(t, count)
	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	for i := range count {
		Publish(t, a, Devices(1), strconv.Itoa(i))
	}
	for i := range count {
		got.Want(Devices(1), strconv.Itoa(i))
	}
}

func testManySubjects(t *testing.T, open Open) {
	const count = 5_000
	a, b := open(t)
	got := NewRecorder(t, count)
	for id := range int64(count) {
		Subscribe(t, b, Devices(id), got)
	}
	Flush(t, b)
	for id := range int64(count) {
		Publish(t, a, Devices(id), Devices(id).String())
	}
	seen := make(map[bus.Subject]bool)
	for range count {
		m := got.Next()
		if seen[m.Subject] || string(m.Data) != m.Subject.String() {
			t.Fatalf("received %q to %v, twice: %t", m.Data, m.Subject, seen[m.Subject])
		}
		seen[m.Subject] = true
	}
}

func testNoSubscribers(t *testing.T, open Open) {
	a, b := open(t)
	for id := range int64(100) {
		Publish(t, a, Devices(id), "nobody hears this")
	}
	fence(t, a, b)
}

func testSizes(t *testing.T, open Open) {
	a, b := open(t)
	got := NewRecorder(t, 10)
	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	for _, size := range []int{0, 1, 4 << 10, 64<<10 + 1, 256 << 10, bus.MaxData} {
		data := bytes.Repeat([]byte("magpie\r\n\x00"), size/9+1)[:size]
		Publish(t, a, Devices(1), string(data))
		got.Want(Devices(1), string(data))
	}
	if err := a.Publish(Devices(1), make([]byte, bus.MaxData+1)); !errors.Is(err, bus.ErrTooLarge) {
		t.Fatalf("one byte too many: %v, want ErrTooLarge", err)
	}
}

func testRetention(t *testing.T, open Open) {
	const count, size = 100, 1000
	a, b := open(t)
	got := NewRecorder(t, count)
	Subscribe(t, b, Devices(1), got)
	Flush(t, b)
	for i := range count {
		Publish(t, a, Devices(1), string(bytes.Repeat([]byte{byte(i)}, size)))
	}
	var kept []Message
	for range count {
		kept = append(kept, got.Next())
	}
	for i, m := range kept {
		if len(m.Data) != size || bytes.Count(m.Data, []byte{byte(i)}) != size {
			t.Fatalf("message %d was changed after it was received", i)
		}
	}
}
