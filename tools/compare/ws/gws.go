package main

import (
	"net"
	"net/http"
	"sync"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/lxzan/gws"
)

func init() {
	libraries["gws"] = func(o options) (library, error) { return newGWS(o), nil }
	libraries["gws-default"] = func(options) (library, error) {
		return &gwsLib{up: gws.NewUpgrader(echoer{}, nil), inHandler: true}, nil
	}
	libraries["gws-broadcast"] = func(o options) (library, error) {
		l := newGWS(o)
		l.broadcast = true
		return l, nil
	}
	libraries["gws-norecover"] = func(o options) (library, error) {
		l := newGWS(o)
		l.bare = true
		return l, nil
	}
	libraries["gws-lazy"] = func(o options) (library, error) {
		o.readBuf = 16
		l := newGWS(o)
		l.lazy = true
		return l, nil
	}
}

type gwsLib struct {
	up        *gws.Upgrader
	inHandler bool // the loop keeps net/http's goroutine, and with it the request and both its buffers
	broadcast bool // fan out by gws.Broadcaster instead of a frame of our own
	lazy      bool // borrow the read buffer, see lazy.go
	bare      bool // nothing recovers a panic of the library
}

// newGWS is the tuned one.
func newGWS(o options) *gwsLib {
	return &gwsLib{up: gws.NewUpgrader(echoer{}, &gws.ServerOption{
		ReadBufferSize:     o.readBuf,
		ReadMaxPayloadSize: maxFrame,
		ParallelGolimit:    1, // a channel of this size is made for every connection, used or not
		NewSession:         func() gws.SessionStorage { return noSession{} },
		CheckUtf8Enabled:   true,
		HandshakeTimeout:   5 * time.Second,
	})}
}

func (l *gwsLib) upgrade(w http.ResponseWriter, r *http.Request, joined func(peer)) error {
	if l.lazy {
		w = hijackLazily{w}
	}
	c, err := l.up.Upgrade(w, r)
	if err != nil {
		return err
	}
	joined(c)
	if l.inHandler {
		c.ReadLoop()
		return nil
	}
	if l.bare {
		go c.ReadLoop()
	} else {
		go readGWS(c)
	}
	return nil
}

// readGWS must recover: version 1.8.9 panics on a frame whose 64-bit length has the top bit set, and here nobody
// above catches it. The library cleans up nothing after a panic.
func readGWS(c *gws.Conn) {
	defer func() {
		if recover() != nil {
			_ = c.NetConn().Close()
		}
	}()
	c.ReadLoop()
}

func (l *gwsLib) prepare(payload []byte) message {
	if l.broadcast {
		return &broadcast{gws.NewBroadcaster(gws.OpcodeBinary, payload)}
	}
	return compile(payload)
}

// echoer is called on the connection's read goroutine.
type echoer struct{ gws.BuiltinEventHandler }

func (echoer) OnMessage(c *gws.Conn, m *gws.Message) {
	_ = c.WriteMessage(m.Opcode, m.Bytes())
	_ = m.Close()
}

// OnPing overrides a handler that does not answer.
func (echoer) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

// noSession replaces the map that gws gives every connection.
type noSession struct{}

func (noSession) Len() int                               { return 0 }
func (noSession) Load(string) (any, bool)                { return nil, false }
func (noSession) Delete(string)                          {}
func (noSession) Store(string, any)                      {}
func (noSession) Range(func(key string, value any) bool) {}

type broadcast struct{ b *gws.Broadcaster }

func (b *broadcast) writeTo(p peer) error { return b.b.Broadcast(p.(*gws.Conn)) }

// close waits by queueing behind the frame on every connection.
func (b *broadcast) close(peers []peer) {
	_ = b.b.Close()
	var wait sync.WaitGroup
	wait.Add(len(peers))
	for _, p := range peers {
		p.(*gws.Conn).Async(wait.Done)
	}
	wait.Wait()
}

// frame is header and payload in one slice, shared by all: a server's frames are not masked. A write on the net.Conn
// is whole or fails, so it cannot mix with a control frame that the library writes.
type frame []byte

func compile(payload []byte) frame {
	return gobwas.MustCompileFrame(gobwas.NewBinaryFrame(payload))
}

func (f frame) writeTo(p peer) error {
	c, ok := p.(net.Conn)
	if !ok {
		c = p.(*gws.Conn).NetConn()
	}
	_, err := c.Write(f)
	return err
}

func (frame) close([]peer) {}
