package gateway

import (
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// crew is the goroutines and timers of one gateway. It owns them: when it is dismissed, it starts none for a new purpose,
// and it waits for those that run.
type crew struct {
	clock     *clock.Clock
	mutex     sync.Mutex
	dismissed bool
	timers    map[*timer]struct{} // those that have not ended
	running   sync.WaitGroup
}

// join counts the caller in, until it is done. It refuses once the crew is dismissed.
func (c *crew) join() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.dismissed {
		return false
	}
	c.running.Add(1)
	return true
}

// add counts one more in, for a caller that is counted itself, or whose session's reader is and cannot end meanwhile.
func (c *crew) add() { c.running.Add(1) }

func (c *crew) done() { c.running.Done() }

// dismiss stops all timers and refuses every join from now on. It reports whether it is the first call.
func (c *crew) dismiss() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	first := !c.dismissed
	c.dismissed = true
	for t := range c.timers {
		t.timer.Stop()
	}
	clear(c.timers)
	return first
}

// gone is closed when all callers that a dismissed crew has counted are done.
func (c *crew) gone() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		c.running.Wait()
		close(gone)
	}()
	return gone
}

// timer is something that a crew does later.
type timer struct {
	crew  *crew
	do    func()
	timer *clock.Timer
}

// after has something done after d, unless the timer is stopped or the crew is dismissed before.
func (c *crew) after(d time.Duration, do func()) *timer {
	t := &timer{crew: c, do: do}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	t.timer = c.clock.AfterFunc(d, t.end)
	if c.dismissed {
		t.timer.Stop()
		return t
	}
	if c.timers == nil {
		c.timers = map[*timer]struct{}{}
	}
	c.timers[t] = struct{}{}
	return t
}

func (t *timer) end() {
	c := t.crew
	c.mutex.Lock()
	_, waits := c.timers[t]
	delete(c.timers, t)
	if waits {
		c.running.Add(1)
	}
	c.mutex.Unlock()
	if waits {
		defer c.done()
		t.do()
	}
}

func (t *timer) stop() {
	c := t.crew
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.timers, t)
	t.timer.Stop()
}

// reset has a timer that has not ended end d from now.
func (t *timer) reset(d time.Duration) {
	c := t.crew
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, waits := c.timers[t]; waits {
		t.timer.Reset(d)
	}
}
