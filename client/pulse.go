package client

import (
	"math"
	"time"

	"github.com/lxzan/gws"
)

// deadlines are when what has to happen, on the client's clock; 0 is not at all. They are of one connection, but for
// the calls' own.
type deadlines struct {
	alive  int64 // a sign of life after a heartbeat
	hello  int64 // the next wshello
	login  int64 // the answer to login
	logout int64 // the answer to logout
	sync   int64 // the answer to a sync
	retry  int64 // the next sync after a failed one
}

const never = math.MaxInt64

// pace is the longest the timer sleeps.
func (c *Client) pace() time.Duration { return min(c.opt.Heartbeat, c.opt.CallTimeout) }

// chores is what one tick found to do.
type chores struct {
	conn       *gws.Conn
	hangUp     uint16
	alive      bool
	hello      bool
	syncFailed bool
	sync       bool
	late       []*call
}

// tick runs on the client's one timer. It looks after all its deadlines and sets the timer for the next.
func (c *Client) tick() {
	c.mu.Lock()
	if c.ended != nil {
		c.mu.Unlock()
		return
	}
	at := c.clock()
	todo := chores{conn: c.conn}
	next := at + int64(c.pace())
	if c.conn != nil {
		next = min(next, c.inspect(at, &todo))
	}
	next = min(next, c.sweep(at, &todo))
	c.timer.Reset(time.Duration(max(next-at, int64(time.Millisecond))))
	c.mu.Unlock()
	c.perform(&todo)
}

// inspect goes through the connection's deadlines and returns the next one. The lock is held.
func (c *Client) inspect(at int64, todo *chores) int64 {
	d := &c.due
	heard := c.lastRead.Load()
	if d.alive != 0 && heard > d.alive-int64(c.opt.HeartbeatTimeout) {
		d.alive = 0
	}
	beat := heard + int64(c.opt.Heartbeat)
	switch {
	case reached(d.alive, at):
		todo.hangUp = closeSilent
	case reached(d.login, at), reached(d.logout, at):
		todo.hangUp = closeNormal
	case d.alive == 0 && at >= beat:
		todo.alive = true
		d.alive = at + int64(c.opt.HeartbeatTimeout)
	}
	if reached(d.hello, at) && c.loggedIn && c.kick == 0 {
		todo.hello = true
		d.hello = at + c.ses.hello
	}
	todo.syncFailed, todo.sync = reached(d.sync, at), reached(d.retry, at)
	if todo.syncFailed {
		d.sync = 0
	}
	if todo.sync {
		d.retry = 0
	}
	if todo.hangUp != 0 {
		*d = deadlines{alive: never} // nothing more to do until the reader notices
	}
	if d.alive != 0 {
		beat = d.alive
	}
	return soonest(beat, d.hello, d.login, d.logout, d.sync, d.retry)
}

func reached(deadline, at int64) bool { return deadline != 0 && deadline <= at }

func soonest(deadlines ...int64) int64 {
	first := int64(never)
	for _, deadline := range deadlines {
		if deadline != 0 {
			first = min(first, deadline)
		}
	}
	return first
}

// sweep takes the asynchronous calls out whose time is up and returns the next one's deadline. The lock is held.
func (c *Client) sweep(at int64, todo *chores) int64 {
	next := int64(never)
	for seq, k := range c.pending {
		switch {
		case k.deadline == 0:
		case k.deadline <= at:
			delete(c.pending, seq)
			k.err = ErrTimeout
			todo.late = append(todo.late, k)
		default:
			next = min(next, k.deadline)
		}
	}
	return next
}

// perform does what was found, without the lock.
func (c *Client) perform(todo *chores) {
	for _, k := range todo.late {
		k.finish()
	}
	if todo.hangUp != 0 {
		hangUp(todo.conn, todo.hangUp)
		return
	}
	if todo.alive {
		c.system(todo.conn, cmdAlive, bodyEmpty, nil)
	}
	if todo.hello {
		c.system(todo.conn, cmdHello, bodyEmpty, nil)
	}
	if todo.syncFailed {
		c.synced(ErrTimeout)
	}
	if todo.sync {
		_ = c.startSync(1, nil)
	}
}
