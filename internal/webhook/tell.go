package webhook

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Event is a callback on its way into the store: one for each address that ticked it.
type Event struct {
	App im.AppID
	// Hook is the name of the address.
	Hook string
	// Command is the callback's name, "C2C.CallbackAfterSendMsg".
	Command string
	// Lane is what keeps its order: callbacks of one lane, such as a chat's, arrive as they were stored.
	Lane int64
	// ClientIP and Platform go into the query: who caused it.
	ClientIP, Platform string
	// Body is a JSON object.
	Body []byte
}

// With returns the event with more fields, a JSON object: for what is known only when the event is stored.
func (e Event) With(fields []byte) Event {
	e.Body = wire.Join(e.Body, fields)
	return e
}

// Wanted reports whether an address of the application ticked the callback. A nil application wants nothing.
func (a After[T]) Wanted(app *im.App) bool { return first(app, a.spec.Command) != nil }

// Tell stores the callback in the transaction of what it tells, for each address that ticked it. body is called only if
// there is one. by is who caused it: the application, the address and the platform are used.
func (a After[T]) Tell(tx *db.Tx, w *Webhooks, by *im.Actor, lane int64, body func() (T, error)) error {
	events, err := a.Prepare(by, lane, body)
	if err != nil || len(events) == 0 {
		return err
	}
	return w.Add(tx, events...)
}

// TellAlone is Tell of something that is not stored itself.
func (a After[T]) TellAlone(ctx context.Context, w *Webhooks, by *im.Actor, lane int64, body func() (T, error)) error {
	events, err := a.Prepare(by, lane, body)
	if err != nil {
		return err
	}
	return w.AddAlone(ctx, events...)
}

// Prepare makes the callback ahead of the transaction, in which Event.With completes it and Webhooks.Add stores it: the
// encoding then holds up nobody else's commit. Nobody ticked it: no events, and body is not called.
func (a After[T]) Prepare(by *im.Actor, lane int64, body func() (T, error)) ([]Event, error) {
	if !a.Wanted(by.App) {
		return nil, nil
	}
	content, err := body()
	if err != nil {
		return nil, err
	}
	text, err := encodeBody(a.spec.Command, content)
	if err != nil {
		return nil, err
	}
	var events []Event
	Addresses(by.App, func(hook *Hook) {
		if hook.Wants(a.spec.Command) {
			events = append(events, Event{by.App.ID, hook.Name, a.spec.Command, lane, by.Address, a.spec.platform(by), text})
		}
	})
	return events, nil
}

// Add stores callbacks that Prepare made, in the transaction of what they tell.
func (w *Webhooks) Add(tx *db.Tx, events ...Event) error { return w.Outbox.Add(tx, events...) }

// AddAlone is Add for callbacks of something that is not stored itself.
func (w *Webhooks) AddAlone(ctx context.Context, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	return w.DB.Write(ctx, func(tx *db.Tx) error { return w.Outbox.Add(tx, events...) })
}

// encodeBody writes the body with the callback's name in front.
func encodeBody(command string, body any) ([]byte, error) {
	text, err := wire.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode callback %s: %w", command, err)
	}
	return wire.Join([]byte(`{"CallbackCommand":"`+command+`"}`), text), nil
}
