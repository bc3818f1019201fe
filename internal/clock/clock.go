// Package clock is a server's time: the system's, one that a test sets and moves, or one that a fault run sets.
//
// Rules take the time from their transaction (tx.Now) or from a Clock, and wait with a Clock's timers, so that a test
// steps over a minute instead of waiting for it, and sees what happens when the system's clock jumps. The package knows
// nothing of the product.
package clock

import "time"

// Clock tells the time and wakes who waits. It is safe for concurrent use. The zero Clock, and a nil one, are the
// system's.
type Clock struct {
	manual  *Manual
	stepped *Stepped
}

// System returns the system's clock.
func System() *Clock { return &Clock{} }

func (c *Clock) set() *Manual {
	if c == nil {
		return nil
	}
	return c.manual
}

// Now is the time. It may go back when the system's clock is set; Timers do not care.
func (c *Clock) Now() time.Time {
	if m := c.set(); m != nil {
		return m.now()
	}
	if c != nil && c.stepped != nil {
		return c.stepped.now()
	}
	return time.Now()
}

// Since is how long ago a moment was that Now returned. On the system's clock it does not see the clock being set.
func (c *Clock) Since(moment time.Time) time.Duration { return c.Now().Sub(moment) }

// Timer is a wait that ends once, or again after a Reset.
type Timer struct {
	// C gets the time at which the wait ended; nil for one made by AfterFunc.
	C      <-chan time.Time
	system *time.Timer
	manual *wait
}

// NewTimer makes a timer that ends after d.
func (c *Clock) NewTimer(d time.Duration) *Timer {
	if m := c.set(); m != nil {
		end := make(chan time.Time, 1)
		return &Timer{C: end, manual: m.add(d, 0, func(now time.Time) { offer(end, now) })}
	}
	t := time.NewTimer(d)
	return &Timer{C: t.C, system: t}
}

// AfterFunc has do called after d, in a goroutine of its own.
func (c *Clock) AfterFunc(d time.Duration, do func()) *Timer {
	if m := c.set(); m != nil {
		return &Timer{manual: m.add(d, 0, func(time.Time) { go do() })}
	}
	return &Timer{system: time.AfterFunc(d, do)}
}

// Stop keeps the timer from ending, and reports whether it had not ended yet.
func (t *Timer) Stop() bool {
	if t.manual != nil {
		return t.manual.stop()
	}
	return t.system.Stop()
}

// Reset has the timer end d from now, and reports whether it had not ended yet.
func (t *Timer) Reset(d time.Duration) bool {
	if t.manual != nil {
		return t.manual.reset(d)
	}
	return t.system.Reset(d)
}

// Ticker ends again and again. A tick that nobody has taken is not doubled.
type Ticker struct {
	C      <-chan time.Time
	system *time.Ticker
	manual *wait
}

// NewTicker makes a ticker that ends every d, which must be above zero.
func (c *Clock) NewTicker(d time.Duration) *Ticker {
	if m := c.set(); m != nil {
		tick := make(chan time.Time, 1)
		return &Ticker{C: tick, manual: m.add(d, d, func(now time.Time) { offer(tick, now) })}
	}
	t := time.NewTicker(d)
	return &Ticker{C: t.C, system: t}
}

// Stop ends the ticker. It does not close C.
func (t *Ticker) Stop() {
	if t.manual != nil {
		t.manual.stop()
		return
	}
	t.system.Stop()
}

func offer(to chan time.Time, now time.Time) {
	select {
	case to <- now:
	default:
	}
}
