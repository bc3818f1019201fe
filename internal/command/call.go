package command

import (
	"context"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
)

// Call is one request on its way to a handler: who asks, and what the door offers to the handler beside the answer.
// A door makes it; a handler reads it and may use it until it has answered. The zero Actor is nobody, so a door
// always fills it in. Everything else is nil at a door that has no lasting connection, as REST, and then costs nothing.
type Call struct {
	im.Actor
	// Turn is the call's place among the calls of its connection.
	Turn Turn
	// Sync is told how far a pull brings the asking device up to date.
	Sync Sync
	// Session is the connection on which the call came.
	Session Session
}

// Turn is one call's place among the calls of its connection, which a door serves one after the other.
type Turn interface {
	// StepAside is what [Call.StepAside] asks of the door.
	StepAside(ctx context.Context, key string) error
	// InTurn is what [Call.InTurn] asks of the door.
	InTurn(ctx context.Context, key string) error
}

// Session is the live connection of the asking device, as far as a handler may change it.
type Session interface {
	// Join adds the connection to those that get what is published under the subject. When it returns without an error,
	// every node publishes the subject's events here. Joining again does nothing.
	Join(ctx context.Context, subject bus.Subject) error
	// Leave ends a Join. What is under way may still arrive.
	Leave(subject bus.Subject)
	// AfterReply has a function called once the call's reply is queued for the client, so that what the function pushes
	// comes behind the reply. It must be quick. It is not called when the connection ends first.
	AfterReply(do func())
}

// StepAside says that this call is about to wait for something outside the server. Calls that came later on the same
// connection may be served meanwhile, but those that name the same key wait until this one is answered, not just until
// it is done waiting. It returns when no earlier call with the key is under way, or with the context's error; the handler
// then gives up, as it has no turn.
//
// A call has one key; to name a second one is an error. A door may bound how many calls of a connection are aside: one
// above the bound waits and holds up those behind it. Without a Turn, as at the REST door, nothing is done: REST calls
// are made side by side and have no order.
func (c *Call) StepAside(ctx context.Context, key string) error {
	if c.Turn == nil {
		return nil
	}
	return c.Turn.StepAside(ctx, key)
}

// InTurn is for a call that must keep its order with calls that step aside and does not wait outside itself. If an
// earlier call with the key is aside, this one steps aside too until that one is answered; if none is, it costs a look.
func (c *Call) InTurn(ctx context.Context, key string) error {
	if c.Turn == nil {
		return nil
	}
	return c.Turn.InTurn(ctx, key)
}
