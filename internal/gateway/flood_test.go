package gateway_test

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/magpietest"
)

// One connection sends ten thousand requests as fast as it can. It is served at its rate, or told that it is above it, in
// order, and others send as fast as before.
func TestFlood(t *testing.T) {
	s := magpietest.Start(t) // not beside other tests: it measures
	s.Import(t, "alice", "bob", "mallory")
	alice, mallory := s.Login(t, "alice"), s.Login(t, "mallory")
	before := latency(t, alice, 40)

	const flood = 10_000
	ended := make(chan map[int]int, 1)
	go func() {
		for n := range flood {
			_, _ = mallory.Raw().Write(piece{first: final | binaryFrame, payload: fmt.Appendf(nil,
				`{"head":{"servcmd":"openim.get_peer_read_time","seq":%d},"body":{"To_Account":["bob"]}}`, n)}.bytes())
		}
	}()
	go func() {
		defer close(ended)
		codes := map[int]int{}
		for n := range flood {
			f := mallory.Next(t, "a request of the flood is answered", func(f *magpietest.Frame) bool {
				return f.Servcmd == "openim.get_peer_read_time"
			})
			if f.Seq != fmt.Sprint(n) {
				t.Errorf("answer %d is for %s", n, f.Seq)
				break
			}
			codes[codeOf(t, f.Body)]++
		}
		ended <- codes
	}()
	during := latency(t, alice, 40)
	codes := <-ended
	t.Logf("latency of a send: %v before, %v during the flood; answers by code: %v", before, during, codes)
	if codes[0]+codes[60018] != flood || codes[0] == 0 {
		t.Errorf("the flood was answered %v", codes)
	}
	if during > 20*before+250*time.Millisecond {
		t.Errorf("a send took %v during the flood, %v before", during, before)
	}
	mallory.Open(t)
}

// latency is the median time of a send.
func latency(t *testing.T, c *Conn, times int) time.Duration {
	t.Helper()
	var took []time.Duration
	for n := range times {
		began := time.Now()
		c.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message(c.UserID, "bob", "hi"), M{"MsgSeq": n}), nil)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// The rate is the operator's choice; one above it is told so and stays connected.
func TestRate(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m), magpietest.Set(t, "commands-per-second", "10"))
	alice := s.Connect(t)
	for range 2 {
		codes := map[int]int{}
		for range 50 {
			codes[alice.Call(t, "heartbeat.alive", M{}, nil).ErrorCode]++
		}
		if codes[0] != 10 || codes[60018] != 40 {
			t.Errorf("answered %v with a rate of 10", codes)
		}
		m.Advance(time.Second)
	}
}

// A client that does not read is disconnected; nobody waits for it, and when it is back it gets what it missed.
func TestNeverReading(t *testing.T) {
	s := start(t, magpietest.Set(t, "write-queue-bytes", "65536"), magpietest.Set(t, "compress-above", "0"))
	alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob", magpietest.SmallBuffer()), s.Login(t, "carol")
	cookie := bob.Cookie
	read := bob.Stall()
	text := make([]byte, 11_000)
	for i := range text {
		text[i] = 'x'
	}
	var stored []string
	for n := 0; n%10 != 0 || metric(t, s, `magpie_disconnects_total{reason="too-slow"}`) == ""; n++ {
		if n > 3000 {
			t.Fatal("33 megabytes were written for a client that does not read")
		}
		if n%10 == 0 {
			stored = append(stored, fmt.Sprintf("alice → bob: message %d", n))
			s.Send(t, "alice", "bob", fmt.Sprintf("message %d", n))
		} else {
			s.SendWith(t, magpietest.Message("alice", "bob", string(text)), M{"OnlineOnlyFlag": 1})
		}
	}
	if took := latency(t, carol, 10); took > time.Second {
		t.Errorf("a send to the slow one took %v", took)
	}
	alice.SeesNothing(t)
	read()
	bob.Closed(t)
	back := s.Connect(t)
	if e := back.Resume(t, "bob", bob.Session); e.ErrorCode != 0 {
		t.Fatalf("the slow one comes back: %+v", e)
	}
	got := back.Pull(t, cookie)
	for _, line := range stored {
		if !slices.Contains(got.Lines, line) {
			t.Errorf("%q was not pulled", line)
		}
	}
}

// Answers that a client does not read count too: it stops being served before it fills the server's memory.
func TestNeverReadingAnswers(t *testing.T) {
	h := openRig(t)
	h.gateway.SetWriteTimeout(100 * time.Millisecond)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	must(t, alice.conn.NetConn().(*net.TCPConn).SetReadBuffer(64<<10))
	defer alice.stall()()
	_ = alice.conn.NetConn().SetWriteDeadline(time.Now().Add(15 * time.Second))
	request := piece{first: final | binaryFrame, payload: []byte(`{"head":{"servcmd":"rig.visit","seq":1},` +
		`"body":{"Name":"much","Long":20000}}`)}.bytes()
	for n := 0; ; n++ {
		if _, err := alice.conn.NetConn().Write(request); err != nil {
			break // the server reads no more, or has closed the connection
		}
		if n > 200_000 {
			t.Fatal("200,000 requests were taken from a client that reads no answers")
		}
	}
	bob.asks(t, visit{Name: "still here"})
	bob.hears(t, "still here 0")
}
