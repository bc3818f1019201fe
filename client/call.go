package client

import (
	"context"
	"encoding/json"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// call is a request that waits for its answer, over reconnects if need be.
type call struct {
	req      request
	gen      uint32 // the connection it was last written to
	renewed  bool   // has outlived one session
	lent     bool   // a re-send reads it; not to be used again
	deadline int64  // of an asynchronous call; 0 is none
	send     bool   // a message: sent is filled in
	then     func(Sent, error)
	done     chan struct{}

	reply []byte
	sent  Sent
	err   error
}

// Call makes a request of any command, "service.command", and decodes the answer into reply unless that is nil. Friends
// and all else this package has no function for go this way. Names are case-sensitive, as on the wire. A body that is a
// []byte or raw JSON goes as it is, nil as an empty object; a *[]byte or raw JSON reply takes the answer whole.
func (c *Client) Call(ctx context.Context, servcmd string, body, reply any) error {
	request, err := encodeBody(body)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, servcmd, request)
	if err != nil || reply == nil {
		return err
	}
	switch into := reply.(type) {
	case *[]byte:
		*into = answer
	case *json.RawMessage:
		*into = answer
	case *jsontext.Value:
		*into = answer
	default:
		return decode(answer, reply)
	}
	return nil
}

func encodeBody(body any) ([]byte, error) {
	var raw jsontext.Value
	switch b := body.(type) {
	case nil:
		return []byte(bodyEmpty), nil
	case []byte:
		raw = b
	case json.RawMessage:
		raw = jsontext.Value(b)
	case jsontext.Value:
		raw = b
	default:
		return jsonv2.Marshal(body)
	}
	if !raw.IsValid() {
		return nil, errContent
	}
	return raw, nil
}

// do makes a request and waits for the answer's body. An answer with a code is an *Error.
func (c *Client) do(ctx context.Context, cmd string, body []byte) ([]byte, error) {
	k := c.newCall(cmd)
	k.req.body = body
	k.lent = true // the body is the caller's
	if err := c.start(k); err != nil {
		return nil, err
	}
	if err := c.wait(ctx, k); err != nil {
		return nil, err
	}
	return k.reply, k.err
}

// newCall takes a call from the free list. It is the caller's until started.
func (c *Client) newCall(cmd string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.free) - 1; last >= 0 {
		k := c.free[last]
		c.free = c.free[:last]
		k.req.cmd = cmd
		return k
	}
	return &call{req: request{cmd: cmd}, done: make(chan struct{}, 1)}
}

// recycle puts a call that has been answered back, keeping its buffer.
func (c *Client) recycle(k *call) {
	const idle, room = 16, 8 << 10
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.lent || cap(k.req.body) > room || len(c.free) >= idle {
		return
	}
	*k = call{req: request{body: k.req.body[:0]}, done: k.done}
	c.free = append(c.free, k)
}

// start numbers the call and sends it, or leaves it to the next connection. After an error it was not started.
func (c *Client) start(k *call) error {
	if len(k.req.body) > c.opt.MaxFrame {
		return ErrTooLarge
	}
	k.req.sum, k.req.reqTime = checksum(k.req.body), now().Unix()
	c.mu.Lock()
	if err := c.admit(k.req.cmd); err != nil {
		c.mu.Unlock()
		return err
	}
	c.seq++
	k.req.seq = c.seq
	c.pending[c.seq] = k
	if k.send {
		c.mine.add(seenKey{seq: k.sent.Seq, random: k.sent.Random})
	}
	conn, head := c.conn, c.head
	if !c.writable {
		c.mu.Unlock()
		return nil
	}
	k.gen = c.gen
	c.mu.Unlock()
	c.write(conn, head, &k.req)
	return nil
}

// admit says whether a call may start now. The lock is held.
func (c *Client) admit(cmd string) error {
	if c.ended != nil {
		return c.ended
	}
	if len(c.pending) >= c.opt.MaxPending {
		return ErrBusy
	}
	if until, asked := c.spare[cmd]; asked {
		if c.clock() < until {
			return &Error{Code: codeOverload, Info: "the server asked to spare this command"}
		}
		delete(c.spare, cmd)
	}
	return nil
}

// wait returns when the call is settled, or with the context's error.
func (c *Client) wait(ctx context.Context, k *call) error {
	select {
	case <-k.done:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	mine := c.pending[k.req.seq] == k
	if mine {
		delete(c.pending, k.req.seq)
	}
	c.mu.Unlock()
	if mine {
		return ctx.Err()
	}
	<-k.done
	return nil
}
