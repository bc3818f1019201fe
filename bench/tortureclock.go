package bench

import (
	"context"
	"io"
	"os/exec"
	"sync"
	"time"
)

// nodeClock sets the clock of a server's process, over its restarts.
type nodeClock struct {
	mutex sync.Mutex
	off   time.Duration
	lines io.WriteCloser // of the process that runs; nil before the first
}

// to has a process that is about to start take what the clock is set to. A server without a clock to set takes nothing.
func (c *nodeClock) to(cmd *exec.Cmd) error {
	if c == nil {
		return nil
	}
	lines, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.lines != nil {
		_ = c.lines.Close()
	}
	c.lines = lines
	return nil
}

func (c *nodeClock) shift() time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.off
}

// set sets the clock, of a process that was killed too: the next one starts with it.
func (c *nodeClock) set(off time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.off = off
	if c.lines != nil {
		_, _ = io.WriteString(c.lines, off.String()+"\n")
	}
}

// stepClocks sets the clocks of the servers now and then, each to another time, until ctx ends; then they are right again.
func (t *torture) stepClocks(ctx context.Context) {
	const least, most = 100 * time.Millisecond, time.Second
	if t.ClockSteps == 0 {
		return
	}
	chance := newChance(t.Seed, "clock", 0)
	for wait(ctx, chance.between(least, most)) == nil {
		of(chance, t.stage.nodes).clock.set(chance.between(-t.ClockSteps, t.ClockSteps))
		t.report.ClockSteps++
	}
	for _, n := range t.stage.nodes {
		n.clock.set(0)
	}
}
