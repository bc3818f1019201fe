package gateway

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// gate is a connection whose writes wait for the test. It keeps what was written.
type gate struct {
	net.Conn
	mutex   sync.Mutex
	open    chan struct{} // a write passes for each value, all when it is closed
	waits   chan struct{} // gets a value for each write that has begun
	written bytes.Buffer
	closed  bool
}

func newGate() *gate { return &gate{open: make(chan struct{}), waits: make(chan struct{}, 1000)} }

func (g *gate) Write(p []byte) (int, error) {
	g.waits <- struct{}{}
	<-g.open
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.closed {
		return 0, net.ErrClosed
	}
	return g.written.Write(p)
}

func (g *gate) SetWriteDeadline(time.Time) error { return nil }

func (g *gate) Close() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.closed = true
	return nil
}

// frames reads what was written, as "kind:payload".
func (g *gate) frames(t *testing.T) (list []string) {
	t.Helper()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for rest := g.written.Bytes(); len(rest) > 0; {
		kind, length, head := rest[0]&0xf, int(rest[1]), 2
		if length == 126 {
			length, head = int(binary.BigEndian.Uint16(rest[2:])), 4
		}
		payload := rest[head : head+length]
		if opcode(kind) == closeFrame {
			payload = fmt.Appendf(nil, "%d %s", binary.BigEndian.Uint16(payload), payload[2:])
		}
		list = append(list, fmt.Sprintf("%d:%s", kind, payload))
		rest = rest[head+length:]
	}
	return list
}

// gated is a session that writes to a gate.
func gated(t *testing.T) (*Session, *gate) {
	t.Helper()
	r := openRoom(t, 0, anyVariant)
	g := newGate()
	return &Session{gateway: r.gateway, socket: g, phase: serving, variant: plain}, g
}

func text(text string) *frame { return &frame{payload: []byte(text)} }

// finished waits until the session has nothing to write any more.
func finished(t *testing.T, s *Session) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		s.mutex.Lock()
		done := s.outbox == nil
		s.mutex.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the outbox is not written")
		}
		time.Sleep(time.Millisecond)
	}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

// All that is written waits in one line, WebSocket's own frames too. The reason is the last, and the socket is closed
// behind it.
func TestControlFramesWaitTheirTurn(t *testing.T) {
	s, g := gated(t)
	s.enqueue(text("one"))
	<-g.waits
	s.answerPing(newControl(pongFrame, []byte("hello")))
	s.enqueue(text("two"))
	s.enqueue(newControl(pingFrame, nil))
	s.close(Idle)
	s.close(Replaced)
	s.enqueue(text("too late"))
	s.answerPing(newControl(pongFrame, []byte("too late")))
	close(g.open)
	finished(t, s)
	want(t, "written", g.frames(t), []string{"2:one", "10:hello", "2:two", "9:", "8:4408 idle"})
	want(t, "closed", g.closed, true)
	if n := len(g.waits); n != 1 {
		t.Errorf("what waited together went out in %d writes, want one", n)
	}
}

// The answer to what a client broke stands in the line as well, and the closing of the connection waits for it.
func TestTheReadersLastFrameWaits(t *testing.T) {
	s, g := gated(t)
	s.enqueue(text("one"))
	<-g.waits
	s.endWith(newClose(Disconnect{closeProtocol, "protocol"}))
	s.settle()
	g.mutex.Lock()
	want(t, "closed before the reason is written", g.closed, false)
	g.mutex.Unlock()
	close(g.open)
	finished(t, s)
	want(t, "written", g.frames(t), []string{"2:one", "8:1002 protocol"})
	want(t, "closed", g.closed, true)
}

// Many pings that are not read cost no more than one: only the latest is answered.
func TestPingsCostNoMemory(t *testing.T) {
	s, g := gated(t)
	s.enqueue(text("one"))
	<-g.waits
	for n := range 1000 {
		s.answerPing(newControl(pongFrame, fmt.Append(nil, n)))
		if n == 500 {
			s.enqueue(text("two"))
		}
	}
	s.mutex.Lock()
	want(t, "frames and bytes that wait", []int{len(s.outbox.waiting), s.outbox.bytes}, []int{2, 6})
	s.mutex.Unlock()
	close(g.open)
	finished(t, s)
	want(t, "written", g.frames(t), []string{"2:one", "10:999", "2:two"})
}

