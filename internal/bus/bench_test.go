package bus_test

import (
	"runtime"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
)

const idle = 15_000 // subscriptions, of one node

func BenchmarkMemoryPublish(b *testing.B) {
	m := bus.NewMemory()
	data := make([]byte, 300)
	h := new(ignore)
	for id := range int64(idle) {
		bustest.Subscribe(b, m, bustest.Devices(id), h)
	}
	b.Run("subscriber", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			_ = m.Publish(bustest.Devices(int64(i%idle)), data)
		}
	})
	b.Run("nobody", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			_ = m.Publish(bustest.Devices(int64(idle+i%idle)), data)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for id := int64(0); pb.Next(); id++ {
				_ = m.Publish(bustest.Devices(id%idle), data)
			}
		})
	})
}

// ticket is a handler that lets the publisher have so many messages under way.
type ticket chan struct{}

func (c ticket) Receive(bus.Subject, []byte) { <-c }

// BenchmarkNATSPublish counts the whole way, from Publish on one node to Receive on another; the server runs in the same
// process and shares its processors.
func BenchmarkNATSPublish(b *testing.B) {
	server := bustest.StartServer(b)
	from, to := connect(b, server.URL(), "c"), connect(b, server.URL(), "c")
	under := make(ticket, 8192)
	for id := range int64(idle) {
		bustest.Subscribe(b, to, bustest.Devices(id), under)
	}
	bustest.Flush(b, to)
	data := make([]byte, 300)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		under <- struct{}{}
		if err := from.Publish(bustest.Devices(int64(i%idle)), data); err != nil {
			b.Fatal(err)
		}
	}
	for range cap(under) {
		under <- struct{}{} // all received
	}
}

// BenchmarkIdleSubscription reports the memory of one, heap and stacks. "goroutine each" is how nats.go would do it if
// asked for a callback, for comparison.
func BenchmarkIdleSubscription(b *testing.B) {
	fake, h := startFake(b, 1<<20), new(ignore)
	b.Run("memory", func(b *testing.B) {
		for range b.N {
			m := bus.NewMemory()
			measure(b, func(id int64) error { return m.Subscribe(bustest.Devices(id), h) })
			runtime.KeepAlive(m)
		}
	})
	b.Run("nats", func(b *testing.B) {
		for range b.N {
			n := connect(b, fake.url(), "c")
			bustest.Flush(b, n)
			measure(b, func(id int64) error { return n.Subscribe(bustest.Devices(id), h) })
			bustest.Flush(b, n)
			_ = n.Close()
		}
	})
	b.Run("nats goroutine each", func(b *testing.B) {
		for range b.N {
			conn, err := nats.Connect(fake.url())
			if err != nil {
				b.Fatal(err)
			}
			measure(b, func(id int64) error {
				_, err := conn.Subscribe("magpie.c."+bustest.Devices(id).String(), func(*nats.Msg) {})
				return err
			})
			conn.Close()
		}
	})
}

func measure(b *testing.B, subscribe func(id int64) error) {
	before := used()
	for id := range int64(idle) {
		if err := subscribe(144_115_000_000_000 + id); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(used()-before)/idle, "bytes/subscription")
}

func used() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
