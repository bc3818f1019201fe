package webhook

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Callback is one callback for one address that ticked it, to be stored.
type Callback struct {
	App im.AppID
	// Hook is the name of the address.
	Hook string
	// Command is the callback's name, "C2C.CallbackAfterSendMsg".
	Command string
	// Lane is the callback's lane, such as a chat's: callbacks of one lane arrive in the order in which they were stored.
	Lane int64
	// ClientIP and Platform go into the query: the actor's.
	ClientIP, Platform string
	// Body is a JSON object.
	Body []byte
}

// With returns the callback with more fields, a JSON object: for fields that are known only when it is stored.
func (e Callback) With(fields []byte) Callback {
	e.Body = wire.Join(e.Body, fields)
	return e
}

// Wanted reports whether an address of the application ticked the callback. A nil application wants nothing.
func (a After[T]) Wanted(app *im.App) bool { return first(app, a.spec.Command) != nil }

// Tell stores the callback in the transaction of what it tells, for each address that ticked it. body is called only if
// there is one. by is the actor: its application, address and platform are used.
func (a After[T]) Tell(tx *db.Tx, w *Webhooks, by *im.Actor, lane int64, body func() (T, error)) error {
	callbacks, err := a.Prepare(by, lane, body)
	if err != nil || len(callbacks) == 0 {
		return err
	}
	return w.Add(tx, callbacks...)
}

// TellAlone is Tell of something that is not stored itself.
func (a After[T]) TellAlone(ctx context.Context, w *Webhooks, by *im.Actor, lane int64, body func() (T, error)) error {
	callbacks, err := a.Prepare(by, lane, body)
	if err != nil {
		return err
	}
	return w.AddAlone(ctx, callbacks...)
}

// Prepare makes the callback ahead of the transaction, in which Callback.With completes it and Webhooks.Add stores it: the
// encoding then holds up nobody else's commit. When no address ticked it, there are no callbacks and body is not called.
func (a After[T]) Prepare(by *im.Actor, lane int64, body func() (T, error)) ([]Callback, error) {
	if !a.Wanted(by.App) {
		return nil, nil
	}
	value, err := body()
	if err != nil {
		return nil, err
	}
	text, err := encodeBody(a.spec.Command, value)
	if err != nil {
		return nil, err
	}
	var callbacks []Callback
	Addresses(by.App, func(hook *Hook) {
		if hook.Wants(a.spec.Command) {
			callbacks = append(callbacks, Callback{by.App.ID, hook.Name, a.spec.Command, lane, by.Address, a.spec.platform(by), text})
		}
	})
	return callbacks, nil
}

// Add stores callbacks that Prepare made, in the transaction of what they tell.
func (w *Webhooks) Add(tx *db.Tx, callbacks ...Callback) error { return w.Outbox.Add(tx, callbacks...) }

// AddAlone is Add for callbacks of something that is not stored itself.
func (w *Webhooks) AddAlone(ctx context.Context, callbacks ...Callback) error {
	if len(callbacks) == 0 {
		return nil
	}
	return w.DB.Write(ctx, func(tx *db.Tx) error { return w.Outbox.Add(tx, callbacks...) })
}

// encodeBody writes the body with the callback's name in front.
func encodeBody(command string, body any) ([]byte, error) {
	text, err := wire.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode callback %s: %w", command, err)
	}
	return wire.Join([]byte(`{"CallbackCommand":"`+command+`"}`), text), nil
}
