package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// reader takes frames from a connection's bytes, by RFC 6455. A session borrows one, with a goroutine, while bytes come
// and inside of a message; only the session's goroutine uses it.
type reader struct {
	session *Session
	run     func()    // serve; made once, so that to start it allocates nothing
	until   time.Time // the deadline of the connection's Reads, or none
	message *incoming
	text    bool // the message is to be UTF-8

	start, end int // what is read of the buffer and not taken
	buffer     [readerBytes]byte
}

// readerBytes holds most requests whole; of a larger one the rest is read past it, straight into its place.
const readerBytes = 4 << 10

// reader lends a reader to a session.
func (g *Gateway) reader(s *Session) *reader {
	r, _ := g.readers.Get().(*reader)
	if r == nil {
		r = &reader{}
		r.run = r.serve
	}
	r.session = s
	return r
}

func (r *reader) recycle() {
	pool := &r.session.gateway.readers
	if r.message != nil {
		_ = r.message.Close()
	}
	r.session, r.message, r.until, r.start, r.end = nil, nil, time.Time{}, 0, 0
	pool.Put(r)
}

// violation is why a connection is ended by its bytes: a close code of the WebSocket standard, and words for it.
type violation struct {
	code uint16
	text string
}

func (v *violation) Error() string { return v.text }

var (
	errAsleep = errors.New("gateway: the session is asleep")
	errClosed = errors.New("gateway: the connection has had its last frame")
)

func unlawful(text string) error { return &violation{closeProtocol, text} }

// serve reads until the session falls asleep or its connection has ended.
func (r *reader) serve() {
	s := r.session
	err := r.frames()
	r.recycle()
	if errors.Is(err, errAsleep) {
		return
	}
	if why := (*violation)(nil); errors.As(err, &why) {
		s.endWith(newClose(Disconnect{why.code, why.text}))
	} else if errors.Is(err, io.EOF) {
		s.endWith(newClose(Disconnect{Code: closeNormal}))
	}
	s.ended()
	s.gateway.crew.done()
}

// frames reads one frame after the other. A fault of ours must cost its own connection only.
func (r *reader) frames() (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s := r.session
			s.gateway.log.Error("reading a frame panicked", telemetry.FieldPeer, s.address, telemetry.FieldError, fault,
				"stack", string(debug.Stack()))
			err = io.EOF
		}
	}()
	for err == nil {
		err = r.frame()
	}
	return err
}

// frame reads one frame and does what it says.
func (r *reader) frame() error {
	h, err := r.header()
	if err != nil {
		return err
	}
	if h.kind.control() {
		return r.control(h)
	}
	return r.data(h)
}

// header reads what stands before a payload.
func (r *reader) header() (h header, err error) {
	if err = r.wait(); err != nil {
		return h, err
	}
	if err = r.need(2); err != nil {
		return h, err
	}
	size := headerSize(r.buffer[r.start+1])
	if err = r.need(size); err != nil {
		return h, err
	}
	h = parseHeader(r.buffer[r.start : r.start+size])
	r.start += size
	return h, h.check(r.message != nil)
}

// need reads until the buffer has n bytes to take.
func (r *reader) need(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	r.end, r.start = copy(r.buffer[:], r.buffer[r.start:r.end]), 0
	for r.end < n {
		got, err := r.fill(r.buffer[r.end:])
		if r.end += got; err != nil && r.end < n {
			return err
		}
	}
	return nil
}

// fill is the connection's Read inside of a message, where a client may take its time.
func (r *reader) fill(p []byte) (int, error) {
	if err := r.unbound(); err != nil {
		return 0, err
	}
	return r.session.socket.Read(p)
}

// control reads a frame of WebSocket's own and answers it.
func (r *reader) control(h header) error {
	length := int(h.length)
	if err := r.need(length); err != nil {
		return err
	}
	payload := r.buffer[r.start : r.start+length]
	r.start += length
	unmask(payload, h.key)
	s := r.session
	s.heard()
	if h.kind != closeFrame && s.flooding() {
		return errClosed
	}
	switch h.kind {
	case pingFrame:
		s.answerPing(newControl(pongFrame, payload))
	case closeFrame:
		s.endWith(newControl(closeFrame, closeAnswer(payload)))
		return errClosed
	default: // a pong
	}
	return nil
}

// data reads a frame of a message, and hands the message over when it is whole.
func (r *reader) data(h header) error {
	m := r.message
	if m == nil {
		m = newIncoming()
		r.message, r.text = m, h.kind == textFrame
	}
	if h.kind == continuation && r.session.flooding() {
		return errClosed
	}
	if !r.session.takes(uint64(len(m.bytes)) + h.length) {
		return &violation{closeTooLarge, "message too large"}
	}
	if err := r.payload(m, h); err != nil {
		return err
	}
	if !h.final {
		return nil
	}
	if r.text && !utf8.Valid(m.bytes) {
		return &violation{closeInvalid, "text that is not UTF-8"}
	}
	r.message = nil
	r.session.receive(m)
	return nil
}

// payload appends a frame's payload to its message. The message grows as the bytes come: what a client only announces
// takes no memory.
func (r *reader) payload(m *incoming, h header) error {
	begin, left := len(m.bytes), int(h.length)
	took := min(left, r.end-r.start)
	m.bytes = append(m.bytes, r.buffer[r.start:r.start+took]...)
	r.start += took
	for left -= took; left > 0; {
		m.grow(left)
		room := m.bytes[len(m.bytes):min(len(m.bytes)+left, cap(m.bytes))]
		n, err := r.fill(room)
		m.bytes = m.bytes[:len(m.bytes)+n]
		if left -= n; err != nil && left > 0 {
			return err
		}
	}
	unmask(m.bytes[begin:], h.key)
	return nil
}

// closeAnswer is the payload of the close frame that answers a client's.
func closeAnswer(payload []byte) []byte {
	switch {
	case len(payload) == 0:
		return nil
	case len(payload) == 1, !mayClose(binary.BigEndian.Uint16(payload)):
		return binary.BigEndian.AppendUint16(nil, closeProtocol)
	case !utf8.Valid(payload[2:]):
		return binary.BigEndian.AppendUint16(nil, closeInvalid)
	case binary.BigEndian.Uint16(payload) < firstOwnCode:
		return binary.BigEndian.AppendUint16(nil, closeNormal)
	default:
		return bytes.Clone(payload[:2])
	}
}
