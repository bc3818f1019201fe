package gateway

import (
	"bytes"
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Session is one live connection. It serves the connection's requests one after the other, in the order in which they
// came, so that two messages sent one after the other are stored in that order. A request that waits for something
// outside the server does not hold up the others; see turn.
type Session struct {
	noStorage
	gateway  *Gateway
	conn     *gws.Conn
	number   uint64
	app      im.AppID
	platform im.Platform
	address  string
	binary   bool
	inflates bool
	seen     atomic.Int64 // unix second of the last bytes received

	mutex sync.Mutex
	// device is who is logged in here; nil before login and after logout.
	device *device.Device
	// kicked is why the device was told to log out, until it confirms; kickedAt is when.
	kicked   device.KickType
	kickedAt time.Time

	inbox []*gws.Message
	room  chan struct{} // closed when a full inbox has room again; nil when nobody waits for it
	line  *turn         // the first of the requests that stepped aside and are not answered

	// holding keeps pushes back until the client has pulled; see hold.
	holding *held

	outbox  [][]byte
	waiting int  // bytes in outbox
	working bool // a lane goroutine is serving the inbox
	writing bool // a goroutine is writing the outbox
	leaving bool // no more requests are taken; closed when those under way are answered
	ending  bool // no more requests are served
	over    bool // the last byte was read, and what belonged to the login is cleaned up

	second  int64 // of the rate limit
	counted int
}

// inboxFrames bounds the requests that wait in one connection. A client that sends faster is not read until there is
// room, which holds up nobody else.
const inboxFrames = 64

// callTimeout bounds one request; clients give up after 15 seconds.
const callTimeout = 15 * time.Second

// writeTimeout bounds one write to a client that does not read.
const writeTimeout = 10 * time.Second

// readLoop reads frames until the connection ends. It recovers because the library panics on a frame whose length has
// its top bit set, and one client's bytes must not end the server (docs/adr/0002-websocket-library.md).
func (s *Session) readLoop() {
	defer s.gateway.running.Done()
	defer s.ended()
	defer func() {
		if fault := recover(); fault != nil {
			s.gateway.log.Warn("frame reader panicked", telemetry.FieldPeer, s.address, telemetry.FieldError, fault)
			_ = s.conn.NetConn().Close()
		}
	}()
	s.conn.ReadLoop()
}

// handler is the library's view of all sessions. NewSession makes every connection's storage a *Session.
type handler struct{ gws.BuiltinEventHandler }

func (handler) OnPing(c *gws.Conn, payload []byte) {
	s := c.Session().(*Session)
	s.heard()
	s.allowWrite()
	_ = c.WritePong(payload)
}

func (handler) OnPong(c *gws.Conn, _ []byte) {
	c.Session().(*Session).heard()
}

func (handler) OnMessage(c *gws.Conn, m *gws.Message) {
	c.Session().(*Session).receive(m)
}

// allowWrite gives the library's next write its time: the deadline of the last write is long over on a connection that
// was quiet.
func (s *Session) allowWrite() { _ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) }

func (s *Session) heard() { s.seen.Store(time.Now().Unix()) }

// receive queues a frame for the lane. A heartbeat that would have to wait behind other requests is answered beside
// them, as clients give it three seconds only.
func (s *Session) receive(m *gws.Message) {
	s.heard()
	if s.busy() && isHeartbeat(m.Bytes()) {
		s.gateway.running.Add(1)
		go func() {
			defer s.gateway.running.Done()
			s.serve(m)
		}()
		return
	}
	s.mutex.Lock()
	if s.ending || s.leaving {
		s.mutex.Unlock()
		_ = m.Close()
		return
	}
	s.inbox = append(s.inbox, m)
	if !s.working {
		s.working = true
		s.gateway.running.Add(1)
		go s.lane()
	}
	var room chan struct{}
	if len(s.inbox) >= inboxFrames {
		room = make(chan struct{})
		s.room = room
	}
	s.mutex.Unlock()
	if room != nil {
		<-room
	}
}

// busy tells that a request would have to wait.
func (s *Session) busy() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.working && !s.ending && !s.leaving
}

// isHeartbeat looks for the command's name before it reads the frame. A message whose text is that name has it too, and
// must keep its place.
func isHeartbeat(frame []byte) bool {
	const most = 1024
	if len(frame) >= most || !bytes.Contains(frame, []byte(`"`+aliveCommand+`"`)) {
		return false
	}
	r, err := decode(frame)
	return err == nil && r.Head.Servcmd == aliveCommand
}

