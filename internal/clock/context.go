package clock

import (
	"context"
	"errors"
	"time"
)

// WithTimeout is context.WithTimeout by this clock: the context ends after d, with context.DeadlineExceeded as its error
// and its cause. On a clock that a test sets it has no deadline that could be asked for.
func (c *Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if c.set() == nil {
		return context.WithTimeout(ctx, d)
	}
	ending, end := context.WithCancelCause(ctx)
	timer := c.AfterFunc(d, func() { end(context.DeadlineExceeded) })
	return expiring{ending}, func() {
		timer.Stop()
		end(context.Canceled)
	}
}

// expiring is a context that may end by a timer.
type expiring struct{ context.Context }

// Err tells a timer's end from another.
func (e expiring) Err() error {
	if cause := context.Cause(e.Context); errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return e.Context.Err()
}
