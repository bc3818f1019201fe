package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

func TestWithTimeout(t *testing.T) {
	t.Parallel()
	manual := clock.NewManual(time.Unix(1_700_000_000, 0))
	for name, c := range map[string]*clock.Clock{"set": manual.Clock(), "system": clock.System()} {
		ctx, cancel := c.WithTimeout(t.Context(), time.Hour)
		if ctx.Err() != nil {
			t.Errorf("%s: it begins with %v", name, ctx.Err())
		}
		cancel()
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled it says %v", name, err)
		}
	}
	ctx, cancel := manual.Clock().WithTimeout(t.Context(), time.Second)
	defer cancel()
	manual.Advance(time.Second - 1)
	if ctx.Err() != nil {
		t.Errorf("it ends early, with %v", ctx.Err())
	}
	below, stop := context.WithCancel(ctx)
	defer stop()
	manual.Advance(1)
	<-below.Done()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) || !errors.Is(context.Cause(below), context.DeadlineExceeded) {
		t.Errorf("it ends with %v, the one below by %v", ctx.Err(), context.Cause(below))
	}
	if manual.Waiting() != 0 {
		t.Errorf("%d timers wait on", manual.Waiting())
	}
}
