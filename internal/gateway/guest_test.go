package gateway_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// The attempts of somebody who opens connections and never logs in.

func refusedFor(t *testing.T, s *Server, reason string) string {
	t.Helper()
	line := metric(t, s, fmt.Sprintf(`magpie_refused_total{door="client",reason=%q}`, reason))
	return line[strings.LastIndexByte(line, ' ')+1:]
}

// A guest's message is small, whole or in pieces; who is logged in may send large ones.
func TestGuestsSendSmallMessages(t *testing.T) {
	s := start(t)
	request := beat(16_384, "")
	for n, pieces := range [][]piece{
		{{first: final | binaryFrame, payload: beat(16_385, "")}},
		{{first: final | binaryFrame, length: 200_000}},
		cut(binaryFrame, beat(16_385, ""), 5000),
		{{first: binaryFrame, payload: request}, {first: continuation, payload: []byte("x")}},
		cut(binaryFrame, []byte(`{"head":{"servcmd":"`+strings.Repeat("x", 200_000)+`","seq":1},"body":{}}`), 5000),
	} {
		c := s.Connect(t)
		write(t, c, piece{first: final | binaryFrame, payload: request})
		c.Answer(t, "heartbeat.alive", 7)
		write(t, c, pieces...)
		if got := c.Closed(t); !strings.HasPrefix(got, "1009") {
			t.Errorf("case %d: closed with %q", n, got)
		}
		if got := refusedFor(t, s, "guest-frame"); got != strconv.Itoa(n+1) {
			t.Errorf("case %d: %s refusals are counted", n, got)
		}
	}
	c := s.Login(t, "alice")
	write(t, c, cut(binaryFrame, beat(200_000, ""), 50_000)...)
	c.Answer(t, "heartbeat.alive", 7)
	c.MustCall(t, "im_open_status.wslogout", M{}, nil)
	write(t, c, piece{first: final | binaryFrame, payload: beat(16_385, "")})
	if got := c.Closed(t); !strings.HasPrefix(got, "1009") {
		t.Errorf("after a logout: closed with %q", got)
	}
}

// A large request right behind the login, as after a reconnect, waits for the login.
func TestALargeRequestBehindTheLogin(t *testing.T) {
	s := start(t)
	c := s.Connect(t)
	login := c.Request(t, M{"identifier": "alice", "usersig": s.UserSig(t, "alice")}, "im_open_status.wslogin", M{"State": "Online"})
	write(t, c, piece{first: final | binaryFrame, payload: login}, piece{first: final | binaryFrame, payload: beat(100_000, "")})
	c.Answer(t, "heartbeat.alive", 7)
	c.Open(t)
}

// The name of a command comes back with the answer, so it is bounded.
func TestCommandNamesAreBounded(t *testing.T) {
	s := start(t)
	for n, c := range []*Conn{s.Connect(t), s.Login(t, "alice")} {
		c.Write(t, fmt.Appendf(nil, `{"head":{"servcmd":%q,"seq":5},"body":{}}`, strings.Repeat("x", 128)))
		c.Answer(t, strings.Repeat("x", 128), 5)
		c.Write(t, fmt.Appendf(nil, `{"head":{"servcmd":%q,"seq":6},"body":{}}`, strings.Repeat("x", 129)))
		wantClosed(t, c, gateway.BadFrame)
		if got := refusedFor(t, s, "command-name"); got != strconv.Itoa(n+1) {
			t.Errorf("%s refusals are counted", got)
		}
	}
}

