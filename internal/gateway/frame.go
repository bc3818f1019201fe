package gateway

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/wire"
)

// variant is the form in which a connection takes its frames. It is settled by the connection's address
// (docs/protocol/wire.md#frames).
type variant uint8

const (
	inflating variant = iota // binary frames, the large ones compressed
	plain                    // binary frames
	textual                  // text frames
	variants                 // their number
)

func variantOf(binary, inflates bool) variant {
	switch {
	case !binary:
		return textual
	case inflates:
		return inflating
	default:
		return plain
	}
}

func (v variant) opcode() opcode {
	if v == textual {
		return textFrame
	}
	return binaryFrame
}

// frame is one message to clients. Its bytes on the wire, header and payload, are made when the first session writes
// them, once for each variant; all sessions share them, so they never change.
type frame struct {
	payload []byte         // what clients read
	brings  event.Sequence // of a push that brings a message
	raw     []byte         // the bytes on the wire, of a frame that is for one session only
	live    *livePush      // of a push of a live room: it is for so many that it is worth more work to make it short

	making sync.Mutex
	wires  [variants]atomic.Pointer[[]byte]
}

// size is what a frame counts in an outbox: its bytes before compression.
func (f *frame) size() int { return len(f.payload) }

// wire returns the bytes to write. above is the payload's size above which it is compressed for clients that inflate; 0
// never compresses.
func (f *frame) wire(v variant, above int) []byte {
	if f.raw != nil {
		return f.raw
	}
	if made := f.wires[v].Load(); made != nil {
		return *made
	}
	f.making.Lock()
	defer f.making.Unlock()
	return f.make(v, above)
}

// make is wire for the holder of the mutex.
func (f *frame) make(v variant, above int) []byte {
	if made := f.wires[v].Load(); made != nil {
		return *made
	}
	var bytes []byte
	if packed, shorter := f.pack(v, above); shorter {
		bytes = enframe(v.opcode(), packed)
	} else if v == inflating {
		bytes = f.make(plain, above)
	} else {
		bytes = enframe(v.opcode(), f.payload)
	}
	f.wires[v].Store(&bytes)
	return bytes
}

func (f *frame) pack(v variant, above int) (packed []byte, shorter bool) {
	if f.live == nil || v != inflating || above == 0 || len(f.payload) <= above {
		return pack(v, f.payload, above)
	}
	packed = deflateBy(&tightZippers, f.payload)
	return packed, len(packed) < len(f.payload)
}

// pack compresses a payload if the variant has it so and it gets shorter.
func pack(v variant, payload []byte, above int) (packed []byte, shorter bool) {
	if v != inflating || above == 0 || len(payload) <= above {
		return nil, false
	}
	packed = deflate(payload)
	return packed, len(packed) < len(payload)
}

// headerRoom is the largest size of a frame's header.
const headerRoom = 10

// newReply makes the frame of a reply for one session: the request's command and sequence, by which clients find it, and
// the body.
func newReply(v variant, above int, h *head, body []byte) *frame {
	const around = 60
	room := make([]byte, headerRoom, headerRoom+around+len(h.Servcmd)+len(h.Seq)+len(body))
	room = encode(room, h, body)
	payload := room[headerRoom:]
	if packed, shorter := pack(v, payload, above); shorter {
		return &frame{payload: payload, raw: enframe(v.opcode(), packed)}
	}
	// The header ends where the payload begins, so that the payload is not copied.
	var header [headerRoom]byte
	length := len(appendHeader(header[:0], v.opcode(), len(payload)))
	copy(room[headerRoom-length:], header[:length])
	return &frame{payload: payload, raw: room[headerRoom-length:]}
}

// newControl makes a frame of WebSocket's own.
func newControl(kind opcode, payload []byte) *frame {
	raw := enframe(kind, payload)
	return &frame{payload: raw[len(raw)-len(payload):], raw: raw}
}

// newClose makes the frame that ends a connection (RFC 6455 section 5.5.1).
func newClose(why Disconnect) *frame {
	return newControl(closeFrame, append(binary.BigEndian.AppendUint16(nil, why.Code), why.Reason...))
}

// encode appends a reply to a buffer.
func encode(to []byte, h *head, body []byte) []byte {
	name, err := wire.Marshal(h.Servcmd)
	if err != nil {
		name = []byte(`""`)
	}
	to = append(to, `{"head":{"servcmd":`...)
	to = append(to, name...)
	to = append(to, `,"seq":`...)
	to = append(to, h.Seq...)
	to = append(to, `},"body":`...)
	to = append(to, body...)
	return append(to, '}')
}

// enframe puts a header before a payload.
func enframe(kind opcode, payload []byte) []byte {
	bytes := make([]byte, 0, headerRoom+len(payload))
	return append(appendHeader(bytes, kind, len(payload)), payload...)
}

// appendHeader writes a WebSocket frame's header: final, of one piece, not masked, as a server's frames are (RFC 6455
// section 5.2).
func appendHeader(to []byte, kind opcode, length int) []byte {
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

// compressedMark begins a frame whose rest is a gzip stream (docs/protocol/wire.md#frames).
const compressedMark = "COMP"

// deflate compresses a payload, or returns it as it is when that does not make it shorter.
func deflate(payload []byte) []byte { return deflateBy(&zippers, payload) }

func deflateBy(pool *sync.Pool, payload []byte) []byte {
	packed := make(buffer, 0, len(payload)/2)
	packed = append(packed, compressedMark...)
	z := pool.Get().(*gzip.Writer) // the pools make nothing else
	defer pool.Put(z)
	z.Reset(&packed)
	if _, err := z.Write(payload); err != nil {
		return payload
	}
	if err := z.Close(); err != nil || len(packed) >= len(payload) {
		return payload
	}
	return packed
}

type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// zippers is shared because one holds hundreds of kilobytes.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for an unknown level only
	return z
}}

// tightZippers compress what goes to many.
var tightZippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.DefaultCompression) // fails for an unknown level only
	return z
}}
