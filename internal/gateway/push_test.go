package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// sink is a connection to nobody. It counts what is written, and refuses a write that was not given its time.
type sink struct {
	net.Conn
	writes  *atomic.Int64 // of all sinks of a room
	own     atomic.Int64  // bytes
	allowed atomic.Bool
}

func (k *sink) Write(p []byte) (int, error) {
	if !k.allowed.Swap(false) {
		return 0, os.ErrDeadlineExceeded
	}
	k.own.Add(int64(len(p)))
	k.writes.Add(1)
	return len(p), nil
}

func (k *sink) SetWriteDeadline(t time.Time) error {
	k.allowed.Store(time.Until(t) > 0)
	return nil
}

func (k *sink) Close() error { return nil }

// room is a gateway's hub with sessions that have joined one group and write to nobody.
type room struct {
	gateway  *Gateway
	sessions []*Session
	subject  bus.Subject
	message  []byte
	writes   atomic.Int64
}

// keep is a bus's handler that keeps the message.
type keep struct{ message []byte }

func (k *keep) Receive(_ bus.Subject, message []byte) { k.message = message }

func openRoom(t testing.TB, members int, of func(n int) variant) *room {
	t.Helper()
	audience := event.Group(7)
	r := &room{subject: audience.Subject()}
	b := bus.NewMemory()
	r.gateway = &Gateway{
		config: config.Default(), metrics: telemetry.NewMetrics(), log: slog.New(slog.DiscardHandler),
		writeTimeout: writeTimeout,
	}
	r.gateway.hub = newHub(r.gateway, b)
	for n := range members {
		s := &Session{gateway: r.gateway, socket: &sink{writes: &r.writes}, phase: serving, variant: of(n)}
		if err := r.gateway.hub.enter(t.Context(), s, nil, r.subject); err != nil {
			t.Fatal(err)
		}
		r.sessions = append(r.sessions, s)
	}
	r.message = pushOf(t, audience, 900)
	return r
}

// pushOf is a push as it comes from the bus.
func pushOf(t testing.TB, to event.Audience, size int) []byte {
	t.Helper()
	b, k := bus.NewMemory(), &keep{}
	if err := b.Subscribe(to.Subject(), k); err != nil {
		t.Fatal(err)
	}
	if err := event.NewRouter(b).Send(to, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return k.message
}

// push delivers the message once and returns when all have it.
func (r *room) push(members int) {
	want := r.writes.Load() + int64(members)
	r.gateway.hub.Receive(r.subject, r.message)
	for r.writes.Load() < want {
		runtime.Gosched()
	}
}

func anyVariant(n int) variant { return variant(n % int(variants)) }

// One more receiver of a push allocates nothing: what is made is made once for all.
func TestPushAllocatesOnce(t *testing.T) {
	const members = 1000
	r := openRoom(t, members, anyVariant)
	r.push(members) // the pools and the goroutines of the runtime fill
	if n := testing.AllocsPerRun(20, func() { r.push(members) }); n > members/20 && !raced {
		t.Errorf("a push to %d sessions allocates %v times", members, n)
	}
	for _, s := range r.sessions {
		s.mutex.Lock()
		if s.phase != serving {
			t.Error("a session ended")
		}
		s.mutex.Unlock()
	}
}

// What a push costs, and each receiver of it.
func BenchmarkPush(b *testing.B) {
	for _, members := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			r := openRoom(b, members, anyVariant)
			r.push(members)
			var before, after runtime.MemStats
			b.ReportAllocs()
			b.ResetTimer()
			runtime.ReadMemStats(&before)
			for range b.N {
				r.push(members)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N*members), "allocs/receiver")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/receiver")
		})
	}
}
