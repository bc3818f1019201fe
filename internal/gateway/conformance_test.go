package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The cases that suites for the WebSocket protocol have, in our own words (RFC 6455): what a client may do is answered,
// what it must not do ends its connection with the code that the standard has for it.

// bare is a connection without any library, so that nothing is mended on the way.
type bare struct {
	net.Conn
	from     *bufio.Reader
	response *http.Response
}

// dialBare makes the handshake of the standard's own example. What is given beside is sent with it, headers before the
// empty line, bytes behind it.
func dialBare(t *testing.T, s *Server, headers string, behind ...byte) *bare {
	t.Helper()
	socket, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	_ = socket.SetDeadline(time.Now().Add(20 * time.Second))
	request := fmt.Sprintf("GET /info?sdkappid=%d HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", s.AppID, headers)
	if _, err := socket.Write(append([]byte(request), behind...)); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(socket)
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &bare{socket, from, response}
}

// next reads a frame of the server's: its kind and payload, a close frame's code as a number. "end" is the stream's.
func (b *bare) next(t *testing.T) string {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(b.from, head[:]); err != nil {
		return "end"
	}
	length := uint64(head[1])
	switch head[1] {
	case 126, 127:
		wide := make([]byte, 2+6*(head[1]-126))
		if _, err := io.ReadFull(b.from, wide); err != nil {
			t.Fatal(err)
		}
		length = binary.BigEndian.Uint64(append(make([]byte, 8-len(wide)), wide...))
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(b.from, payload); err != nil {
		t.Fatal(err)
	}
	switch head[0] {
	case final | text:
		return string(payload)
	case final | closing:
		if len(payload) >= 2 {
			return fmt.Sprint("close ", binary.BigEndian.Uint16(payload))
		}
		return "close"
	case final | ping + 1:
		return "pong " + string(payload)
	}
	t.Fatalf("the server wrote a frame that begins with %x", head)
	return ""
}

// beat is a request of a size, and beaten its answer. What is given beside stands in it.
func beat(size int, more string) []byte {
	const around = `{"head":{"servcmd":"heartbeat.alive","seq":7},"body":{"x":""}}`
	fill := strings.Repeat("y", max(0, size-len(around)-len(more)))
	return []byte(strings.Replace(around, `""`, `"`+more+fill+`"`, 1))
}

const beaten = `{"head":{"servcmd":"heartbeat.alive","seq":7},"body":{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}}`

// cut makes a message of pieces, each of so many bytes.
func cut(kind byte, message []byte, size int) (pieces []piece) {
	for chunk := range slices.Chunk(message, size) {
		pieces = append(pieces, piece{first: kind, payload: chunk})
		kind = continuation
	}
	pieces[len(pieces)-1].first |= final
	return pieces
}

type protocolCase struct {
	name   string
	pieces []piece
	want   []string // the frames that come
}

func one(first byte, payload string) []piece {
	return []piece{{first: first, payload: []byte(payload)}}
}

// framingCases are sizes, with both ways to write a length, and kinds.
func framingCases() (cases []protocolCase) {
	for _, size := range []int{0, 125, 126, 127, 128, 4090, 4095, 4096, 4097, 4104, 8192, 65535, 65536, 65537, 262_144} {
		for _, kind := range []byte{text, binaryFrame} {
			whole := piece{first: final | kind, payload: beat(size, "")}
			wide := whole
			wide.wide = true
			cases = append(cases, protocolCase{fmt.Sprintf("%d bytes as %d", size, kind), []piece{whole, wide}, []string{beaten, beaten}},
				protocolCase{fmt.Sprintf("%d bytes as %d in pieces of 1,000", size, kind), cut(kind, whole.payload, 1000), []string{beaten}})
		}
	}
	for _, kind := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases,
			protocolCase{fmt.Sprint("kind ", kind), one(final|kind, ""), []string{"close 1002"}},
			protocolCase{fmt.Sprint("kind with a payload ", kind), one(final|kind, "x"), []string{"close 1002"}},
			protocolCase{fmt.Sprint("kind behind a message ", kind), append(one(final|text, string(beat(0, ""))), one(final|kind, "x")...), []string{"close 1002"}},
			protocolCase{fmt.Sprint("kind inside a message ", kind), append(one(text, "x"), one(final|kind, "x")...), []string{"close 1002"}})
	}
	for bits := byte(0x10); bits <= 0x70; bits += 0x10 {
		for _, kind := range []byte{text, binaryFrame, closing, ping, ping + 1} {
			cases = append(cases, protocolCase{fmt.Sprintf("reserved bits %x of kind %d", bits, kind), one(final|bits|kind, "x"), []string{"close 1002"}})
		}
		cases = append(cases, protocolCase{fmt.Sprintf("reserved bits %x of a continuation", bits),
			append(one(text, "x"), one(final|bits, "x")...), []string{"close 1002"}})
	}
	return append(cases,
		protocolCase{"one byte too many", one(final|text, string(beat(262_145, ""))), []string{"close 1009"}},
		protocolCase{"one byte too many in pieces", cut(text, beat(262_145, ""), 100_000), []string{"close 1009"}},
		protocolCase{"a length with its top bit set", []piece{{first: final | text, length: 1 << 63}}, []string{"close 1002"}},
		protocolCase{"not masked", []piece{{first: final | text, unmasked: true, payload: beat(0, "")}}, []string{"close 1002"}},
		protocolCase{"a ping that is not masked", []piece{{first: final | ping, unmasked: true, payload: []byte("x")}}, []string{"close 1002"}})
}

