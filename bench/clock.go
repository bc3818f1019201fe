package bench

import (
	"context"
	"time"
)

// now is the only place of this room that reads the clock: what it measures is real time.
func now() time.Time { return time.Now() }

// stopwatch counts nanoseconds from one moment, so that senders, receivers and windows share one scale.
type stopwatch struct{ born time.Time }

func (w stopwatch) ns() int64 { return int64(now().Sub(w.born)) }

// wait returns after d, or earlier with the context's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until looks every few milliseconds whether done is true, at most for d, and reports whether it became true.
func until(ctx context.Context, d time.Duration, done func() bool) bool {
	const look = 5 * time.Millisecond
	for started := now(); ; {
		if done() {
			return true
		}
		if now().Sub(started) > d || wait(ctx, look) != nil {
			return false
		}
	}
}
