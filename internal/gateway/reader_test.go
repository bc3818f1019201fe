package gateway

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/iotest"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// stream is a connection from which bytes come, and to which nothing is written.
type stream struct {
	net.Conn
	from io.Reader
}

func (s *stream) Read(p []byte) (int, error)       { return s.from.Read(p) }
func (s *stream) Write(p []byte) (int, error)      { return len(p), nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }
func (s *stream) Close() error                     { return nil }

// ends reads a stream to its end and says how it ended. Requests are read and not served.
func ends(g *Gateway, from io.Reader) string {
	s := &Session{gateway: g, socket: &stream{from: from}, phase: leaving}
	r := g.reader(s)
	err := r.frames()
	r.recycle()
	if why := (*violation)(nil); errors.As(err, &why) {
		return why.Error()
	}
	return err.Error()
}

// Whatever bytes come: the connection ends as the standard says, the same however the bytes are cut, and nothing panics.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "\x82", "\x82\x80", "\x82\x80\x00\x00\x00\x00", "\x82\x85\x01\x02\x03\x04abcde", "\x02\x81\x00\x00\x00\x00a\x89\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00b",
		"\x81\x81\x00\x00\x00\x00\xff", "\x88\x82\x00\x00\x00\x00\x03\xe8", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", "\x82\xfe\x00\x10\x00\x00\x00\x000123456789abcdef",
		"\xf2\x80\x00\x00\x00\x00", "\x82\x00",
	} {
		f.Add([]byte(seed))
	}
	g := openRoom(f, 0, anyVariant).gateway
	g.clock = clock.NewManual(time.Now()).Clock()
	g.config.CommandsPerSecond = 0
	f.Fuzz(func(t *testing.T, input []byte) {
		whole, bytewise := ends(g, bytes.NewReader(input)), ends(g, iotest.OneByteReader(bytes.NewReader(input)))
		if whole != bytewise {
			t.Fatalf("%q ends with %q, byte by byte with %q", input, whole, bytewise)
		}
	})
}

// A payload is unmasked in words and in bytes, at every length.
func TestUnmask(t *testing.T) {
	key := [keyBytes]byte{0x11, 0xa2, 0x33, 0xf4}
	for length := range 70 {
		plain, masked := make([]byte, length), make([]byte, length)
		for i := range plain {
			plain[i] = byte(rand.Uint32())
			masked[i] = plain[i] ^ key[i%keyBytes]
		}
		if unmask(masked, key); !bytes.Equal(plain, masked) {
			t.Fatalf("%d bytes: %x, want %x", length, masked, plain)
		}
	}
}
