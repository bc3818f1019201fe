package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lxzan/gws"
)

// run is the client's one goroutine: connection after connection, and on each the reader.
func (c *Client) run() {
	defer c.exit()
	for attempt := 0; ; attempt++ {
		c.setState(Connecting)
		err := c.once(c.opt.URLs[attempt%len(c.opt.URLs)])
		if c.over(err, attempt) {
			return
		}
		c.log.Info("connection lost", fieldError, err)
		c.setState(Disconnected)
		if !c.pause() {
			return
		}
	}
}

// once makes one connection and reads it to its end. The error says why it ended.
func (c *Client) once(address string) error {
	c.fatal, c.since = nil, 0
	conn, err := c.reach(address)
	if err != nil {
		return err
	}
	if c.begin(conn) {
		c.read(conn)
	}
	c.lost(conn)
	return c.fatal
}

// read recovers because the library panics on a frame whose length has its top bit set, and a broken server must not
// end the program of its client. A panic of a callback is the program's own and goes on.
func (c *Client) read(conn *gws.Conn) {
	defer func() {
		if c.inside {
			return
		}
		if fault := recover(); fault != nil {
			c.fatal = fmt.Errorf("client: the server sent a frame that cannot be read: %v", fault)
			_ = conn.NetConn().Close()
		}
	}()
	conn.ReadLoop()
}

// reach gets what a connection needs, within its time.
func (c *Client) reach(address string) (*gws.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.opt.DialTimeout)
	defer cancel()
	if err := c.sign(ctx); err != nil {
		return nil, err
	}
	return c.dial(ctx, address)
}

// over reports whether there is to be no other connection, and then ends the client.
func (c *Client) over(err error, attempt int) bool {
	c.mu.Lock()
	ended, kick, live := c.ended, c.kick, c.live
	c.mu.Unlock()
	var refused *Error
	switch {
	case ended != nil:
		return true
	case kick != 0 && (live || !errors.As(err, &refused)):
		c.end(kick)
	case !live && (errors.As(err, &refused) || attempt+1 >= len(c.opt.URLs)):
		c.end(err)
	case live && c.opt.NoReconnect:
		c.end(fmt.Errorf("%w: %w", ErrDisconnected, err))
	default:
		return false
	}
	return true
}

// pause waits before the next connection, longer with each round of failures through the URLs; a connection that lasted
// is no failure. It reports false when the client ended meanwhile.
func (c *Client) pause() bool {
	const lasting = int64(5 * time.Second)
	if c.since != 0 && c.clock()-c.since > lasting {
		c.fails = 0
	}
	round := c.fails / len(c.opt.URLs)
	c.fails++
	timer := time.NewTimer(backoff(c.opt.BackoffMin, c.opt.BackoffMax, round))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// backoff is a random pause between half and the whole of least doubled round times, at most most.
func backoff(least, most time.Duration, round int) time.Duration {
	pause := most
	if round < 32 && least<<round > 0 {
		pause = min(most, least<<round)
	}
	return pause/2 + rand.N(pause/2+1)
}

// lost forgets a connection that has ended. Calls that waited for its answers wait for the next one's.
func (c *Client) lost(conn *gws.Conn) {
	hangUp(conn, closeNormal)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.loggedIn, c.writable = nil, false, false
	c.due, c.own = deadlines{}, ownCalls{}
	c.sync.busy, c.sync.again = false, false
}

// exit is the end of the goroutine and of the client.
func (c *Client) exit() {
	c.setState(Disconnected)
	c.mu.Lock()
	kick, live, err := c.kick, c.live, c.ended
	waiting := c.sync.takeAll()
	c.mu.Unlock()
	if kick != 0 && live && c.opt.OnKicked != nil {
		c.opt.OnKicked(kick)
	}
	c.end(err)
	for _, waiter := range waiting {
		waiter <- err
	}
	if !live {
		c.ready <- err
	}
	close(c.done)
}