// Who answers pings and never logs in does not stay, nor does who has logged out, or has begun a message. Who is logged in
// stays.
func TestLoginTimeout(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m))
	silent, half, alice, bob := s.Connect(t), s.Connect(t), s.Login(t, "alice"), s.Login(t, "bob")
	write(t, half, piece{first: binaryFrame, payload: []byte(`{"head":`)})
	pass := func(d time.Duration, all ...*Conn) {
		for ; d > 0; d -= 20 * time.Second {
			m.Advance(20 * time.Second)
			for _, c := range all {
				c.Ping(t, "")
			}
		}
	}
	pass(100*time.Second, silent, half, alice, bob)
	bob.MustCall(t, "im_open_status.wslogout", M{}, nil)
	pass(60*time.Second, silent, half, alice, bob)
	m.Advance(26 * time.Second)
	wantClosed(t, silent, gateway.NoLogin)
	wantClosed(t, half, gateway.NoLogin)
	pass(60*time.Second, alice, bob)
	bob.Open(t)
	m.Advance(46 * time.Second)
	wantClosed(t, bob, gateway.NoLogin)
	alice.MustCall(t, "heartbeat.alive", M{}, nil)
	if got := refusedFor(t, s, "login-late"); got != "3" {
		t.Errorf("%s refusals are counted", got)
	}
}

// Pings, pongs and pieces count against the rate of a connection, before its login and after it.
func TestFloodOfPings(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m), magpietest.Set(t, "commands-per-second", "20"))
	floods := map[string]piece{
		"pings": {first: final | ping}, "pongs": {first: final | ping + 1, payload: []byte("x")}, "pieces": {first: continuation},
	}
	n := 0
	for name, p := range floods {
		for _, c := range []*Conn{s.Connect(t), s.Login(t, "alice")} {
			m.Advance(time.Second)
			if name == "pieces" {
				write(t, c, piece{first: binaryFrame, payload: []byte("{")})
			}
			for range 19 {
				write(t, c, p)
			}
			c.Ping(t, "the twentieth")
			c.Open(t)
			write(t, c, p)
			wantClosed(t, c, gateway.Flooding)
			if n++; refusedFor(t, s, "flood") != strconv.Itoa(n) {
				t.Errorf("%s: %s refusals are counted, want %d", name, refusedFor(t, s, "flood"), n)
			}
		}
	}
}

// A guest that reads nothing is not read any more once its answers fill the socket, and holds next to nothing.
func TestGuestsWhoDoNotRead(t *testing.T) {
	s := start(t, magpietest.Set(t, "commands-per-second", "0"))
	c := s.Connect(t, magpietest.SmallBuffer())
	read := c.Stall()
	defer read()
	request := piece{first: final | binaryFrame, payload: fmt.Appendf(nil, `{"head":{"servcmd":%q,"seq":5},"body":{}}`, strings.Repeat("x", 128))}.bytes()
	many := []byte(strings.Repeat(string(request), 500))
	for n := 0; ; n++ {
		_ = c.Raw().SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		if _, err := c.Raw().Write(many); err != nil {
			break
		}
		if n > 1000 {
			t.Fatal("half a million requests were taken from a guest that reads no answers")
		}
	}
	line := metric(t, s, "magpie_writer_queue_bytes")
	if waiting, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64); err != nil || waiting > 16<<10 {
		t.Errorf("%s: want 16 KiB at most", line)
	}
	alive(t, s)
}

// Of a guest's requests one waits beside the one that is served; the others wait in the socket. All are answered.
func TestGuestsRequestsWaitInTheSocket(t *testing.T) {
	h := openRig(t)
	looksIn := func(g *guest, name string, waits bool) {
		g.write(t, M{"servcmd": "rig.look-in", "seq": name}, M{"Name": name, "Waits": waits})
	}
	g := h.visitor(t)
	looksIn(g, "first", true)
	for n := range 8 {
		looksIn(g, fmt.Sprint(n), false)
	}
	h.meets(t, "first")
	magpietest.Eventually(t, "one waits", func() bool { return h.gateway.LongestMailbox() == 1 })
	alice := h.enter(t, "alice")
	looksIn(alice, "alice", true)
	for n := range 8 {
		looksIn(alice, fmt.Sprint("alice", n), false)
	}
	magpietest.Eventually(t, "eight of alice wait", func() bool { return h.gateway.LongestMailbox() == 8 })
	h.open("first", "alice")
	g.hears(t, "first 0")
	for n := range 8 {
		g.hears(t, fmt.Sprint(n, " 0"))
	}
}
