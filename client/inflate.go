package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// compressed marks a frame whose rest is a gzip or zlib stream of the JSON.
const compressed = "COMP"

// inflaters keeps decompressors, 40 KB each, from frame to frame and across clients. It is a cache, not state: a
// connection of its own could not afford one.
var inflaters = sync.Pool{New: func() any { return new(inflater) }}

type inflater struct {
	src  bytes.Reader
	gzip *gzip.Reader
	zlib io.ReadCloser
	out  bytes.Buffer
}

// withPlain calls use with the frame's JSON, which is lent for the call, inflating it first when it is compressed. It
// fails with ErrTooLarge rather than hold more than most bytes.
func withPlain(frame []byte, most int, use func([]byte)) error {
	if len(frame) < len(compressed) || string(frame[:len(compressed)]) != compressed {
		use(frame)
		return nil
	}
	f := inflaters.Get().(*inflater)
	defer f.release()
	plain, err := f.inflate(frame[len(compressed):], most)
	if err != nil {
		return fmt.Errorf("inflate frame: %w", err)
	}
	use(plain)
	return nil
}

func (f *inflater) inflate(data []byte, most int) ([]byte, error) {
	f.src.Reset(data)
	f.out.Reset()
	stream, err := f.open(data)
	if err != nil {
		return nil, err
	}
	if _, err = f.out.ReadFrom(io.LimitReader(stream, int64(most)+1)); err != nil {
		return nil, err
	}
	if f.out.Len() > most {
		return nil, ErrTooLarge
	}
	return f.out.Bytes(), nil
}

// open starts the stream, telling the two kinds apart by gzip's first two bytes.
func (f *inflater) open(data []byte) (io.Reader, error) {
	if len(data) < 2 {
		return nil, errors.New("no stream")
	}
	if data[0] == 0x1f && data[1] == 0x8b {
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		return f.gzip, f.gzip.Reset(&f.src)
	}
	if f.zlib == nil {
		stream, err := zlib.NewReader(&f.src)
		f.zlib = stream
		return stream, err
	}
	return f.zlib, f.zlib.(zlib.Resetter).Reset(&f.src, nil)
}

// release gives the inflater back, without the buffer of an unusually large frame.
func (f *inflater) release() {
	const keep = 64 << 10
	if f.out.Cap() > keep {
		f.out = bytes.Buffer{}
	}
	f.src.Reset(nil)
	inflaters.Put(f)
}
