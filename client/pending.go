package client

import (
	"bytes"
	"slices"

	"github.com/lxzan/gws"
)

// write sends a frame. A failure is not reported: the connection is then lost, and what is pending goes to the next.
func (c *Client) write(conn *gws.Conn, head []byte, r *request) {
	const keep = 16 << 10
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.wbuf = appendFrame(c.wbuf[:0], head, r)
	_ = conn.NetConn().SetWriteDeadline(now().Add(c.opt.WriteTimeout))
	if err := conn.WriteMessage(gws.OpcodeBinary, c.wbuf); err != nil {
		_ = conn.NetConn().Close()
	}
	if cap(c.wbuf) > keep {
		c.wbuf = nil
	}
}

// system sends a request of the client's own, which is not sent again on another connection. Its sequence is put into
// slot if its answer matters.
func (c *Client) system(conn *gws.Conn, cmd, body string, slot *uint32) {
	r := request{cmd: cmd, reqTime: now().Unix(), body: []byte(body)}
	if cmd == cmdGetMsg {
		r.sum = checksum(r.body)
	}
	c.mu.Lock()
	c.seq++
	r.seq = c.seq
	if slot != nil {
		*slot = r.seq
	}
	head := c.head
	c.mu.Unlock()
	c.write(conn, head, &r)
}

// open lets calls through to the connection, after those that were pending before it, oldest first.
func (c *Client) open(conn *gws.Conn) {
	if !c.openIfClear(conn) {
		go c.resend(conn) // the reader must read meanwhile
	}
}

func (c *Client) openIfClear(conn *gws.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != conn || c.kick != 0 || len(c.stale()) == 0 {
		c.writable = c.conn == conn && c.kick == 0
		return true
	}
	return false
}

// stale lists the pending calls not yet written to this connection, in their order. The lock is held.
func (c *Client) stale() []*call {
	var calls []*call
	for _, k := range c.pending {
		if k.gen != c.gen {
			calls = append(calls, k)
		}
	}
	slices.SortFunc(calls, func(a, b *call) int { return int(int32(a.req.seq - b.req.seq)) })
	return calls
}

// resend writes the stale calls unchanged, until there are none left.
func (c *Client) resend(conn *gws.Conn) {
	for !c.openIfClear(conn) {
		c.mu.Lock()
		calls, head := c.stale(), c.head
		for _, k := range calls {
			if k.gen != 0 {
				c.stats.Resent++
			}
			k.gen, k.lent = c.gen, true
		}
		c.mu.Unlock()
		for _, k := range calls {
			c.write(conn, head, &k.req)
		}
	}
}

// answered settles the call this answer is for. It reports false when there is none.
func (c *Client) answered(conn *gws.Conn, e *envelope) bool {
	c.mu.Lock()
	k := c.pending[e.seq]
	if k == nil || k.req.cmd != string(e.cmd) {
		c.mu.Unlock()
		return false
	}
	c.mu.Unlock()
	var rep reply
	err := decode(e.body, &rep)
	if err == nil && k.sent.Group != "" {
		err = decode(e.body, &rep.group)
	}
	if err != nil {
		c.settle(k, nil, &rep, err)
		return true
	}
	if expired(rep.Code) && c.renew(conn, k) {
		return true
	}
	c.settle(k, e.body, &rep, rep.err())
	if rep.Code == codeKicked {
		c.onKicked(conn, KickReason(rep.KickType))
	}
	return true
}

// renew keeps a call whose session has expired for the next session. It reports false when there can be none, or the
// call has had its second chance.
func (c *Client) renew(conn *gws.Conn, k *call) bool {
	if c.opt.UserSigFunc == nil {
		c.onKicked(conn, KickedBySignature)
		return false
	}
	c.mu.Lock()
	again := !k.renewed
	k.renewed = true
	c.mu.Unlock()
	if !again {
		return false
	}
	if c.dropSession() {
		c.giveUp(conn, &Error{Code: codeSigExpired, Info: "session expired"})
	}
	return true
}

// settle ends a call unless its caller has left.
func (c *Client) settle(k *call, body []byte, rep *reply, err error) {
	c.mu.Lock()
	if c.pending[k.req.seq] != k {
		c.mu.Unlock()
		return
	}
	delete(c.pending, k.req.seq)
	k.err = err
	k.sent.Time, k.sent.Sequence, k.sent.Dropped = rep.MsgTime, rep.group.Sequence, rep.group.Dropped
	c.mu.Unlock()
	if !k.send && err == nil {
		k.reply = bytes.Clone(body)
	}
	k.finish()
}

// finish wakes whoever waits. The call is his from then on.
func (k *call) finish() {
	if k.then != nil {
		k.then(k.sent, k.err)
		return
	}
	k.done <- struct{}{}
}

// failAll ends every pending call.
func (c *Client) failAll(err error) {
	c.mu.Lock()
	calls := c.pending
	c.pending = make(map[uint32]*call)
	for _, k := range calls {
		k.err = err
	}
	c.mu.Unlock()
	for _, k := range calls {
		k.finish()
	}
}
