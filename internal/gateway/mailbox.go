package gateway

import (
	"bytes"
	"runtime/debug"
	"time"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// mailbox is the requests of one session that wait, are served, are under way, or stepped aside. They are served one
// after the other in the order in which they came, by one goroutine, the server of the mailbox, so that two messages sent
// one after the other are stored in that order. A deferred call may be under way after it was served, until its commit is
// on disk; other deferred calls are served meanwhile, any other call waits for it. One that waits for something outside
// the server does not hold up the others; see turn. A session has a mailbox only while there is such a request. The
// session's mutex guards it.
type mailbox struct {
	session  *Session
	waiting  []*incoming
	room     chan struct{} // closed when a full mailbox has room again; nil when the reader does not wait for it
	line     *turn         // the first of the requests that stepped aside and are not answered
	underWay int           // the requests that were served and are not answered, without those that stepped aside
	held     *request      // the first of those that wait, if it may not begin yet
	working  bool          // the mailbox's server runs
	run      func()        // the mailbox's server; made once, so that starting it allocates nothing
}

const (
	// mailboxFrames bounds the requests of one session that wait. A client that sends faster is not read until there is
	// room, which holds up no other session.
	mailboxFrames = 64

	// mostUnderWay bounds the requests of one session that are under way.
	mostUnderWay = 32

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
		m.run = func() { m.session.serveMailbox(m) }
	}
	m.session, s.mailbox = s, m
	return m
}

// rest gives back an empty mailbox; the caller holds the mutex, and does not use the mailbox any more.
func (m *mailbox) rest() {
	if m.working || m.line != nil || m.underWay > 0 || m.held != nil || len(m.waiting) > 0 {
		return
	}
	s := m.session
	s.mailbox, m.session = nil, nil
	s.gateway.mailboxes.Put(m)
}

// work has the mailbox served; the caller holds the mutex.
func (m *mailbox) work() {
	m.working = true
	m.session.gateway.crew.add()
	go m.run()
}

// next takes out the request that waits longest; the caller holds the mutex.
func (m *mailbox) next() *incoming {
	first := m.waiting[0]
	copy(m.waiting, m.waiting[1:])
	last := len(m.waiting) - 1
	m.waiting[last] = nil
	m.waiting = m.waiting[:last]
	return first
}

// receive puts a frame into the mailbox. A heartbeat that would have to wait behind other requests is answered beside
// them, as clients give it three seconds only.
func (s *Session) receive(frame *incoming) {
	s.heard()
	if s.busy() && isHeartbeat(frame.Bytes()) {
		s.gateway.crew.add()
		go func() {
			defer s.gateway.crew.done()
			if r := s.read(frame); r != nil {
				s.serve(r)
			}
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
	if !m.working && m.held == nil {
		m.work()
	}
	var room chan struct{}
	if len(m.waiting) >= s.mailboxRoom() {
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
	m := s.mailbox
	return s.phase == serving && m != nil && (m.working || m.underWay > 0)
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

// serveMailbox serves the mailbox until it is empty, until a request has to wait for those under way, or until one steps
// aside, whose goroutine this is from then on.
func (s *Session) serveMailbox(m *mailbox) {
	defer s.gateway.crew.done()
	defer s.settle()
	for r := s.take(m); r != nil; r = s.take(m) {
		if aside := s.serve(r); aside {
			return
		}
		if r.pause > 0 {
			<-time.After(r.pause)
		}
	}
}

// refusedPause is for how long a session is not served after a request above its connection's rate was refused, so that
// refusing costs the others little.
const refusedPause = 2 * time.Millisecond

// take gives the next request to serve. Nil is none: the mailbox's server ends then.
func (s *Session) take(m *mailbox) *request {
	for {
		s.mutex.Lock()
		if m.room != nil && len(m.waiting) <= mailboxFrames/2 {
			close(m.room)
			m.room = nil
		}
		if r := m.held; r != nil { // it may begin, or the server would not run
			m.held = nil
			s.mutex.Unlock()
			return r
		}
		if len(m.waiting) == 0 {
			m.working = false
			m.rest()
			s.mutex.Unlock()
			return nil
		}
		frame := m.next()
		s.mutex.Unlock()
		if r := s.read(frame); r != nil {
			return s.begin(m, r)
		}
	}
}

// read decodes a frame. One that is no request ends the connection.
func (s *Session) read(frame *incoming) *request {
	r, err := s.decode(frame.Bytes())
	if err != nil {
		_ = frame.Close()
		s.gateway.log.Debug("bad frame", telemetry.FieldPeer, s.address, telemetry.FieldError, err)
		s.close(BadFrame)
		return nil
	}
	r.frame, r.deferred, r.turn.session = frame, s.gateway.registry.Deferred(r.Head.Servcmd), s
	return r
}

// begin returns the request if it may begin. If not it is held, and nil ends the mailbox's server.
func (s *Session) begin(m *mailbox, r *request) *request {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if m.mayBegin(r) {
		return r
	}
	m.held, m.working = r, false
	return nil
}

// mayBegin tells whether a request need not wait for those under way; the caller holds the mutex.
func (m *mailbox) mayBegin(r *request) bool {
	return m.underWay == 0 || r.deferred && m.underWay < mostUnderWay
}

// serve has a request served, and tells whether it stepped aside.
func (s *Session) serve(r *request) (aside bool) {
	defer func() {
		if fault := recover(); fault != nil {
			s.gateway.log.Error("serving a request panicked", telemetry.FieldError, fault, "stack", string(debug.Stack()))
			s.close(BadFrame)
			aside = s.giveUp(r)
		}
	}()
	r.serving = true
	r.ctx.until = time.Now().Add(callTimeout)
	s.dispatch(&r.ctx, r)
	return s.served(r)
}