// lane serves the inbox until it is empty, or until a request steps aside, whose goroutine this is from then on.
func (s *Session) lane() {
	defer s.gateway.running.Done()
	for {
		s.mutex.Lock()
		if s.room != nil && len(s.inbox) <= inboxFrames/2 {
			close(s.room)
			s.room = nil
		}
		if len(s.inbox) == 0 {
			s.inbox, s.working = nil, false
			s.mutex.Unlock()
			s.settle()
			return
		}
		next := s.inbox[0]
		s.inbox[0] = nil
		s.inbox = s.inbox[1:]
		s.mutex.Unlock()
		if aside := s.serve(next); aside {
			s.settle()
			return
		}
	}
}

// serve answers one frame, and tells whether its request stepped aside.
func (s *Session) serve(m *gws.Message) (aside bool) {
	defer func() { _ = m.Close() }()
	defer func() {
		if fault := recover(); fault != nil {
			s.gateway.log.Error("serving a frame panicked", telemetry.FieldError, fault, "stack", string(debug.Stack()))
			s.close(BadFrame)
		}
	}()
	r, err := decode(m.Bytes())
	if err != nil {
		s.gateway.log.Debug("bad frame", telemetry.FieldPeer, s.address, telemetry.FieldError, err)
		s.close(BadFrame)
		return false
	}
	r.turn.session = s
	defer func() { aside = r.turn.end() }()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if body := s.dispatch(ctx, r); body != nil {
		s.reply(encode(&r.Head, body))
	}
	return false // the deferred end has the last word
}

// tooFast counts a request against the connection's rate.
func (s *Session) tooFast() bool {
	most := s.gateway.config.CommandsPerSecond
	if most == 0 {
		return false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if now := time.Now().Unix(); now != s.second {
		s.second, s.counted = now, 0
	}
	s.counted++
	return s.counted > most
}

// loggedIn returns the device that is logged in on this connection, and why it was told to log out, if it was.
func (s *Session) loggedIn() (*device.Device, device.KickType) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.device, s.kicked
}

// check closes a connection that is silent or that did not confirm its logout in time.
func (s *Session) check(now time.Time, idle time.Duration) {
	const confirmWithin = 15 * time.Second
	s.mutex.Lock()
	overdue := s.kicked != 0 && now.Sub(s.kickedAt) > confirmWithin
	s.mutex.Unlock()
	silent := now.Sub(time.Unix(s.seen.Load(), 0))
	switch {
	case overdue:
		s.close(LoggedOut)
	case silent > idle:
		s.close(Idle)
	case silent > idle/2:
		go func() {
			s.allowWrite()
			_ = s.conn.WritePing(nil)
		}()
	}
}

// close ends the connection from our side.
func (s *Session) close(why Disconnect) {
	s.mutex.Lock()
	again := s.ending
	s.ending = true
	s.mutex.Unlock()
	if again {
		return
	}
	s.gateway.metrics.Disconnects.WithLabelValues(why.Reason).Inc()
	s.gateway.running.Add(1)
	go func() {
		defer s.gateway.running.Done()
		_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second))
		_ = s.conn.WriteClose(why.Code, []byte(why.Reason))
	}()
}

// finish takes no more requests and closes the connection once those under way are answered.
func (s *Session) finish() {
	s.mutex.Lock()
	s.leaving = true
	s.mutex.Unlock()
	s.settle()
}

// settle closes a connection that is to be finished and has nothing left to do.
func (s *Session) settle() {
	s.mutex.Lock()
	done := s.leaving && !s.working && !s.writing && s.line == nil
	s.mutex.Unlock()
	if done {
		s.close(GoingAway)
	}
}

// ended cleans up after the connection's last byte.
func (s *Session) ended() {
	s.mutex.Lock()
	s.ending, s.over = true, true
	device, kicked := s.device, s.kicked
	s.device = nil
	s.stopHolding()
	s.empty()
	s.mutex.Unlock()
	s.gateway.forget(s)
	if device != nil {
		s.lose(device, kicked)
	}
}

// lose takes the device of a connection that is over out of the hub, and marks it as lost if this was its last
// connection.
func (s *Session) lose(device *device.Device, kicked device.KickType) {
	last := s.gateway.hub.unbind(s, device)
	if !last || kicked != 0 || s.gateway.draining.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	silent := time.Since(time.Unix(s.seen.Load(), 0)) > s.gateway.config.IdleTimeout
	if err := s.gateway.devices.Lost(ctx, device, silent); err != nil {
		s.gateway.log.Warn("mark device lost", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
	}
}

// noStorage satisfies the library's interface for data kept with a connection; a Session is that data.
type noStorage struct{}

func (noStorage) Len() int                     { return 0 }
func (noStorage) Load(string) (any, bool)      { return nil, false }
func (noStorage) Delete(string)                {}
func (noStorage) Store(string, any)            {}
func (noStorage) Range(func(string, any) bool) {}
