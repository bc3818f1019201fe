package webhook

import (
	"context"

	"github.com/magpie-im/magpie/internal/im"
)

// This file is what internal/message still uses. It goes when that room tells and asks as the others do.

// Origin is who caused what a callback tells.
type Origin struct{ actor *im.Actor }

// By is the origin of what an actor does.
func By(actor *im.Actor) Origin { return Origin{actor} }

// Events makes the callback, for Webhooks.Add; none if nobody ticked it.
func (a After[T]) Events(by Origin, lane int64, body T) ([]Event, error) {
	return a.Prepare(by.actor, lane, func() (T, error) { return body, nil })
}

// Store is Add for callbacks of what is not stored itself.
func (w *Webhooks) Store(ctx context.Context, events ...Event) error {
	return w.AddAlone(ctx, events...)
}

// Ask asks the back end.
func (b Before[T]) Ask(ctx context.Context, w *Webhooks, by Origin, body T, use func(*Answer) error) (Answer, error) {
	return b.put(ctx, w, by.actor, body, use)
}
