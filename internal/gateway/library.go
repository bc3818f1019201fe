package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// libraryConn is a session's connection in the eyes of the WebSocket library, which reads frames from it and makes the
// handshake. A close frame that the library writes by itself, for bytes that break the protocol or as the answer to the
// client's, takes its place in the outbox like every other frame (docs/adr/0002-websocket-library.md).
type libraryConn Session

func (c *libraryConn) session() *Session { return (*Session)(c) }

// Read implements [net.Conn].
func (c *libraryConn) Read(p []byte) (int, error) { return c.socket.Read(p) }

// Write implements [net.Conn]. After the handshake the library writes nothing but close frames, each in one call.
func (c *libraryConn) Write(p []byte) (int, error) {
	s := c.session()
	if s.handshaking() {
		return s.socket.Write(p)
	}
	s.endWith(&frame{raw: bytes.Clone(p)})
	return len(p), nil
}

// Close implements [net.Conn]. What waits to be written is written first.
func (c *libraryConn) Close() error {
	s := c.session()
	if s.handshaking() {
		return s.socket.Close()
	}
	s.mutex.Lock()
	s.phase = max(s.phase, ending)
	s.mutex.Unlock()
	s.settle()
	return nil
}

// LocalAddr implements [net.Conn].
func (c *libraryConn) LocalAddr() net.Addr { return c.socket.LocalAddr() }

// RemoteAddr implements [net.Conn].
func (c *libraryConn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// SetDeadline implements [net.Conn].
func (c *libraryConn) SetDeadline(t time.Time) error { return c.socket.SetDeadline(t) }

// SetReadDeadline implements [net.Conn].
func (c *libraryConn) SetReadDeadline(t time.Time) error { return c.socket.SetReadDeadline(t) }

// SetWriteDeadline implements [net.Conn].
func (c *libraryConn) SetWriteDeadline(t time.Time) error { return c.socket.SetWriteDeadline(t) }

// takeover hands the library a session's view of the connection in place of the connection that net/http has.
type takeover struct {
	http.ResponseWriter
	session *Session
}

var errNoTakeover = errors.New("gateway: the connection cannot be taken over")

// Hijack implements [http.Hijacker].
func (t takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := t.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errNoTakeover
	}
	socket, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.session.socket = socket
	return (*libraryConn)(t.session), buffered, nil
}

// readLoop reads frames until the connection ends. It recovers because the library panics on a frame whose length has
// its top bit set, and one client's bytes must not end the server (docs/adr/0002-websocket-library.md).
func (s *Session) readLoop(conn *gws.Conn) {
	defer s.gateway.crew.done()
	defer s.ended()
	defer func() {
		if fault := recover(); fault != nil {
			s.gateway.log.Warn("frame reader panicked", telemetry.FieldPeer, s.address, telemetry.FieldError, fault)
			_ = s.socket.Close()
		}
	}()
	conn.ReadLoop()
}

// handler is what the library tells. Its connections are made of a *libraryConn each.
type handler struct{ gws.BuiltinEventHandler }

func sessionOf(c *gws.Conn) *Session { return c.NetConn().(*libraryConn).session() }

func (handler) OnPing(c *gws.Conn, payload []byte) {
	s := sessionOf(c)
	s.heard()
	s.answerPing(newControl(gws.OpcodePong, payload))
}

func (handler) OnPong(c *gws.Conn, _ []byte) { sessionOf(c).heard() }

func (handler) OnMessage(c *gws.Conn, m *gws.Message) { sessionOf(c).receive(m) }

// noStorage satisfies the library's interface for data kept with a connection.
type noStorage struct{}

func (noStorage) Len() int                     { return 0 }
func (noStorage) Load(string) (any, bool)      { return nil, false }
func (noStorage) Delete(string)                {}
func (noStorage) Store(string, any)            {}
func (noStorage) Range(func(string, any) bool) {}
