package gateway

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// A session on which no device is logged in is a guest's. To open many costs a stranger nothing, so a guest gets what a
// login needs and little more: small messages, few requests that wait, a part of one bounded queue for all guests'
// answers, and some minutes. What is refused is counted by its reason.

// The reasons of refusals, in the log and in magpie_refused_total.
const (
	refusedFrame = "guest-frame"  // a guest's message was too large
	refusedQueue = "guest-queue"  // guests do not read what they are answered
	refusedLate  = "login-late"   // a guest did not log in
	refusedName  = "command-name" // a command's name was too long
	refusedFlood = "flood"        // more pings or pieces of messages than the rate allows
)

// refused counts and logs something that the gateway did not take from a client.
func (s *Session) refused(reason string) {
	s.gateway.refusals.Tell(context.Background(), im.DoorClient.String(), reason, telemetry.FieldPeer, s.address)
}

func (s *Session) isGuest() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.login.device == nil
}

// takes reports whether a client may send a message of so many bytes. A large one may stand behind a login that is being
// served, as when a client sends again what was pending: then that is waited for.
func (s *Session) takes(bytes uint64) bool {
	switch c := s.gateway.config; {
	case bytes > uint64(c.MaxFrameBytes):
		return false
	case bytes <= uint64(c.GuestFrameBytes) || !s.isGuest():
		return true
	}
	s.awaitServed()
	if s.isGuest() {
		s.refused(refusedFrame)
		return false
	}
	return true
}

// awaitServed returns when no request is served, or after as long as one may take. It looks from time to time, because
// hardly anybody comes here.
func (s *Session) awaitServed() {
	const pause = 5 * time.Millisecond
	for range callTimeout / pause {
		if !s.busy() {
			return
		}
		<-time.After(pause)
	}
}

// mailboxRoom is how many requests may wait before the reader waits. The session's mutex is held.
func (s *Session) mailboxRoom() int {
	if s.login.device == nil {
		return min(s.gateway.config.GuestRequests, mailboxFrames)
	}
	return mailboxFrames
}

// lateToLogIn reports whether a guest had the time for a login; the caller holds the mutex. One that joined an audience is
// there for that.
func (s *Session) lateToLogIn(now time.Time) bool {
	within := s.gateway.config.LoginTimeout
	return within > 0 && s.login.device == nil && len(s.joined) == 0 && now.Sub(time.Unix(int64(s.login.since), 0)) > within
}

// flooding counts a ping, a pong or a piece of a message against the connection's rate. No client sends many, so what is
// above it ends the connection.
func (s *Session) flooding() bool {
	if !s.tooFast() {
		return false
	}
	s.refused(refusedFlood)
	s.close(Flooding)
	return true
}

// guestsFull reports whether an outbox of a guest's may not take so many bytes more.
func (o *outbox) guestsFull(more int) bool {
	g := o.session.gateway
	return o.guest && g.guestQueue.Load()+int64(more) > int64(g.config.GuestQueueBytes)
}
