package clock_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// The clock stands until it is moved, and each wait ends at its own moment and in its order.
func TestAdvance(t *testing.T) {
	m := clock.NewManual(start())
	c := m.Clock()
	tick, late, soon := c.NewTicker(2*time.Second), c.NewTimer(5*time.Second), c.NewTimer(time.Second)
	if !c.Now().Equal(start()) || m.Waiting() != 3 {
		t.Fatalf("it shows %v, and %d wait", c.Now(), m.Waiting())
	}
	m.Advance(3 * time.Second)
	for name, row := range map[string]struct {
		c    <-chan time.Time
		want time.Duration // 0: nothing came
	}{"tick": {tick.C, 2 * time.Second}, "soon": {soon.C, time.Second}, "late": {late.C, 0}} {
		select {
		case at := <-row.c:
			if at.Sub(start()) != row.want {
				t.Errorf("%s ended after %v, want %v", name, at.Sub(start()), row.want)
			}
		default:
			if row.want != 0 {
				t.Errorf("%s did not end", name)
			}
		}
	}
	if c.Since(start()) != 3*time.Second || m.Waiting() != 2 {
		t.Errorf("%v have passed, and %d wait", c.Since(start()), m.Waiting())
	}
	if !late.Stop() || late.Stop() || soon.Stop() {
		t.Error("Stop tells wrongly what had ended")
	}
	tick.Stop()
	if m.Advance(time.Hour); m.Waiting() != 0 {
		t.Errorf("%d still wait", m.Waiting())
	}
}

// Setting the clock moves what it shows and ends no wait; a wait that is reset begins anew.
func TestSetAndReset(t *testing.T) {
	m := clock.NewManual(start())
	c := m.Clock()
	timer := c.NewTimer(time.Minute)
	m.Set(start().Add(24 * time.Hour))
	m.Advance(59 * time.Second)
	if !timer.Reset(time.Minute) {
		t.Error("the timer had ended by setting the clock")
	}
	m.Set(start())
	m.Advance(time.Minute)
	if at := <-timer.C; !at.Equal(start().Add(time.Minute)) {
		t.Errorf("it ended at %v", at)
	}
	if timer.Reset(0) {
		t.Error("a timer that had ended was said to wait")
	}
	<-timer.C
}

// Functions run in the order of their moments, each in a goroutine of its own; one may wait again.
func TestAfterFunc(t *testing.T) {
	for name, m := range map[string]*clock.Manual{"set": clock.NewManual(start()), "system": nil} {
		t.Run(name, func(t *testing.T) {
			c := clock.System()
			if m != nil {
				c = m.Clock()
			}
			var (
				mutex sync.Mutex
				done  sync.WaitGroup
				ran   []string
			)
			done.Add(2)
			run := func(name string) func() {
				return func() {
					mutex.Lock()
					ran = append(ran, name)
					mutex.Unlock()
					done.Done()
				}
			}
			c.AfterFunc(time.Millisecond, run("first"))
			never := c.AfterFunc(time.Hour, run("never"))
			if !never.Stop() {
				t.Error("it was over before it began")
			}
			if m != nil {
				m.Advance(time.Millisecond)
			}
			c.AfterFunc(0, run("second"))
			done.Wait()
			slices.Sort(ran)
			if !slices.Equal(ran, []string{"first", "second"}) {
				t.Errorf("%q ran", ran)
			}
		})
	}
}

// A nil clock and the zero one are the system's.
func TestSystem(t *testing.T) {
	for _, c := range []*clock.Clock{nil, {}, clock.System()} {
		before := time.Now()
		<-c.NewTimer(time.Millisecond).C
		tick := c.NewTicker(time.Millisecond)
		<-tick.C
		tick.Stop()
		if passed := c.Since(before); passed < 2*time.Millisecond || passed > time.Minute {
			t.Errorf("%v passed", passed)
		}
	}
}
