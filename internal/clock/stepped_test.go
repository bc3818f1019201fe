package clock_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// The clock is off by what was set last, and its timers by nothing.
func TestStepped(t *testing.T) {
	var s clock.Stepped
	c := s.Clock()
	const slack = 10 * time.Second // of a machine that is slow; the steps are hours
	off := func() time.Duration { return time.Until(c.Now()).Round(time.Hour) }
	timer := c.NewTimer(time.Hour)
	for _, by := range []time.Duration{0, 3 * time.Hour, -2 * time.Hour, 0} {
		before := c.Now()
		s.Step(by)
		if got := off(); got != by {
			t.Errorf("set to %v, it is off by %v", by, got)
		}
		if got := c.Since(before); got < by-5*time.Hour-slack || got > by+5*time.Hour+slack {
			t.Errorf("set to %v, %v have passed", by, got)
		}
	}
	if !timer.Stop() {
		t.Error("a step ended a timer")
	}
}
