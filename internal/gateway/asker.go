package gateway

import (
	"context"

	"github.com/magpie-im/magpie/internal/bus"
)

// asker is a session and who was logged in there when a call came; it implements [command.Session] and [command.Sync] for
// the call. What it is asked when somebody else has logged in meanwhile, it does not do.
type asker struct {
	session *Session
	device  *device  // nil is a guest
	after   []func() // to be done when the reply is queued
}

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
