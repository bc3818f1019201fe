package gateway

import "time"

// outbox is the frames that wait to be written to one session. A session has one only while frames wait or are being
// written, by one goroutine at a time. All that is written to a session after its handshake passes here, WebSocket's
// own control frames too: one of them that came between the pieces of a frame would break the stream. The session's mutex
// guards it.
type outbox struct {
	session *Session
	waiting []*frame
	taken   []*frame // those that are being written
	bytes   int      // of waiting
	writing int      // of taken
	guest   bool     // nobody was logged in when it was opened
	parked  bool     // nobody writes it; see park.go
	pong    int      // where among waiting an answer to a ping is, counted from 1; 0 is nowhere
	run     func()   // flush; made once, so that to start it allocates nothing
}

const (
	// writeTimeout bounds one write to a client that does not read.
	writeTimeout = 10 * time.Second
	// farewellTimeout bounds what is still written once a connection is to end.
	farewellTimeout = time.Second
	// keepFrames is the longest slice that an outbox keeps for its next use.
	keepFrames = 256
)

// enqueue hands a frame to the connection's writer; it never waits. A client that does not read fast enough is
// disconnected with TooSlow: when it is back it syncs, so no message is lost in silence.
func (s *Session) enqueue(f *frame) {
	s.mutex.Lock()
	o := s.queue(f)
	s.mutex.Unlock()
	o.start()
}

// reply is enqueue for a reply. What is to be done after the reply is done once the reply is queued, and before the
// connection's next write can wait for the client. write is start, or flush for a goroutine that may as well write itself.
func (s *Session) reply(f *frame, after []func(), write func(*outbox)) {
	s.mutex.Lock()
	o := s.queue(f)
	queued := s.phase < ending
	s.mutex.Unlock()
	if o != nil {
		defer write(o) // also if what is done panics
	}
	if !queued {
		return
	}
	for _, do := range after {
		do()
	}
}

// queue takes a frame; the caller holds the mutex. If nobody writes the outbox yet it is returned, and the caller, who
// then lets the mutex go, has it written by start or flush.
func (s *Session) queue(f *frame) *outbox {
	if s.phase >= ending {
		return nil
	}
	o := s.outbox
	if o == nil {
		return s.open(f)
	}
	full := o.guestsFull(f.size())
	if full {
		s.refused(refusedQueue)
	}
	if full || o.bytes > 0 && o.bytes+f.size() > s.gateway.config.WriteQueueBytes {
		o.drop()
		s.gateway.metrics.Dropped.WithLabelValues(TooSlow.Reason).Inc()
		s.end(TooSlow)
		return nil
	}
	o.add(f)
	return s.unpark()
}

// open makes the outbox, with its first frame; the caller holds the mutex. The crew counts it until it is written.
func (s *Session) open(f *frame) *outbox {
	s.gateway.crew.add()
	o, _ := s.gateway.outboxes.Get().(*outbox)
	if o == nil {
		o = &outbox{}
		o.run = o.flush
	}
	o.session, s.outbox, o.guest = s, o, s.login.device == nil
	o.add(f)
	return o
}

func (o *outbox) add(f *frame) {
	o.waiting = append(o.waiting, f)
	o.resize(f.size())
}

// answerPing queues an answer to a ping. If another one waits it takes its place (RFC 6455 section 5.5.3), so that many
// pings cost no more memory than one.
func (s *Session) answerPing(f *frame) {
	s.mutex.Lock()
	o := s.outbox
	if o != nil && o.pong > 0 && s.phase < ending {
		o.resize(f.size() - o.waiting[o.pong-1].size())
		o.waiting[o.pong-1] = f
		s.mutex.Unlock()
		return
	}
	fresh := s.queue(f)
	if s.phase < ending {
		s.outbox.pong = len(s.outbox.waiting)
	}
	s.mutex.Unlock()
	fresh.start()
}

func (o *outbox) resize(by int) {
	o.bytes += by
	o.session.gateway.metrics.WriterQueueBytes.Add(float64(by))
	if o.guest {
		o.session.gateway.guestQueue.Add(int64(by))
	}
}

// write notes how many bytes are being written, which count among what waits for guests: one that does not read holds
// them.
func (o *outbox) write(bytes int) {
	if o.guest {
		o.session.gateway.guestQueue.Add(int64(bytes - o.writing))
	}
	o.writing = bytes
}

// drop takes everything out that waits, but for the rest of a push that is parked; the caller holds the mutex.
func (o *outbox) drop() {
	kept := 0
	if o.parked {
		kept = 1
	}
	for _, f := range o.waiting[kept:] {
		o.resize(-f.size())
	}
	clear(o.waiting[kept:])
	o.waiting, o.pong = o.waiting[:kept], 0
}

// start has an outbox written that queue has returned, if it has returned one.
func (o *outbox) start() {
	if o != nil {
		go o.run()
	}
}

// take moves what waits to taken. When nothing waits, the session has no outbox any more.
func (o *outbox) take() []*frame {
	s := o.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	clear(o.taken)
	o.taken, o.waiting = o.waiting, o.taken[:0]
	o.write(o.bytes)
	o.resize(-o.bytes)
	o.pong = 0
	if len(o.taken) == 0 {
		s.outbox = nil
	}
	return o.taken
}

// flush writes the outbox until it is empty, and gives it back.
func (o *outbox) flush() {
	s := o.session
	defer s.gateway.crew.done()
	for frames := o.take(); len(frames) > 0; frames = o.take() {
		if err := s.write(frames); err != nil {
			s.fail(o)
		}
	}
	o.recycle()
	s.settle()
}

func (o *outbox) recycle() {
	pool := &o.session.gateway.outboxes
	o.session = nil
	if cap(o.waiting) > keepFrames {
		o.waiting = nil
	}
	if cap(o.taken) > keepFrames {
		o.taken = nil
	}
	pool.Put(o)
}
