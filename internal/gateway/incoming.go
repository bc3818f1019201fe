package gateway

import "sync"

// incoming is one WebSocket message as a client sent it, whole and unmasked. Its user closes it; until then its bytes stay.
type incoming struct{ bytes []byte }

const (
	// incomingBytes holds a usual request.
	incomingBytes = 1 << 10
	// keepIncoming is the largest buffer that is used again.
	keepIncoming = 32 << 10
)

// incomings is shared because few connections have a request at the same moment.
var incomings = sync.Pool{New: func() any { return &incoming{bytes: make([]byte, 0, incomingBytes)} }}

func newIncoming() *incoming { return incomings.Get().(*incoming) } // the pool makes nothing else

// Bytes is what the client sent.
func (m *incoming) Bytes() []byte { return m.bytes }

// Close gives the buffer back; the error is always nil.
func (m *incoming) Close() error {
	if cap(m.bytes) <= keepIncoming {
		m.bytes = m.bytes[:0]
		incomings.Put(m)
	}
	return nil
}

// grow makes room for more, of which left bytes are to come: for as many as have come already, and at least some.
func (m *incoming) grow(left int) {
	if len(m.bytes) < cap(m.bytes) {
		return
	}
	more := min(left, max(len(m.bytes), incomingBytes))
	bytes := make([]byte, len(m.bytes), len(m.bytes)+more)
	copy(bytes, m.bytes)
	m.bytes = bytes
}
