package gateway_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told by bare connections, well-behaved and hostile, to a running server. What happens on a
// connection does not depend on the database, so most are told on SQLite only; those about sessions, on both.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a bare connection.
	Conn = magpietest.Conn
)

// start starts a server on which alice and bob have accounts, beside those of other tests.
func start(t *testing.T, with ...magpietest.Option) *Server {
	t.Helper()
	t.Parallel()
	s := magpietest.Start(t, with...)
	s.Import(t, "alice", "bob")
	return s
}

// story runs a scenario on both databases in which alice and bob have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server), with ...magpietest.Option) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		tell(t, s)
	}, with...)
}

// wantClosed waits for the server to close the connection, with this reason.
func wantClosed(t *testing.T, c *Conn, why gateway.Disconnect) {
	t.Helper()
	if got := c.Closed(t); got != told(why) {
		t.Errorf("closed with %q, want %q", got, told(why))
	}
}

// timedStory is story with a clock that the story moves.
func timedStory(t *testing.T, tell func(t *testing.T, s *Server, m *clock.Manual)) {
	t.Helper()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			m := clock.NewManual(time.Now())
			with := []magpietest.Option{magpietest.Clock(m)}
			if database == "postgres" {
				with = append(with, magpietest.Database(dbtest.URL(t)))
			}
			s := magpietest.Start(t, with...)
			s.Import(t, "alice", "bob")
			tell(t, s, m)
		})
	}
}

// alive shows that alice and bob, on connections of their own, are served as ever. Once they have logged in, it does what
// is given, such as moving the clock, without which pushes would be held back.
func alive(t *testing.T, s *Server, then ...func()) {
	t.Helper()
	alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
	for _, do := range then {
		do()
	}
	alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "still here"), nil)
	bob.Sees(t, "alice → bob: still here")
	alice.Close()
	bob.Close()
}

// piece is a frame as a client may write it, right or wrong.
type piece struct {
	first    byte // final bit, reserved bits and opcode
	unmasked bool
	length   uint64 // what the header says; the payload's own when zero
	wide     bool   // the length in eight bytes
	payload  []byte
}

const (
	final    = 0x80
	reserved = 0x40
)

func (p piece) bytes() []byte {
	mask := byte(0x80)
	if p.unmasked {
		mask = 0
	}
	length := p.length
	if length == 0 {
		length = uint64(len(p.payload))
	}
	frame := []byte{p.first}
	switch {
	case p.wide || length > 65535:
		frame = binary.BigEndian.AppendUint64(append(frame, mask|127), length)
	case length > 125:
		frame = binary.BigEndian.AppendUint16(append(frame, mask|126), uint16(length))
	default:
		frame = append(frame, mask|byte(length))
	}
	if p.unmasked {
		return append(frame, p.payload...)
	}
	key := []byte{1, 2, 3, 4}
	frame = append(frame, key...)
	for i, b := range p.payload {
		frame = append(frame, b^key[i%4])
	}
	return frame
}

// write puts bytes on the stream; the server may have closed it already.
func write(t *testing.T, c *Conn, pieces ...piece) {
	t.Helper()
	for _, p := range pieces {
		_, _ = c.Raw().Write(p.bytes())
	}
}

const text, binaryFrame, continuation, closing, ping = byte(gws.OpcodeText), byte(gws.OpcodeBinary), byte(gws.OpcodeContinuation),
	byte(gws.OpcodeCloseConnection), byte(gws.OpcodePing)

// metric reads the lines of a node's metrics that hold a text.
func metric(t *testing.T, s *Server, part string) string {
	t.Helper()
	response, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(page)) {
		if strings.Contains(line, part) && line[0] != '#' {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return strings.Join(found, "\n")
}

// told is how Conn.Closed gives a reason.
func told(why gateway.Disconnect) string { return fmt.Sprintf("%d %s", why.Code, why.Reason) }

// codeOf is the error code of a reply.
func codeOf(t *testing.T, body []byte) int {
	t.Helper()
	var e magpietest.Envelope
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return e.ErrorCode
}

// historyOf is the newest page of a chat in the viewer's eyes.
func historyOf(t *testing.T, s *Server, viewer, peer string) []magpietest.Item {
	t.Helper()
	var page struct{ MsgList []json.RawMessage }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0,
		"MaxTime": 4_000_000_000}, &page)
	items := []magpietest.Item{}
	for _, raw := range page.MsgList {
		items = append(items, magpietest.ReadItem(t, raw))
	}
	return items
}
