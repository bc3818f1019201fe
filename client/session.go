package client

import (
	"context"
	"fmt"
	"time"

	"github.com/lxzan/gws"
)

// session is what the server gave at login. With a2 it outlives its connection.
type session struct {
	sig        string // until there is an a2
	a2, tinyID string
	instID     int64
	hello      int64 // nanoseconds
}

// reply is what every answer may carry.
type reply struct {
	Code     int    `json:"ErrorCode"`
	Info     string `json:"ErrorInfo"`
	KickType int    `json:"KickType"`
	MsgTime  int64  `json:"MsgTime"`

	group groupSent // read of a send to a group alone
}

// groupSent is what the answer to a send to a group says beside.
type groupSent struct {
	Sequence int64  `json:"MsgSeq"`
	Dropped  string `json:"MsgDropReason"`
}

func (r *reply) err() error {
	if r.Code == 0 {
		return nil
	}
	return &Error{Code: r.Code, Info: r.Info}
}

type loginReply struct {
	reply
	A2            string `json:"A2Key"`
	TinyID        string `json:"TinyId"`
	InstID        int64  `json:"InstId"`
	HelloInterval int64  `json:"HelloInterval"`
	TimeStamp     int64  `json:"TimeStamp"`
}

// The bodies that never change.
const (
	bodyEmpty  = `{}`
	bodyLogin  = `{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}`
	bodyLogout = `{"wslogout_type":0,"is_web_uniapp":0}`
	bodyKicked = `{"wslogout_type":1,"is_web_uniapp":0}`
)

// sign provides the signature for a login that has no session to go on with.
func (c *Client) sign(ctx context.Context) error {
	c.mu.Lock()
	resume := c.ses.a2 != ""
	c.mu.Unlock()
	if resume {
		return nil
	}
	sig := c.opt.UserSig
	if c.opt.UserSigFunc != nil {
		var err error
		if sig, err = c.opt.UserSigFunc(ctx); err != nil {
			return fmt.Errorf("get a signature: %w", err)
		}
	}
	c.mu.Lock()
	c.ses.sig = sig
	c.mu.Unlock()
	return nil
}

// begin makes conn the connection and logs in on it, and, with a session from before, takes up the pending calls at
// once, as the web SDK does. It reports false when the client has ended.
func (c *Client) begin(conn *gws.Conn) bool {
	c.mu.Lock()
	if c.ended != nil {
		c.mu.Unlock()
		return false
	}
	start := c.clock()
	c.conn, c.gen = conn, c.gen+1
	c.head = appendHead(nil, c.opt, &c.ses)
	c.due = deadlines{login: start + int64(c.opt.DialTimeout)}
	c.lastRead.Store(start)
	c.timer.Reset(c.pace())
	resume := c.ses.a2 != ""
	c.mu.Unlock()
	c.system(conn, cmdLogin, bodyLogin, &c.own.login)
	c.system(conn, cmdAlive, bodyEmpty, nil)
	if resume {
		c.open(conn)
	}
	return true
}

// onLogin takes the answer to a login.
func (c *Client) onLogin(conn *gws.Conn, body []byte) {
	var rep loginReply
	if err := decode(body, &rep); err != nil {
		c.giveUp(conn, fmt.Errorf("answer to login: %w", err))
		return
	}
	switch {
	case rep.Code != 0:
		c.onRefused(conn, &rep)
	case rep.A2 == "":
		c.giveUp(conn, &Error{Code: codeNoA2, Info: "no A2Key in the answer to login"})
	case rep.TinyID == "":
		c.giveUp(conn, &Error{Code: codeNoTinyID, Info: "no TinyId in the answer to login"})
	default:
		resumed := c.accept(&rep)
		c.setState(Connected)
		if !resumed { // else begin has opened it
			c.open(conn)
		}
		if c.opt.NoSync {
			c.becomeReady()
		}
		c.loginSync()
	}
}

// accept makes the answer the session and reports whether it goes on from an earlier one.
func (c *Client) accept(rep *loginReply) (resumed bool) {
	const defaultHello = 120
	orElse(&rep.HelloInterval, defaultHello)
	hello := int64(time.Duration(rep.HelloInterval) * time.Second)
	c.since = c.clock()
	if rep.TimeStamp != 0 {
		c.offset.Store(rep.TimeStamp - now().Unix())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	resumed = c.ses.a2 != ""
	c.ses = session{a2: rep.A2, tinyID: rep.TinyID, instID: rep.InstID, hello: hello}
	c.head = appendHead(nil, c.opt, &c.ses)
	c.loggedIn = true
	c.due.login, c.due.hello = 0, c.since+hello
	c.stats.Connects++
	return resumed
}

// onRefused takes the refusal of a login. An expired session is replaced with a new signature if there is a source of
// them; an expired signature is the end.
func (c *Client) onRefused(conn *gws.Conn, rep *loginReply) {
	if expired(rep.Code) && !c.dropSession() {
		c.mu.Lock()
		c.kick = KickedBySignature
		c.mu.Unlock()
	}
	c.giveUp(conn, rep.err())
}

// dropSession forgets the session so that the next login shows a new signature. It reports false when that cannot help:
// there is no source of signatures, or what was refused was one.
func (c *Client) dropSession() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ses.a2 == "" || c.opt.UserSigFunc == nil {
		return false
	}
	c.ses = session{}
	return true
}

// giveUp ends the connection for a reason that is not in its close frame.
func (c *Client) giveUp(conn *gws.Conn, err error) {
	c.fatal = err
	hangUp(conn, closeNormal)
}

// onKicked notes that the server has logged this client out. When another device is the reason, the server waits for a
// logout before it forgets this one.
func (c *Client) onKicked(conn *gws.Conn, reason KickReason) {
	const patience = 3 * time.Second
	c.mu.Lock()
	first := c.kick == 0
	if first {
		c.kick = reason
		c.writable = false
		c.due.logout = c.clock() + int64(patience)
		c.timer.Reset(patience)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	if reason == KickedByDevice || reason == KickedByPlatform {
		c.system(conn, cmdLogout, bodyKicked, &c.own.logout)
		return
	}
	c.giveUp(conn, reason)
}

// Logout tells the server that this device goes offline, and ends the client, whatever the answer. The error is the
// context's or the server's.
func (c *Client) Logout(ctx context.Context) error {
	_, err := c.do(ctx, cmdLogout, []byte(bodyLogout))
	c.end(ErrClosed)
	return err
}
