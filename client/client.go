package client

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"
)

// Client is one logged-in device of one user. It comes from [Dial], keeps itself connected until it is closed or logged
// out, and is safe for concurrent use.
type Client struct {
	opt    *Options
	log    *slog.Logger
	id     string    // names this client in the URL of every connection
	born   time.Time // zero of every time kept in nanoseconds below
	ctx    context.Context
	cancel context.CancelFunc
	ready  chan error    // what Dial waits for, once
	done   chan struct{} // closed when run has returned

	lastRead atomic.Int64 // when anything last arrived
	offset   atomic.Int64 // the server's clock less ours, in seconds
	msgSeq   atomic.Uint32

	wmu  sync.Mutex // orders frames
	wbuf []byte

	mu       sync.Mutex
	state    State
	live     bool  // Dial has succeeded
	ended    error // not nil: no more calls, and why
	kick     KickReason
	conn     *gws.Conn // nil between connections
	gen      uint32    // counts connections
	loggedIn bool      // on conn
	writable bool      // new calls go straight to conn
	ses      session
	head     []byte // of ses; replaced, never changed
	seq      uint32 // of the last request
	pending  map[uint32]*call
	free     []*call
	mine     seen // sequence and random of own messages
	spare    map[string]int64
	timer    *time.Timer
	due      deadlines
	own      ownCalls
	sync     syncState
	stats    Stats

	// Of the reader alone.
	inside bool // our code is running, not the WebSocket library's
	scan   scanner
	seed   maphash.Seed
	known  seen // messages given to OnMessage and OnGroupMessage
	waited seen // messages that were there at the first login and not given
	fails  int  // connections in a row that did not last
	fatal  error
	since  int64 // login on this connection; 0 before it
}

// ownCalls are the sequences of the client's own calls on the connection; each is made at most once at a time.
type ownCalls struct{ login, logout, sync uint32 }

// Stats counts what happened to a client since Dial.
type Stats struct {
	// Connects counts successful logins, the first included.
	Connects int64
	// Resent counts calls that were sent again after a reconnect.
	Resent int64
	// Pushes counts pushed frames; Received messages given to OnMessage and OnGroupMessage; Duplicates messages held back.
	Pushes, Received, Duplicates int64
}

// Dial connects, logs in and waits until the client is ready: logged in and, unless [Options.NoSync], in possession of a
// cookie, so that nothing sent from now on can be missed. The context bounds only this. The error is that of the last
// URL tried, or an [*Error] when the server refused the login.
func Dial(ctx context.Context, options Options) (*Client, error) {
	opt, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newClient(opt)
	if opt.OnCreate != nil {
		opt.OnCreate(c)
	}
	go c.run() //nolint:contextcheck // a client outlives the context of its Dial
	select {
	case err = <-c.ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func newClient(opt *Options) *Client {
	c := &Client{
		opt: opt, log: opt.Logger.With(fieldUser, opt.UserID), born: now(),
		id:    fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()),
		ready: make(chan error, 1), done: make(chan struct{}),
		pending: make(map[uint32]*call),
		seq:     rand.Uint32N(99_999_999) + 1,
		seed:    maphash.MakeSeed(),
		known:   seen{size: opt.Window}, mine: seen{size: opt.Window},
		waited: seen{size: opt.Window},
	}
	c.sync.cookie = opt.Cookie
	if opt.Cookie != "" {
		c.sync.phase = phaseNews
	}
	c.msgSeq.Store(rand.Uint32() >> 1)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(c.pace(), c.tick)
	return c
}

// clock is the age of the client in nanoseconds.
func (c *Client) clock() int64 { return since(c.born) }

// UserID is the account this client is.
func (c *Client) UserID() string { return c.opt.UserID }

// TinyID is the server's number of the account, as in [Message.TinyID].
func (c *Client) TinyID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ses.tinyID
}

// State is where the connection stands.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// ServerTime is the server's clock in Unix seconds, as far as the last login told.
func (c *Client) ServerTime() int64 { return now().Unix() + c.offset.Load() }

// Done is closed when the client has ended and its last callback has returned. [Client.Err] then says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is nil while the client lives. Afterwards it is [ErrClosed], [ErrDisconnected] or a [KickReason].
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Close ends the client without logging out; calls still waiting get [ErrClosed]. It does not wait for the goroutine, so
// a callback may call it; wait for [Client.Done] if that matters. The error is always nil.
func (c *Client) Close() error {
	c.end(ErrClosed)
	return nil
}

// end makes err the client's end, unless it has one, and takes everything down.
func (c *Client) end(err error) {
	c.mu.Lock()
	if c.ended == nil {
		c.ended = err
	}
	err, conn := c.ended, c.conn
	c.timer.Stop()
	c.mu.Unlock()
	c.cancel()
	if conn != nil {
		hangUp(conn, closeNormal)
	}
	c.failAll(err)
}

// setState notes the state and tells the callback when it is another. Only run's goroutine calls it.
func (c *Client) setState(s State) {
	c.mu.Lock()
	changed := c.state != s
	c.state = s
	c.mu.Unlock()
	if changed && c.opt.OnState != nil {
		c.opt.OnState(s)
	}
}

// becomeReady lets Dial return.
func (c *Client) becomeReady() {
	c.mu.Lock()
	first := !c.live
	c.live = true
	c.mu.Unlock()
	if first {
		c.ready <- nil
	}
}
