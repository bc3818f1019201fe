package gateway

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of one request: it ends when the request is answered, or at a time. Most calls ask for
// nothing that can be broken off, so it makes a timer only for one that does.
type callContext struct {
	until time.Time

	mutex  sync.Mutex
	over   bool
	inner  context.Context //nolint:containedctx // what Done is of; nil until it is asked for
	cancel context.CancelFunc
}

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) { return c.until, true }

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithDeadline(context.Background(), c.until)
		if c.over {
			c.cancel()
		}
	}
	return c.inner.Done()
}

// Err implements [context.Context].
func (c *callContext) Err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case c.inner != nil:
		return c.inner.Err()
	case c.over:
		return context.Canceled
	case !time.Now().Before(c.until):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements [context.Context]. The inner context lets contexts that are derived from this one end without a
// goroutine each.
func (c *callContext) Value(key any) any {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.inner == nil {
		return nil
	}
	return c.inner.Value(key)
}

// end ends the context, as the request is answered.
func (c *callContext) end() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
}
