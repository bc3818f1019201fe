package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// Heartbeats are answered, before login and after it, ten thousand of them too, and in WebSocket's own form.
func TestHeartbeats(t *testing.T) {
	s := start(t, magpietest.Set(t, "commands-per-second", "0"))
	for _, c := range []*Conn{s.Connect(t), s.Login(t, "alice")} {
		const many = 10_000
		began := time.Now()
		go func() {
			for n := range many {
				_, _ = c.Raw().Write(piece{first: final | binaryFrame,
					payload: fmt.Appendf(nil, `{"head":{"servcmd":"heartbeat.alive","seq":%d},"body":{}}`, n)}.bytes())
			}
		}()
		for n := range many {
			f := c.Next(t, "a heartbeat is answered", func(f *magpietest.Frame) bool { return f.Servcmd == "heartbeat.alive" })
			if codeOf(t, f.Body) != 0 {
				t.Fatalf("heartbeat %d: answered %s", n, f.Body)
			}
		}
		t.Logf("%d heartbeats in %v", many, time.Since(began))
		for range many {
			write(t, c, piece{first: final | ping, payload: []byte("are you there")})
		}
		c.MustCall(t, "heartbeat.alive", M{}, nil)
		c.Open(t)
	}
	alive(t, s)
}

// A heartbeat does not wait behind a connection's other requests: clients give it three seconds.
func TestHeartbeatGoesAhead(t *testing.T) {
	s := start(t)
	alice := s.Login(t, "alice")
	for n := range 60 {
		alice.Write(t, alice.Request(t, M{"a2": alice.Session.A2Key, "seq": 1000 + n}, "openim.sendmsg",
			magpietest.With(magpietest.Message("alice", "bob", fmt.Sprint(n)), M{"MsgSeq": n})))
	}
	began := time.Now()
	alice.Write(t, []byte(`{"head":{"servcmd":"heartbeat.alive","seq":5},"body":{}}`))
	alice.Answer(t, "heartbeat.alive", 5)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the heartbeat was answered after %v", took)
	}
	for n := range 60 {
		alice.Answer(t, "openim.sendmsg", int64(1000+n))
	}
}

// Who is silent for too long is disconnected. A sign of life of any kind counts.
func TestIdle(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m), magpietest.Set(t, "idle-timeout", "60s"))
	silent, loggedIn := s.Connect(t), s.Login(t, "alice")
	beating, pinging := s.Login(t, "bob"), s.Connect(t)
	m.Advance(40 * time.Second)
	beating.MustCall(t, "heartbeat.alive", M{}, nil)
	pinging.Ping(t, "")
	for _, c := range []*Conn{silent, loggedIn, beating, pinging} {
		c.Open(t)
	}
	m.Advance(25 * time.Second)
	wantClosed(t, silent, gateway.Idle)
	wantClosed(t, loggedIn, gateway.Idle)
	beating.SeesNothing(t)
	pinging.Ping(t, "")
	pinging.Open(t)
	magpietest.Eventually(t, "the idle one's account is offline", func() bool { return status(t, s, "alice") == "Offline" })
}

// status asks whether an account is online.
func status(t *testing.T, s *Server, userID string) string {
	t.Helper()
	var reply struct{ QueryResult []struct{ Status string } }
	s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{userID}}, &reply)
	return reply.QueryResult[0].Status
}

// A client that is quiet and answers pings is asked for a sign of life before it is taken for dead; one that asks itself
// is answered. Both also when nothing was written to them for longer than a write may take.
func TestPingsAfterAQuietWhile(t *testing.T) {
	m := clock.NewManual(time.Now())
	h := openRig(t, func(p *gateway.Parts) { p.Clock = m.Clock() })
	const write = 20 * time.Millisecond
	h.gateway.SetWriteTimeout(write)
	asked, asking := h.enter(t, "alice"), h.enter(t, "bob")
	<-time.After(2 * write)
	must(t, asking.conn.WritePing([]byte("hello")))
	asking.hears(t, "pong hello")
	for range 3 {
		m.Advance(40 * time.Second) // more than half-way to the time-out, which is a minute
		asked.hears(t, "ping")
		asking.hears(t, "ping")
		magpietest.Eventually(t, "they are heard", func() bool { return h.gateway.LongestSilence() < time.Second })
		asked.beatsAmongPings(t)
		asking.beatsAmongPings(t)
	}
}
