package gateway

import (
	"context"

	"github.com/magpie-im/magpie/internal/bus"
)

// asker is a session and the device that was logged in on it when a call came; it implements [command.Session] and
// [command.Sync] for the call. It does nothing when another device has logged in meanwhile.
type asker struct {
	session *Session
	device  *device  // nil is a guest
	after   []func() // to be done when the reply is queued
}

// Number implements [command.Session].
func (a *asker) Number() uint64 { return a.session.connection() }

// Join implements [command.Session].
func (a *asker) Join(ctx context.Context, subject bus.Subject) error {
	return a.session.gateway.hub.enter(ctx, a.session, a.device, subject)
}

// Leave implements [command.Session].
func (a *asker) Leave(subject bus.Subject) {
	a.session.gateway.hub.leave(a.session, a.device, subject)
}

// AfterReply implements [command.Session].
func (a *asker) AfterReply(do func()) { a.after = append(a.after, do) }