func controlCases() []protocolCase {
	long := strings.Repeat("z", 125)
	request := string(beat(0, ""))
	return []protocolCase{
		{"a ping", one(final|ping, ""), []string{"pong "}},
		{"a ping with a payload", one(final|ping, "hello"), []string{"pong hello"}},
		{"a ping with bytes of all kinds", one(final|ping, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), []string{"pong \x00\xff\xfe\xfd\xfc\xfb\x00\xff"}},
		{"a ping of 125 bytes", one(final|ping, long), []string{"pong " + long}},
		{"a ping of 126 bytes", one(final|ping, long+"z"), []string{"close 1002"}},
		{"a ping in pieces", append(one(ping, "x"), one(final|continuation, "y")...), []string{"close 1002"}},
		{"a pong nobody asked for", append(one(final|ping+1, "x"), one(final|text, request)...), []string{beaten}},
		{"a pong, then a ping", append(one(final|ping+1, "x"), one(final|ping, "y")...), []string{"pong y"}},
		{"a pong in pieces", one(ping+1, "x"), []string{"close 1002"}},
		{"a ping inside a message", append(append(one(text, request[:9]), one(final|ping, "x")...), one(final|continuation, request[9:])...), []string{"pong x", beaten}},
	}
}

func fragmentCases() []protocolCase {
	request := string(beat(300, ""))
	join := slices.Concat[[]piece]
	return []protocolCase{
		{"byte by byte", cut(text, []byte(request), 1), []string{beaten}},
		{"with empty pieces", join(one(text, ""), one(continuation, request), one(continuation, ""), one(final|continuation, "")), []string{beaten}},
		{"two messages", join(cut(text, []byte(request), 7), cut(binaryFrame, []byte(request), 9)), []string{beaten, beaten}},
		{"a continuation of nothing", one(final|continuation, request), []string{"close 1002"}},
		{"an open continuation of nothing", join(one(continuation, "x"), one(final|text, request)), []string{"close 1002"}},
		{"a continuation of a whole message", join(one(final|text, request), one(final|continuation, request)), []string{"close 1002"}},
		{"a text inside a text", join(one(text, request), one(final|text, request)), []string{"close 1002"}},
		{"a binary inside a text", join(one(text, request), one(binaryFrame, request)), []string{"close 1002"}},
		{"an empty message", one(final|text, ""), []string{"close 4400"}},
		{"an empty message in pieces", join(one(text, ""), one(final|continuation, "")), []string{"close 4400"}},
	}
}

func textCases() (cases []protocolCase) {
	const letters = "κόσμε \U0001D11E \uFFFF \U0010FFFF \u0000 \uD7FF é"
	valid := beat(0, strings.ReplaceAll(letters, "\x00", ""))
	for size := 1; size < 8; size++ {
		cases = append(cases, protocolCase{fmt.Sprint("letters in pieces of ", size), cut(text, valid, size), []string{beaten}})
	}
	for name, bad := range map[string]string{
		"a byte of no letter": "\xff", "half a letter": "\xce", "the second half": "\xba", "too long a form": "\xc0\xaf",
		"a longer one": "\xf0\x80\x80\xaf", "half of a pair": "\xed\xa0\x80", "a whole pair": "\xed\xa0\x80\xed\xb0\x80",
		"beyond the last": "\xf4\x90\x80\x80", "five bytes": "\xf8\x88\x80\x80\x80",
	} {
		message := beat(0, bad)
		cases = append(cases, protocolCase{name, one(final|text, string(message)), []string{"close 1007"}},
			protocolCase{name + " in pieces", cut(text, message, 1), []string{"close 1007"}})
	}
	return append(cases, protocolCase{"a text that ends inside a letter", one(final|text, "\xce"), []string{"close 1007"}})
}

