package gateway

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// enqueue hands a frame to the connection's writer; it never waits. A client that does not read fast enough is
// disconnected with TooSlow: when it is back it pulls what it missed, so nothing is lost in silence.
func (s *Session) enqueue(frame []byte) {
	s.mutex.Lock()
	next := s.queue(frame)
	s.mutex.Unlock()
	s.after(next)
}

// reply is enqueue for a goroutine that may as well write itself.
func (s *Session) reply(frame []byte) {
	s.mutex.Lock()
	next := s.queue(frame)
	s.mutex.Unlock()
	if next == startWriting {
		s.flush()
		return
	}
	s.after(next)
}

// todo is what is to be done, without the mutex, after frames were queued.
type todo int

const (
	nothing      todo = iota
	startWriting      // nobody is writing yet
	giveUp            // the client is too far behind
)

// queue takes a frame; the caller holds the mutex and then sees to what is to be done.
func (s *Session) queue(frame []byte) todo {
	if s.ending {
		return nothing
	}
	if s.waiting+len(frame) > s.gateway.config.WriteQueueBytes && s.waiting > 0 {
		s.empty()
		return giveUp
	}
	s.outbox = append(s.outbox, frame)
	s.waiting += len(frame)
	s.gateway.metrics.WriterQueueBytes.Add(float64(len(frame)))
	if s.writing {
		return nothing
	}
	s.writing = true
	return startWriting
}

func (s *Session) after(next todo) {
	switch next {
	case startWriting:
		s.gateway.running.Add(1)
		go func() {
			defer s.gateway.running.Done()
			s.flush()
		}()
	case giveUp:
		s.gateway.metrics.Dropped.WithLabelValues(TooSlow.Reason).Inc()
		s.close(TooSlow)
		_ = s.conn.NetConn().SetWriteDeadline(time.Now()) // ends the write that hangs
	}
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
		if err := s.write(frames); err != nil {
			_ = s.conn.NetConn().Close() // the read loop ends and cleans up
		}
	}
}

// joinUpTo is how many bytes of waiting frames go out in one write.
const joinUpTo = 32 << 10

// write puts frames on the wire, those that wait together joined in one write. It goes past the library, whose writer
// takes one frame at a time: a write on the connection is whole or fails, so it does not mix with the library's own
// control frames (docs/adr/0002-websocket-library.md).
func (s *Session) write(frames [][]byte) error {
	kind, above := gws.OpcodeText, s.gateway.config.CompressAbove
	if s.binary {
		kind = gws.OpcodeBinary
	}
	joined := joins.Get().(*buffer)
	defer joins.Put(joined)
	*joined = (*joined)[:0]
	for i, frame := range frames {
		if s.inflates && above > 0 && len(frame) > above {
			frame = deflate(frame)
		}
		*joined = append(appendHeader(*joined, kind, len(frame)), frame...)
		if len(*joined) < joinUpTo && i < len(frames)-1 {
			continue
		}
		if err := s.send(*joined); err != nil {
			return err
		}
		*joined = (*joined)[:0]
	}
	return nil
}

func (s *Session) send(bytes []byte) error {
	conn := s.conn.NetConn()
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := conn.Write(bytes)
	return err
}

// joins is shared because a connection writes seldom. Its buffers are as large as the largest write was, which the
// bound on a session's queue bounds too.
var joins = sync.Pool{New: func() any { return new(buffer) }}

// appendHeader writes a WebSocket frame's header: final, of one piece, not masked, as a server's frames are (RFC 6455
// section 5.2).
func appendHeader(to []byte, kind gws.Opcode, length int) []byte {
	const final, length16, length64 = 0x80, 126, 127
	to = append(to, final|byte(kind))
	switch {
	case length < length16:
		return append(to, byte(length))
	case length <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(to, length16), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(to, length64), uint64(length))
	}
}

// empty takes everything out of the outbox; the caller holds the mutex.
func (s *Session) empty() {
	s.gateway.metrics.WriterQueueBytes.Sub(float64(s.waiting))
	s.outbox, s.waiting = nil, 0
}
