package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
)

// gaps makes a channel on which every call of the OnGap function arrives.
func gaps(n *bus.NATS) chan struct{} {
	c := make(chan struct{}, 100)
	n.OnGap(func() { c <- struct{}{} })
	return c
}

func receive(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(bustest.Patience):
		t.Fatal("waited in vain: " + what)
	}
}

// TestNATSReconnects restarts the server. Subscriptions made before and during the outage live afterwards, one that was
// ended during it does not, and both nodes are told of the gap when that is so, not before.
func TestNATSReconnects(t *testing.T) {
	server := bustest.StartServer(t)
	a, b := connect(t, server.URL(), "c"), connect(t, server.URL(), "c")
	gapsOfA, gapsOfB := gaps(a), gaps(b)
	got := bustest.NewRecorder(t, 200)
	for id := range int64(100) {
		bustest.Subscribe(t, b, bustest.Devices(id), got)
	}
	bustest.Flush(t, b)
	bustest.Publish(t, a, bustest.Devices(0), "before")
	got.Want(bustest.Devices(0), "before")

	server.Stop()
	bustest.Subscribe(t, b, bustest.Devices(100), got)
	bustest.Unsubscribe(t, b, bustest.Devices(99))
	bustest.Publish(t, a, bustest.Devices(1000), "to nobody while the server is away")
	server.Start(t)
	receive(t, gapsOfA, "gap of a")
	receive(t, gapsOfB, "gap of b")

	bustest.Publish(t, a, bustest.Devices(99), "after Unsubscribe")
	for id := range int64(101) {
		if id != 99 {
			bustest.Publish(t, a, bustest.Devices(id), "after")
			got.Want(bustest.Devices(id), "after")
		}
	}
	server.Stop()
	server.Start(t)
	receive(t, gapsOfA, "second gap of a")
	receive(t, gapsOfB, "second gap of b")
	for _, n := range []*bus.NATS{a, b} {
		if s := n.Stats(); s.Reconnects < 2 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestNATSFlushFailsWithoutServer shows that Flush does not claim what it cannot know, and keeps to its context.
func TestNATSFlushFailsWithoutServer(t *testing.T) {
	server := bustest.StartServer(t)
	log := make(logged, 100)
	n, err := bus.ConnectNATS(t.Context(), server.URL(), "c", slog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	server.Stop()
	log.until(t, "bus disconnected")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("flush with a cancelled context: %v", err)
	}
	if err := n.Flush(t.Context()); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("flush without a server: %v, want ErrDisconnected", err)
	}
	_ = n.Close()
	if err := n.Flush(t.Context()); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("flush after Close: %v, want ErrClosed", err)
	}
}

// TestNATSServerSilent has the server stop answering on a connection that stands. The first Flush waits as long as it is
// let, later ones do not; when the server goes on, what was subscribed meanwhile is heard, and a gap tells that something
// may have passed by.
func TestNATSServerSilent(t *testing.T) {
	server := bustest.StartServer(t)
	proxy := bustest.StartProxy(t, server)
	a, b := connect(t, server.URL(), "c"), connect(t, proxy.URL(), "c")
	gapsOfB, got := gaps(b), bustest.NewRecorder(t, 10)
	bustest.Flush(t, b)
	proxy.Stall()
	bustest.Subscribe(t, b, bustest.Devices(1), got)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Flush(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the first flush: %v", err)
	}
	for range 100 {
		if err := b.Flush(t.Context()); !errors.Is(err, bus.ErrDisconnected) {
			t.Fatalf("a later flush: %v, want ErrDisconnected", err)
		}
	}
	proxy.Resume()
	receive(t, gapsOfB, "gap of b")
	bustest.Flush(t, b)
	bustest.Publish(t, a, bustest.Devices(1), "after")
	got.Want(bustest.Devices(1), "after")
	if s := b.Stats(); s.Reconnects != 0 {
		t.Errorf("%+v", s)
	}
}

// slow is a handler that waits, against the rules, until the gate is opened.
type slow struct {
	gate chan struct{}
	got  *bustest.Recorder
}

func (s slow) Receive(subject bus.Subject, data []byte) {
	<-s.gate
	s.got.Receive(subject, data)
}

// TestNATSReceiverTooSlow fills the inbound queue. The rest is dropped, counted and logged once; the gap is told after
// what was kept, and then the bus goes on.
func TestNATSReceiverTooSlow(t *testing.T) {
	const room, count = 100, 1000
	server := bustest.StartServer(t)
	log := make(logged, 100)
	a := connect(t, server.URL(), "c")
	b, err := bus.ConnectSmall(t.Context(), server.URL(), "c", slog.New(log), room)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	handler := slow{make(chan struct{}), bustest.NewRecorder(t, count)}
	openGate := sync.OnceFunc(func() { close(handler.gate) })
	defer openGate() // or Close would wait for Receive
	bustest.Subscribe(t, b, bustest.Devices(1), handler)
	bustest.Flush(t, b)
	gapsOfB := gaps(b)
	for i := range count {
		bustest.Publish(t, a, bustest.Devices(1), strconv.Itoa(i))
	}
	log.until(t, "bus is too slow for what it receives, dropping messages")
	bustest.Flush(t, a)
	bustest.Flush(t, b)
	openGate()
	receive(t, gapsOfB, "gap after the loss")
	if s := b.Stats(); s.Received < room || s.Dropped == 0 {
		t.Errorf("at the gap: %+v", s)
	}
	for i := range room {
		handler.got.Want(bustest.Devices(1), strconv.Itoa(i))
	}
}

// TestNATSServerStuck connects to a server that stops reading. Writes to it would wait for an hour; Publish does not, and
// says so when it has to drop.
func TestNATSServerStuck(t *testing.T) {
	fake := startFake(t, 1<<20)
	n, err := bus.ConnectSmall(t.Context(), fake.url(), "c", nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	fake.stuck.Store(true)
	data := make([]byte, bus.MaxData)
	full := make(chan struct{})
	go func() {
		defer close(full)
		for err := error(nil); !errors.Is(err, bus.ErrFull); {
			err = n.Publish(bustest.Devices(1), data)
		}
	}()
	bustest.Wait(t, full, "ErrFull")
	if s := n.Stats(); s.Dropped != 1 {
		t.Errorf("%+v, want one dropped", s)
	}
	close(fake.stop) // breaks the connection, and so ends the write
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestConnectNATSRefusesSmallPayload(t *testing.T) {
	fake := startFake(t, bus.MaxData-1)
	if _, err := bus.ConnectNATS(t.Context(), fake.url(), "c", nil); err == nil {
		t.Error("connected to a server that takes less than MaxData")
	}
}