func closeCases() (cases []protocolCase) {
	row := func(name, payload, want string) {
		cases = append(cases, protocolCase{"a close with " + name, append(one(final|closing, payload), one(final|text, string(beat(0, "")))...), []string{want}})
	}
	code := func(code uint16, reason string) string {
		return string(binary.BigEndian.AppendUint16(nil, code)) + reason
	}
	row("nothing", "", "close")
	row("half a code", "\x03", "close 1002")
	row("a reason", code(1000, "good bye, κόσμε"), "close 1000")
	row("the longest reason", code(1000, strings.Repeat("x", 123)), "close 1000")
	row("too long a reason", code(1000, strings.Repeat("x", 124)), "close 1002")
	row("a reason that is no UTF-8", code(1000, "\xce\xba\xe1"), "close 1007")
	for _, valid := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013} {
		row(fmt.Sprint(valid), code(valid, ""), "close 1000")
	}
	for _, own := range []uint16{3000, 3999, 4000, 4999} {
		row(fmt.Sprint(own), code(own, ""), fmt.Sprint("close ", own))
	}
	for _, wrong := range []uint16{0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		row(fmt.Sprint(wrong), code(wrong, ""), "close 1002")
	}
	return append(cases, protocolCase{"a close in pieces", one(closing, ""), []string{"close 1002"}},
		protocolCase{"a close inside a message", append(one(text, "x"), one(final|closing, code(1000, ""))...), []string{"close 1000"}})
}

// Each case twice: as the pieces come in one write, and byte by byte.
func TestConformance(t *testing.T) {
	s := start(t, magpietest.Set(t, "guest-frame-bytes", "262144"))
	cases := slices.Concat(framingCases(), controlCases(), fragmentCases(), textCases(), closeCases())
	for _, row := range cases {
		var all []byte
		for _, p := range row.pieces {
			all = append(all, p.bytes()...)
		}
		for _, size := range []int{len(all), 1} {
			if size == 1 && len(all) > 1000 {
				continue
			}
			b := dialBare(t, s, "")
			go func() {
				for chunk := range slices.Chunk(all, size) {
					if _, err := b.Write(chunk); err != nil {
						return
					}
				}
			}()
			for _, want := range row.want {
				got := b.next(t)
				if got == beaten && strings.HasPrefix(want, "close") {
					got = b.next(t) // the close frame may overtake the answer, or not
				}
				if got != want {
					t.Errorf("%s, %d bytes a write: got %.100q, want %q", row.name, size, got, want)
				}
			}
			if strings.HasPrefix(row.want[len(row.want)-1], "close") {
				if got := b.next(t); got != "end" {
					t.Errorf("%s: %.100q comes behind the close", row.name, got)
				}
			}
			b.Close()
		}
	}
}

// Of what a client offers at the handshake nothing is taken that would change the frames, so the bit of compressed frames
// stays reserved.
func TestConformanceOfHandshakes(t *testing.T) {
	s := start(t)
	for _, offer := range []string{"permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
		"permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=99", "x-unknown", "permessage-deflate, permessage-deflate; client_max_window_bits=9"} {
		b := dialBare(t, s, "Sec-WebSocket-Extensions: "+offer+"\r\nSec-WebSocket-Protocol: chat, superchat\r\n")
		h := b.response.Header
		if b.response.StatusCode != 101 || h.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" {
			t.Errorf("%s: answered %d %v", offer, b.response.StatusCode, h)
		}
		if h.Get("Sec-WebSocket-Extensions")+h.Get("Sec-WebSocket-Protocol") != "" {
			t.Errorf("%s: answered %v", offer, h)
		}
		packed := piece{first: final | 0x40 | text, payload: []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}}
		_, _ = b.Write(packed.bytes())
		if got := b.next(t); got != "close 1002" {
			t.Errorf("%s: a compressed frame is answered %q", offer, got)
		}
	}
	// Bytes that come with the handshake count.
	early := piece{first: final | text, payload: beat(0, "")}
	if got := dialBare(t, s, "", bytes.Repeat(early.bytes(), 2)...).next(t); got != beaten {
		t.Errorf("a request behind the handshake is answered %q", got)
	}
}
