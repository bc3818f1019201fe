package gateway

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// A session that waits for its client is asleep: it has no reader, no goroutine and no buffer, and the poller wakes it when
// bytes come. Nearly all sessions are, nearly always, so this is what a connection costs (docs/adr/0011-connections.md).
//
// A session that has just sent bytes keeps its reader for a moment, because it often sends again: to be woken costs
// more than to wait.

// linger is how long a reader waits at least for its client's next bytes before the session falls asleep.
const linger = 100 * time.Millisecond

// noDescriptor is of a session that never sleeps, because its connection is no socket or there is no poller. A program's
// sockets have higher numbers, and one that had this one would keep its reader.
const noDescriptor = 0

// descriptorOf finds the socket below TLS and below what else is around it, which gives what it is around by NetConn.
func descriptorOf(c net.Conn) int32 {
	for {
		if socket, ok := c.(syscall.Conn); ok {
			return numberOf(socket)
		}
		around, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return noDescriptor
		}
		c = around.NetConn()
	}
}

func numberOf(socket syscall.Conn) int32 {
	number := int32(noDescriptor)
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(descriptor uintptr) { number = int32(descriptor) }) // after an error there is none
	}
	return number
}

// wait waits for the next byte. Between two messages the session may fall asleep meanwhile.
//
// What TLS has taken from the socket and not given yet is given by a Read, however late its deadline. So a Read that timed
// out says that nothing is left but what the poller sees.
func (r *reader) wait() error {
	if r.start < r.end || r.message != nil {
		return nil
	}
	for {
		if err := r.allow(); err != nil {
			return err
		}
		n, err := r.session.socket.Read(r.buffer[:])
		r.start, r.end = 0, n
		switch {
		case n > 0:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case r.session.sleep():
			return errAsleep // another reader may have the session already
		}
	}
}

// allow gives the next Read its time. A deadline that is far enough away stays, for to set one costs something too.
func (r *reader) allow() error {
	if r.session.descriptor == noDescriptor {
		return r.unbound()
	}
	now := time.Now()
	if r.until.Sub(now) > linger {
		return nil
	}
	r.until = now.Add(2 * linger)
	return r.session.socket.SetReadDeadline(r.until)
}

// unbound ends the deadline of Reads.
func (r *reader) unbound() error {
	if r.until.IsZero() {
		return nil
	}
	r.until = time.Time{}
	return r.session.socket.SetReadDeadline(r.until)
}

// sleep leaves the session to the poller. It refuses when the socket is closed, which the poller would not see.
func (s *Session) sleep() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return false
	}
	s.asleep = true
	if err := s.gateway.poller.arm(s); err != nil {
		s.gateway.poller.forget(s)
		s.descriptor, s.asleep = noDescriptor, false
		return false
	}
	return true
}

// wake gives a sleeping session a reader.
func (s *Session) wake() {
	s.mutex.Lock()
	asleep := s.asleep
	s.asleep = false
	s.mutex.Unlock()
	if asleep {
		go s.gateway.reader(s).run()
	}
}

// hangUp closes the socket. The reader finds it closed, and cleans up; a sleeping session gets one for that.
func (s *Session) hangUp() {
	s.mutex.Lock()
	closed := s.closed
	s.closed = true
	if !closed && s.descriptor != noDescriptor {
		s.gateway.poller.forget(s)
	}
	s.mutex.Unlock()
	if !closed {
		_ = s.socket.Close()
	}
	s.wake()
}

// startPoller makes the poller. Without one every session keeps a reader.
func (g *Gateway) startPoller() {
	p, err := newPoller()
	if err != nil {
		g.log.Warn("connections that wait will take more memory", telemetry.FieldError, err)
	}
	if g.poller = p; p != nil {
		go p.run()
	}
}
