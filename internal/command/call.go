package command

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
)

// Call is one use of a command: who asks, and what the door lets the handler do beside answering. A door makes it; a
// handler reads it and may use it until it has answered. The zero Actor is nobody, so a door always fills it in. The
// other fields are nil at a door without sessions, as REST, and then cost nothing.
type Call struct {
	im.Actor
	// Turn is the call's place among those of its session with the same order key.
	Turn Turn
	// Sync is told how far a reply of the call brings the asking device up to date.
	Sync Sync
	// Session is the session that the call came from.
	Session Session

	limiter *limiter // of the registry that serves the call
	pause   time.Duration
}

// Turn is one call's place among the calls of its session, which a door serves one after the other. key is an order key.
type Turn interface {
	// StepAside is what [Call.StepAside] asks of the door.
	StepAside(ctx context.Context, key string) error
	// InTurn is what [Call.InTurn] asks of the door.
	InTurn(ctx context.Context, key string) error
}

// Session is the session of the asking device, as far as a handler may change it.
type Session interface {
	// Number is a number of the session that no other session of any node has.
	Number() uint64
	// Join lets the session get what is pushed to the subject. When it returns without an error, this node takes the
	// subject's bus messages from every node. A second Join does nothing.
	Join(ctx context.Context, subject bus.Subject) error
	// Leave ends a Join. Pushes that are under way may still arrive.
	Leave(subject bus.Subject)
	// AfterReply has a function called once the call's reply is in the outbox, so that what the function pushes comes
	// behind the reply. The function must be quick. It is not called when the session ends first.
	AfterReply(do func())
}

// StepAside says that this call is about to wait for something outside the server. Later calls of the same session may
// be served meanwhile, but those that name the same order key wait until this one is answered, not just until it has
// waited. StepAside returns when no earlier call with the key is under way, or with the context's error; the handler then
// gives up, as it has no turn.
//
// A call has one order key; to name a second one is an error. A door may bound how many calls of a session are aside: a
// call above the bound waits and holds up those behind it. Without a Turn, as at the REST door, StepAside does nothing:
// REST calls are made side by side and have no order.
func (c *Call) StepAside(ctx context.Context, key string) error {
	if c.Turn == nil {
		return nil
	}
	return c.Turn.StepAside(ctx, key)
}

// InTurn is for a call that does not step aside itself, but must keep its order with calls that do. If an earlier call
// with the order key is aside, this one steps aside too until that one is answered; if none is, InTurn returns at once.
func (c *Call) InTurn(ctx context.Context, key string) error {
	if c.Turn == nil {
		return nil
	}
	return c.Turn.InTurn(ctx, key)
}
