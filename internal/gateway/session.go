package gateway

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Session is one live connection. What it is made of stands in four files: who is logged in (login.go), the requests that
// wait (mailbox.go), the frames that wait (outbox.go), and the audiences that it joined (hub.go). While it waits for its
// client it has neither reader nor mailbox nor outbox.
type Session struct {
	gateway  *Gateway
	socket   net.Conn
	number   uint64 // of the connections of this node
	address  string
	origin   unique.Handle[string] // see originOf; few differ
	seen     atomic.Int64          // unix second of the last bytes received
	app      im.AppID
	platform int16
	lite     bool  // the client is of the newer line, lite-chat
	pages    uint8 // of pulls that were answered, modulo its range; guarded by the mutex
	rate     rate

	mutex      sync.Mutex // guards what follows
	login      login
	mailbox    *mailbox // nil while no request waits or is served
	outbox     *outbox  // nil while no frame waits or is being written
	joined     []joined
	descriptor int32   // of the socket; noDescriptor never sleeps
	asleep     bool    // it has no reader; see sleep.go
	closed     bool    // the socket is closed
	variant    variant // settled before the session is shared
	phase      phase
}

// phase is how far a connection's life has come. It goes forward only:
//
//	serving    → leaving   by finish, when the gateway drains
//	leaving    → ending    by settle, when every request taken is answered and every answer is written
//	any        → ending    by close, by TooSlow, by a failed write, or when the client ends the connection: the last
//	                       frame, which says why, is queued, and no other is from then on
//	any        → over      by ended, when the reader has read the last byte
//
// The socket is closed in phase ending or over, once the outbox is empty. That ends the reader, if it has not ended.
type phase uint8

const (
	serving phase = iota // requests are taken and answered
	leaving              // no more requests are taken
	ending               // no more frames are queued
	over                 // what belonged to the login is cleaned up
)

// rate counts the requests of the running second; the session's mutex guards it.
type rate struct {
	second  uint32
	counted uint32
}

func (s *Session) heard() { s.seen.Store(s.gateway.clock.Now().Unix()) }

// lost reports whether the connection's last byte was read. Requests that still wait in the mailbox bring no device back:
// that would be told as a login and a loss, when the client may be back with another session already.
func (s *Session) lost() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.phase == over
}

// tooFast counts a request against the connection's rate.
func (s *Session) tooFast() bool {
	most := s.gateway.config.CommandsPerSecond
	if most == 0 {
		return false
	}
	now := uint32(s.gateway.clock.Now().Unix())
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if now != s.rate.second {
		s.rate = rate{second: now}
	}
	s.rate.counted++
	return int(s.rate.counted) > most
}

// confirmWithin is how long a client that was told to log out has for saying that it understood.
const confirmWithin = 15 * time.Second

// check closes a session that is silent, that did not confirm its kick in time, or on which no device logs in.
func (s *Session) check(now time.Time, idle time.Duration) {
	s.mutex.Lock()
	overdue := s.login.kicked != 0 && now.Sub(time.Unix(int64(s.login.since), 0)) > confirmWithin
	late := s.lateToLogIn(now)
	s.mutex.Unlock()
	silent := now.Sub(time.Unix(s.seen.Load(), 0))
	switch {
	case overdue:
		s.close(LoggedOut)
	case late && s.close(NoLogin):
		s.refused(refusedLate)
	case silent > idle:
		s.close(Idle)
	case silent > idle/2:
		s.enqueue(s.gateway.ping)
	}
}

// close ends the connection from our side, unless it ends already. What waits to be written is written before the reason,
// if that takes no longer than farewellTimeout.
func (s *Session) close(why Disconnect) (first bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.phase >= ending {
		return false
	}
	s.end(why)
	return true
}

// end is close for the holder of the mutex.
func (s *Session) end(why Disconnect) {
	s.gateway.metrics.Disconnects.WithLabelValues(why.Reason).Inc()
	s.farewell(newClose(why))
}

// endWith is close with a close frame that is made already.
func (s *Session) endWith(f *frame) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.phase < ending {
		s.farewell(f)
	}
}

// farewell queues the connection's last frame; the caller holds the mutex.
func (s *Session) farewell(f *frame) {
	s.phase = ending
	_ = s.socket.SetWriteDeadline(time.Now().Add(farewellTimeout))
	if s.outbox != nil {
		s.outbox.add(f)
		s.unpark().start()
		return
	}
	s.open(f).start()
}

// fail ends a connection that cannot be written to.
func (s *Session) fail(o *outbox) {
	s.mutex.Lock()
	s.phase = max(s.phase, ending)
	o.drop()
	s.mutex.Unlock()
	s.hangUp() // the reader ends and cleans up
}

// finish takes no more requests and closes the connection once those under way are answered.
func (s *Session) finish() {
	s.mutex.Lock()
	s.phase = max(s.phase, leaving)
	s.unpark().start()
	s.mutex.Unlock()
	s.settle()
}

// settle ends a session that is to be left and has nothing left to do, and closes the socket of one that has ended and
// has nothing left to write.
func (s *Session) settle() {
	s.mutex.Lock()
	if s.phase == leaving && s.mailbox == nil && s.outbox == nil {
		s.end(GoingAway)
	}
	done := s.phase >= ending && s.outbox == nil
	s.mutex.Unlock()
	if done {
		s.hangUp()
	}
}

// ended cleans up after the connection's last byte was read. A last frame that is queued is still written.
func (s *Session) ended() {
	s.mutex.Lock()
	if s.phase < ending && s.outbox != nil {
		s.outbox.drop()
	}
	s.phase = over
	s.unpark().start()
	device, kicked := s.login.device, s.login.kicked
	s.login.device = nil
	s.stopHolding()
	s.mutex.Unlock()
	s.settle()
	s.gateway.forget(s)
	s.lose(device, kicked)
}

// lose takes the session out of every audience, and marks its device, if it had one, as lost if this was the device's
// last connection.
func (s *Session) lose(d *device, kicked kick) {
	last := s.gateway.hub.part(s, d)
	if d == nil || !last || kicked != 0 || s.gateway.draining.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	silent := s.gateway.clock.Since(time.Unix(s.seen.Load(), 0)) > s.gateway.config.IdleTimeout
	if err := s.gateway.devices.Lost(ctx, d, silent); err != nil {
		s.gateway.log.Warn("mark device lost", telemetry.FieldAccount, d.Account.ID, telemetry.FieldError, err)
	}
}
