package gateway

import (
	"time"

	"github.com/lxzan/gws"
)

// enqueue hands a frame to the connection's writer; it never waits. A client that does not read fast enough is
// disconnected with TooSlow: when it is back it pulls what it missed, so nothing is lost in silence.
func (s *Session) enqueue(frame []byte) {
	if s.queue(frame) {
		s.gateway.running.Add(1)
		go func() {
			defer s.gateway.running.Done()
			s.flush()
		}()
	}
}

// reply is enqueue for a goroutine that may as well write itself.
func (s *Session) reply(frame []byte) {
	if s.queue(frame) {
		s.flush()
	}
}

// queue takes a frame and tells whether the caller has to see to the writing.
func (s *Session) queue(frame []byte) bool {
	s.mutex.Lock()
	if s.ending {
		s.mutex.Unlock()
		return false
	}
	if s.waiting+len(frame) > s.gateway.config.WriteQueueBytes && s.waiting > 0 {
		s.empty()
		s.mutex.Unlock()
		s.gateway.metrics.Dropped.WithLabelValues(TooSlow.Reason).Inc()
		s.close(TooSlow)
		_ = s.conn.NetConn().SetWriteDeadline(time.Now()) // ends the write that hangs
		return false
	}
	s.outbox = append(s.outbox, frame)
	s.waiting += len(frame)
	s.gateway.metrics.WriterQueueBytes.Add(float64(len(frame)))
	start := !s.writing
	s.writing = true
	s.mutex.Unlock()
	return start
}

// flush writes the outbox until it is empty.
func (s *Session) flush() {
	for {
		s.mutex.Lock()
		frames := s.outbox
		s.empty()
		if len(frames) == 0 {
			s.writing = false
			s.mutex.Unlock()
			s.settle()
			return
		}
		s.mutex.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		for _, frame := range frames {
			if err := s.write(frame); err != nil {
				_ = s.conn.NetConn().Close() // the read loop ends and cleans up
			}
		}
	}
}

func (s *Session) write(frame []byte) error {
	above := s.gateway.config.CompressAbove
	if s.inflates && above > 0 && len(frame) > above {
		frame = deflate(frame)
	}
	kind := gws.OpcodeText
	if s.binary {
		kind = gws.OpcodeBinary
	}
	return s.conn.WriteMessage(kind, frame)
}

// empty takes everything out of the outbox; the caller holds the mutex.
func (s *Session) empty() {
	s.gateway.metrics.WriterQueueBytes.Sub(float64(s.waiting))
	s.outbox, s.waiting = nil, 0
}
