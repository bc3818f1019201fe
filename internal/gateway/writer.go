package gateway

import (
	"sync"
	"time"
)

// joinUpTo is how many bytes of waiting frames go out in one write.
const joinUpTo = 32 << 10

// write puts frames on the wire. One that waits alone is written as it is; those that wait together are joined, up to a
// size, because a write costs more than a copy.
func (s *Session) write(frames []*frame) error {
	above := s.gateway.config.CompressAbove
	if len(frames) == 1 {
		return s.send(frames[0].wire(s.variant, above))
	}
	joined := joins.Get().(*buffer) // the pool makes nothing else
	defer joins.Put(joined)
	*joined = (*joined)[:0]
	for i, f := range frames {
		bytes := f.wire(s.variant, above)
		alone := len(*joined) == 0 && (len(bytes) >= joinUpTo || i == len(frames)-1)
		if !alone {
			*joined = append(*joined, bytes...)
			bytes = *joined
		}
		if len(bytes) < joinUpTo && i < len(frames)-1 {
			continue
		}
		if err := s.send(bytes); err != nil {
			return err
		}
		*joined = (*joined)[:0]
	}
	return nil
}

// joins is shared because a connection writes seldom. Its buffers are as large as the largest write was, which the
// bound on a session's queue bounds too.
var joins = sync.Pool{New: func() any { return new(buffer) }}

// send writes bytes past the WebSocket library, whose writer takes one frame at a time.
func (s *Session) send(bytes []byte) error {
	if err := s.allowWrite(); err != nil {
		return err
	}
	_, err := s.socket.Write(bytes)
	return err
}

// allowWrite gives the next write its time, for the deadline of the last one is long over on a connection that was quiet.
// Once the connection is to end, the deadline stays that was set then.
func (s *Session) allowWrite() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.phase >= ending {
		return nil
	}
	return s.socket.SetWriteDeadline(time.Now().Add(s.gateway.writeTimeout))
}
