package gateway

import (
	"bytes"
	"context"
	"runtime/debug"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// mailbox is the requests of one connection that wait, are served, or stepped aside. They are served one after the other
// in the order in which they came, by one goroutine, the lane, so that two messages sent one after the other are stored in
// that order. One that waits for something outside the server does not hold up the others; see turn. A session has a
// mailbox only while there is such a request. The session's mutex guards it.
type mailbox struct {
	session *Session
	waiting []*gws.Message
	room    chan struct{} // closed when a full mailbox has room again; nil when the reader does not wait for it
	line    *turn         // the first of the requests that stepped aside and are not answered
	working bool          // the lane runs
	run     func()        // the lane; made once, so that starting it allocates nothing
}

const (
	// mailboxFrames bounds the requests that wait in one connection. A client that sends faster is not read until there
	// is room, which holds up nobody else.
	mailboxFrames = 64

	// callTimeout bounds one request; clients give up after 15 seconds.
	callTimeout = 15 * time.Second
)

// post returns the session's mailbox; the caller holds the mutex.
func (s *Session) post() *mailbox {
	if s.mailbox != nil {
		return s.mailbox
	}
	m, _ := s.gateway.mailboxes.Get().(*mailbox)
	if m == nil {
		m = &mailbox{}
		m.run = func() { m.session.lane(m) }
	}
	m.session, s.mailbox = s, m
	return m
}

// rest gives back a mailbox in which nothing is left; the caller holds the mutex, and does not use it any more.
func (m *mailbox) rest() {
	if m.working || m.line != nil || len(m.waiting) > 0 {
		return
	}
	s := m.session
	s.mailbox, m.session = nil, nil
	s.gateway.mailboxes.Put(m)
}

// work has the lane run; the caller holds the mutex.
func (m *mailbox) work() {
	m.working = true
	m.session.gateway.crew.add()
	go m.run()
}

// next takes out the request that waits longest; the caller holds the mutex.
func (m *mailbox) next() *gws.Message {
	first := m.waiting[0]
	copy(m.waiting, m.waiting[1:])
	last := len(m.waiting) - 1
	m.waiting[last] = nil
	m.waiting = m.waiting[:last]
	return first
}

// receive queues a frame for the lane. A heartbeat that would have to wait behind other requests is answered beside
// them, as clients give it three seconds only.
func (s *Session) receive(frame *gws.Message) {
	s.heard()
	if s.busy() && isHeartbeat(frame.Bytes()) {
		s.gateway.crew.add()
		go func() {
			defer s.gateway.crew.done()
			s.serve(frame)
		}()
		return
	}
	s.mutex.Lock()
	if s.phase >= leaving {
		s.mutex.Unlock()
		_ = frame.Close()
		return
	}
	m := s.post()
	m.waiting = append(m.waiting, frame)
	if !m.working {
		m.work()
	}
	var room chan struct{}
	if len(m.waiting) >= mailboxFrames {
		room = make(chan struct{})
		m.room = room
	}
	s.mutex.Unlock()
	if room != nil {
		<-room
	}
}

// busy tells that a request would have to wait.
func (s *Session) busy() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.phase == serving && s.mailbox != nil && s.mailbox.working
}

// isHeartbeat looks for the command's name before it reads the frame. A message whose text is that name has it too, and
// must keep its place.
func isHeartbeat(frame []byte) bool {
	const most = 1024
	if len(frame) >= most || !bytes.Contains(frame, []byte(`"`+aliveCommand+`"`)) {
		return false
	}
	r, err := decode(frame)
	return err == nil && r.Head.Servcmd == aliveCommand
}

// lane serves the mailbox until it is empty, or until a request steps aside, whose goroutine this is from then on.
func (s *Session) lane(m *mailbox) {
	defer s.gateway.crew.done()
	defer s.settle()
	for {
		s.mutex.Lock()
		if m.room != nil && len(m.waiting) <= mailboxFrames/2 {
			close(m.room)
			m.room = nil
		}
		if len(m.waiting) == 0 {
			m.working = false
			m.rest()
			s.mutex.Unlock()
			return
		}
		next := m.next()
		s.mutex.Unlock()
		if aside := s.serve(next); aside {
			return
		}
	}
}

// serve answers one frame, and tells whether its request stepped aside.
func (s *Session) serve(frame *gws.Message) (aside bool) {
	defer func() { _ = frame.Close() }()
	defer func() {
		if fault := recover(); fault != nil {
			s.gateway.log.Error("serving a frame panicked", telemetry.FieldError, fault, "stack", string(debug.Stack()))
			s.close(BadFrame)
		}
	}()
	r, err := decode(frame.Bytes())
	if err != nil {
		s.gateway.log.Debug("bad frame", telemetry.FieldPeer, s.address, telemetry.FieldError, err)
		s.close(BadFrame)
		return false
	}
	r.turn.session = s
	defer func() { aside = r.turn.end() }()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if body := s.dispatch(ctx, r); body != nil {
		s.reply(newReply(s.variant, s.gateway.config.CompressAbove, &r.Head, body), r.asker.after)
	}
	return false // the deferred end has the last word
}
