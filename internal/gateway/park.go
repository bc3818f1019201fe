package gateway

import "time"

// A member of a live room whose socket has taken a part of a push gets the rest when it takes more. The rest waits in an outbox that is
// parked: no goroutine writes it, and the walker tries it again, before the room's next push and every parkedRetry. So a member who
// does not read holds no goroutine and the rest of one push. As soon as anything else is to be written, the outbox is written as any
// other.

// parkedRetry is after what time the rest of a push is tried again.
const parkedRetry = 50 * time.Millisecond

// park keeps the rest of a push; the caller holds the mutex, and the session has no outbox.
func (s *Session) park(rest []byte) { s.open(&frame{payload: rest, raw: rest}).parked = true }

// unpark gives the session's outbox to a caller who has it written, if it is parked; the caller holds the mutex.
func (s *Session) unpark() *outbox {
	if s.outbox == nil || !s.outbox.parked {
		return nil
	}
	s.outbox.parked = false
	return s.outbox
}

// retry writes the rest of a push, and reports whether there is none any more; the caller holds the mutex.
func (s *Session) retry() (written bool) {
	o := s.outbox
	switch {
	case o == nil || !o.parked:
		return true
	case s.closed: // the reader ends, and has the outbox written
		return false
	case s.descriptor == noDescriptor:
		s.unpark().start()
		return true
	}
	rest := o.waiting[0]
	n, fault := sendNow(s.descriptor, rest.raw)
	if fault != nil {
		s.unpark().start() // it fails there, which ends the connection
		return true
	}
	if n < len(rest.raw) {
		o.waiting[0] = &frame{payload: rest.raw[n:], raw: rest.raw[n:]}
		o.resize(-n)
		return false
	}
	s.outbox, o.parked = nil, false
	o.drop()
	crew := &s.gateway.crew
	o.recycle()
	crew.done()
	return true
}

// retryLate is retry for who does not hold the mutex.
func (s *Session) retryLate() (written bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.retry()
}

// waitingMost is how many pushes of live rooms wait in an outbox.
const waitingMost = 8

// catchUp takes a push of a live room. When too much waits, those pushes of live rooms that nobody has begun to write are left out,
// so that who has fallen behind gets the newest one next; they are returned.
func (o *outbox) catchUp(f *frame) (left []*frame) {
	waiting := 0
	for _, one := range o.waiting {
		if one.live != nil {
			waiting++
		}
	}
	if waiting < waitingMost && o.bytes+f.size() <= behindMost {
		o.add(f)
		return nil
	}
	left = o.leaveOut()
	if o.bytes+f.size() > behindMost {
		return append(left, f)
	}
	o.add(f)
	return left
}

// leaveOut takes the pushes of live rooms out of what waits.
func (o *outbox) leaveOut() (left []*frame) {
	kept, pong := o.waiting[:0], 0
	for i, one := range o.waiting {
		if one.live != nil {
			left = append(left, one)
			o.resize(-one.size())
			continue
		}
		kept = append(kept, one)
		if i+1 == o.pong {
			pong = len(kept)
		}
	}
	clear(o.waiting[len(kept):])
	o.waiting, o.pong = kept, pong
	return left
}
