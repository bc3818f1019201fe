package command

import "context"

// Turns is one call's place among the calls of its connection, which a door serves one after the other. A door whose
// callers expect an order puts it into each call's context.
type Turns interface {
	// StepAside is what the function of that name asks of the door.
	StepAside(ctx context.Context, key string) error
	// InTurn is what the function of that name asks of the door.
	InTurn(ctx context.Context, key string) error
}

type turnsKey struct{}

// WithTurns gives a call its place.
func WithTurns(ctx context.Context, t Turns) context.Context {
	return context.WithValue(ctx, turnsKey{}, t)
}

// StepAside says that this call is about to wait for something outside the server. Calls that came later on the same
// connection may be served meanwhile, but those that name the same key wait until this one is answered, not just until
// it is done waiting. It returns when no earlier call with the key is under way, or with the context's error; the handler
// then gives up, as it has no turn.
//
// A call has one key; to name a second one is an error. A door may bound how many calls of a connection are aside: one
// above the bound waits and holds up those behind it. Without Turns, as at the REST door, nothing is done: REST calls
// are made side by side and have no order.
func StepAside(ctx context.Context, key string) error {
	if t, ok := ctx.Value(turnsKey{}).(Turns); ok {
		return t.StepAside(ctx, key)
	}
	return nil
}

// InTurn is for a call that must keep its order with calls that step aside and does not wait outside itself. If an
// earlier call with the key is aside, this one steps aside too until that one is answered; if none is, it costs a look.
func InTurn(ctx context.Context, key string) error {
	if t, ok := ctx.Value(turnsKey{}).(Turns); ok {
		return t.InTurn(ctx, key)
	}
	return nil
}
