package bus_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
)

func TestMemory(t *testing.T) {
	bustest.Run(t, func(t *testing.T) (bus.Bus, bus.Bus) {
		m := bus.NewMemory()
		t.Cleanup(func() { _ = m.Close() })
		return m, m
	})
}

// ignore is a handler that costs nothing. It is not of size zero, so that its address is a value of its own.
type ignore struct{ _ byte }

func (*ignore) Receive(bus.Subject, []byte) {}

func TestMemoryPublishDoesNotAllocate(t *testing.T) {
	m := bus.NewMemory()
	bustest.Subscribe(t, m, bustest.Devices(1), new(ignore))
	data := make([]byte, 300)
	for _, s := range []bus.Subject{bustest.Devices(1), bustest.Devices(2)} {
		if n := testing.AllocsPerRun(1000, func() { _ = m.Publish(s, data) }); n != 0 {
			t.Errorf("publish to %v: %v allocations", s, n)
		}
	}
}

// TestMemoryRecursion shows that a handler may publish to the subject it is receiving from.
func TestMemoryRecursion(t *testing.T) {
	m := bus.NewMemory()
	h := &countdown{bus: m}
	bustest.Subscribe(t, m, bustest.Devices(1), h)
	bustest.Publish(t, m, bustest.Devices(1), "xxxxx")
	if h.calls != 6 {
		t.Fatalf("%d calls, want 6", h.calls)
	}
}

type countdown struct {
	bus   bus.Bus
	calls int
}

func (c *countdown) Receive(s bus.Subject, data []byte) {
	c.calls++
	if len(data) > 0 {
		_ = c.bus.Publish(s, data[1:])
	}
}
