package gateway

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/wire"
)

// head is what the gateway reads of a request's head (docs/protocol/wire.md#envelope). Seq is echoed as it came.
type head struct {
	Servcmd    string   `json:"servcmd"`
	Seq        wire.Raw `json:"seq"`
	Identifier string   `json:"identifier"`
	UserSig    string   `json:"usersig"`
	Token      string   `json:"a2"`
}

// request is a request as it came, and what a session notes of it while it is served.
type request struct {
	Head head     `json:"head"`
	Body wire.Raw `json:"body"`

	call command.Call
	turn turn
	sync syncing
}

// maxSeqBytes bounds the sequence that is echoed; clients send at most ten digits.
const maxSeqBytes = 24

var errNoRequest = errors.New("gateway: no request: want head.servcmd and head.seq")

// decode reads a frame.
func decode(frame []byte) (*request, error) {
	r := &request{}
	if err := wire.Unmarshal(frame, r); err != nil {
		return nil, err
	}
	kind := r.Head.Seq.Kind()
	if r.Head.Servcmd == "" || (kind != '0' && kind != '"') || len(r.Head.Seq) > maxSeqBytes {
		return nil, errNoRequest
	}
	return r, nil
}

// encode writes a reply: the request's command and sequence, by which clients find it, and the body.
func encode(h *head, body []byte) []byte {
	name, err := wire.Marshal(h.Servcmd)
	if err != nil {
		name = []byte(`""`)
	}
	frame := make([]byte, 0, len(name)+len(h.Seq)+len(body)+40)
	frame = append(frame, `{"head":{"servcmd":`...)
	frame = append(frame, name...)
	frame = append(frame, `,"seq":`...)
	frame = append(frame, h.Seq...)
	frame = append(frame, `},"body":`...)
	frame = append(frame, body...)
	return append(frame, '}')
}

// compressedMark begins a frame whose rest is a gzip stream (docs/protocol/wire.md#frames).
const compressedMark = "COMP"

// deflate compresses a frame, or returns it as it is when that does not make it shorter.
func deflate(frame []byte) []byte {
	packed := make(buffer, 0, len(frame)/2)
	packed = append(packed, compressedMark...)
	z := zippers.Get().(*gzip.Writer) // the pool makes nothing else
	defer zippers.Put(z)
	z.Reset(&packed)
	if _, err := z.Write(frame); err != nil {
		return frame
	}
	if err := z.Close(); err != nil || len(packed) >= len(frame) {
		return frame
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