// Who is too far behind is told so, behind the frame that is being written, and gets nothing else.
func TestTooSlowIsTold(t *testing.T) {
	s, g := gated(t)
	s.gateway.config.WriteQueueBytes = 10
	s.enqueue(text("one"))
	<-g.waits
	s.enqueue(text("123456"))
	s.enqueue(text("789012"))
	s.enqueue(text("3"))
	close(g.open)
	finished(t, s)
	want(t, "written", g.frames(t), []string{"2:one", "8:4413 too-slow"})
	want(t, "closed", g.closed, true)
}

// A write that fails ends the connection; nothing else is written to it.
func TestFailedWrite(t *testing.T) {
	s, g := gated(t)
	s.enqueue(text("one"))
	<-g.waits
	s.enqueue(text("two"))
	g.Close()
	close(g.open)
	finished(t, s)
	s.enqueue(text("three"))
	s.close(Idle)
	want(t, "written", g.frames(t), []string{})
	want(t, "phase", s.phase, ending)
	want(t, "writes", len(g.waits), 0)
}

// An outbox is used again by another session, with nothing in it.
func TestOutboxIsClean(t *testing.T) {
	s, g := gated(t)
	close(g.open)
	for n := range 100 {
		s.enqueue(text(fmt.Sprint(n)))
		finished(t, s)
	}
	o := s.open(text("x"))
	want(t, "frames", []int{len(o.waiting), o.bytes, o.pong}, []int{1, 1, 0})
	o.flush()
	if s.joined != nil || s.phase != serving {
		t.Errorf("%+v", s.phase)
	}
}

// A gateway that is drained has stopped its timers, and lets nobody start one.
func TestCrew(t *testing.T) {
	m := clock.NewManual(time.Now())
	c := &crew{clock: m.Clock()}
	ran := make(chan string, 10)
	c.after(time.Second, func() { ran <- "first" })
	stopped := c.after(time.Second, func() { ran <- "stopped" })
	later := c.after(time.Second, func() { ran <- "later" })
	stopped.stop()
	later.reset(2 * time.Second)
	m.Advance(time.Second)
	want(t, "ran", <-ran, "first")
	if !c.join() {
		t.Error("nobody may join a crew at work")
	}
	if !c.dismiss() || c.dismiss() {
		t.Error("it is dismissed once")
	}
	c.after(time.Second, func() { ran <- "late" })
	want(t, "timers", m.Waiting(), 0)
	m.Advance(time.Minute)
	gone := c.gone()
	select {
	case <-gone:
		t.Error("it is gone while one is at work")
	default:
	}
	if c.join() {
		t.Error("a dismissed crew lets somebody join")
	}
	c.done()
	<-gone
	want(t, "ran since", len(ran), 0)
}

// What waits for all guests together is bounded, what is being written included; who is logged in has a bound of his own.
func TestGuestsShareAQueue(t *testing.T) {
	first, g := gated(t)
	gateway := first.gateway
	gateway.config.GuestQueueBytes = 10
	gateway.refusals = telemetry.NewRefusals(gateway.log, gateway.metrics, nil)
	second, member := &Session{gateway: gateway, socket: g, variant: plain}, &Session{gateway: gateway, socket: g, variant: plain}
	member.login.device = &device{}
	for _, s := range []*Session{first, second, member} {
		s.enqueue(text("12345"))
		<-g.waits
	}
	want(t, "bytes of guests", gateway.guestQueue.Load(), 10)
	member.enqueue(text("67890"))
	first.enqueue(text("6"))
	want(t, "phases", []phase{first.phase, second.phase, member.phase}, []phase{ending, serving, serving})
	close(g.open)
	for _, s := range []*Session{first, second, member} {
		finished(t, s)
	}
	want(t, "bytes of guests", gateway.guestQueue.Load(), 0)
}
