package client

import (
	"strings"

	"github.com/lxzan/gws"
)

// receive takes a frame: the answer to a call, the answer to a call of the client's own, or a push.
func (c *Client) receive(conn *gws.Conn, frame []byte) {
	e, err := c.scan.envelope(frame)
	if err == nil && e.body == nil {
		err = errEnvelope
	}
	if err != nil {
		c.log.Warn("frame dropped", fieldError, err)
		return
	}
	if c.answered(conn, &e) {
		return
	}
	switch string(e.cmd) {
	case cmdLogin, cmdLogout, cmdGetMsg, cmdHello, cmdAlive, cmdPushAck:
		c.onOwn(conn, &e)
	case cmdKickOther:
		c.system(conn, cmdLogin, bodyLogin, &c.own.login)
	case cmdOverload:
		c.onOverload(e.body)
	default:
		c.onPush(conn, &e)
	}
}

// onOwn takes the answer to a call of the client's own; one that is no longer waited for is dropped.
func (c *Client) onOwn(conn *gws.Conn, e *envelope) {
	c.mu.Lock()
	own := c.own
	c.mu.Unlock()
	switch cmd := string(e.cmd); {
	case cmd == cmdLogin && e.seq == own.login:
		c.onLogin(conn, e.body)
	case cmd == cmdGetMsg && e.seq == own.sync:
		c.onSync(conn, e.body)
	case cmd == cmdLogout && e.seq == own.logout:
		c.giveUp(conn, ErrClosed)
	case cmd == cmdHello, cmd == cmdAlive:
		var rep reply
		if decode(e.body, &rep) == nil {
			c.onSessionCode(conn, &rep)
			if cmd == cmdAlive && rep.Code == codeHeartbeatEnd {
				c.onKicked(conn, KickedByServer)
			}
		}
	}
}

// onSessionCode acts on a code that concerns the whole session.
func (c *Client) onSessionCode(conn *gws.Conn, rep *reply) {
	c.mu.Lock()
	in := c.loggedIn
	c.mu.Unlock()
	switch {
	case rep.Code == codeKicked:
		c.onKicked(conn, KickReason(rep.KickType))
	case !in || !expired(rep.Code):
	case c.opt.UserSigFunc == nil:
		c.onKicked(conn, KickedBySignature)
	case c.dropSession():
		c.giveUp(conn, rep.err())
	}
}

// onOverload spares a command for the time the server asks.
func (c *Client) onOverload(body []byte) {
	const most = 64
	var order struct {
		Command string `json:"OverLoadServCmd"`
		Seconds int64  `json:"DelaySecs"`
	}
	if decode(body, &order) != nil || order.Seconds <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spare == nil {
		c.spare = make(map[string]int64)
	}
	if len(c.spare) < most {
		c.spare[strings.Clone(order.Command)] = c.clock() + min(order.Seconds, 3600)*1e9
	}
}

// onPush takes a pushed frame: its events in order, then its requests to acknowledge and to sync.
func (c *Client) onPush(conn *gws.Conn, e *envelope) {
	c.mu.Lock()
	c.stats.Pushes++
	c.mu.Unlock()
	ack, missed, err := c.walkPush(conn, e)
	if err != nil {
		c.log.Warn("push dropped", fieldError, err)
		return
	}
	if ack != nil {
		c.system(conn, cmdPushAck, `{"SessionData":`+string(ack)+`}`, nil)
	}
	if missed && !c.opt.NoSync {
		_ = c.startSync(1, nil)
	}
}

func (c *Client) walkPush(conn *gws.Conn, e *envelope) (ack []byte, missed bool, err error) {
	var need, flag uint32
	var list bool
	data := []byte(`""`)
	if err = c.scan.start(e.body); err != nil {
		return nil, false, err
	}
	for {
		name, err := c.scan.next()
		if err != nil {
			return nil, false, err
		}
		if name == nil {
			break
		}
		switch string(name) {
		case "EventArray":
			list = true
			err = c.walkEvents(conn, e.cmd)
		case "NeedAck":
			need, err = c.scan.number()
		case "SessionData":
			data, err = c.scan.value()
		case "Flag":
			flag, err = c.scan.number()
		default:
			err = c.scan.dec.SkipValue()
		}
		if err != nil {
			return nil, false, err
		}
	}
	if !list && c.opt.OnPush != nil {
		c.opt.OnPush(RawEvent{ServCmd: string(e.cmd), Data: e.body})
	}
	if need != 1 {
		data = nil
	}
	return data, flag == 1, nil
}

func (c *Client) walkEvents(conn *gws.Conn, cmd []byte) error {
	if c.scan.dec.PeekKind() != '[' {
		return c.scan.dec.SkipValue()
	}
	if _, err := c.scan.dec.ReadToken(); err != nil {
		return err
	}
	for c.scan.dec.PeekKind() == '{' {
		raw, err := c.scan.value()
		if err != nil {
			return err
		}
		c.onEvent(conn, cmd, raw)
	}
	_, err := c.scan.dec.ReadToken()
	return err
}
