package client

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

const cmdSend = "openim.sendmsg"

var errEmpty = errors.New("client: a message needs a receiver and an element")

// Outgoing is a message to be sent. One of To and Group and one of Elements and Body are required.
type Outgoing struct {
	// To is the receiving account.
	To string
	// Group is the receiving group in place of an account.
	Group string
	// Priority says how much a group's message matters beside others: High, Normal, Low or Lowest; empty is Normal.
	Priority string
	// Elements are the content.
	Elements []Element
	// Body is the content ready-made, a JSON array of elements; it wins over Elements.
	Body jsontext.Value
	// CloudCustomData is the app's own text beside the content.
	CloudCustomData string
	// OnlineOnly sends to devices that are online, stores nothing and counts nothing.
	OnlineOnly bool
	// NoUnread leaves the receiver's unread counter as it is, NoLastMessage the conversations' last message.
	NoUnread, NoLastMessage bool
	// NeedReadReceipt asks to be told when this message is read.
	NeedReadReceipt bool
	// SupportExtension allows key-value pairs and reactions to be set on the message later.
	SupportExtension bool
	// OfflinePush is the wire's OfflinePushInfo object; nil leaves the server its default.
	OfflinePush jsontext.Value
	// Seq and Random are the client's part of the message's key; 0 is one made up. The server takes a message once
	// per pair and conversation: who repeats a send of unknown outcome gives those of the first try.
	Seq, Random uint32
	// ClientTime is the sender's clock in Unix seconds; 0 is now, by the server's clock as last told.
	ClientTime int64
}

// Sent is what is known of a message once the server has taken it.
type Sent struct {
	// From, To and Group are the message's.
	From, To, Group string
	// Seq and Random are as given in [Outgoing] or made up.
	Seq, Random uint32
	// Time is the server's, ClientTime this client's, in Unix seconds.
	Time, ClientTime int64
	// Sequence is the number of a group's message in its group, 0 if it is not stored.
	Sequence int64
	// Dropped says why a server under load has not passed a group's message on though it took it; empty if it has.
	Dropped string
}

// Key names the message in other commands.
func (s Sent) Key() Key { return Key{Seq: s.Seq, Random: s.Random, Time: s.Time} }

// Message is the message without its content, as [Client.Recall] takes it.
func (s Sent) Message() Message {
	return Message{
		From: s.From, To: s.To, Seq: s.Seq, Random: s.Random, Time: s.Time, ClientTime: s.ClientTime,
	}
}

// Send sends a message and returns when the server has stored it. Over a lost connection it is sent again unchanged,
// and counts once. The error is an [*Error], the context's, one of this package's, or a [KickReason]; after the
// context's the outcome is unknown, and Sent holds what to repeat it with.
func (c *Client) Send(ctx context.Context, out Outgoing) (Sent, error) {
	k, err := c.newSend(&out)
	if err != nil {
		return Sent{}, err
	}
	sent := k.sent
	if err = c.start(k); err != nil {
		return sent, err
	}
	if err = c.wait(ctx, k); err != nil {
		return sent, err
	}
	sent, err = k.sent, k.err
	c.recycle(k)
	return sent, err
}

// SendAsync sends a message and calls then once: with the outcome on the client's reader, with [ErrTimeout] after
// [Options.CallTimeout], or at the client's end. It does not wait and may be called from a callback, like then itself.
// After an error then is not called.
func (c *Client) SendAsync(out Outgoing, then func(Sent, error)) error {
	k, err := c.newSend(&out)
	if err != nil {
		return err
	}
	if then == nil {
		then = func(Sent, error) {}
	}
	k.then = then
	k.deadline = c.clock() + int64(c.opt.CallTimeout)
	return c.start(k)
}

// newSend encodes a message into a call.
func (c *Client) newSend(out *Outgoing) (*call, error) {
	if (out.To == "") == (out.Group == "") || len(out.Elements) == 0 && len(out.Body) == 0 {
		return nil, errEmpty
	}
	for out.Seq == 0 {
		out.Seq = c.msgSeq.Add(1)
	}
	for out.Random == 0 {
		out.Random = rand.Uint32()
	}
	if out.ClientTime == 0 {
		out.ClientTime = c.ServerTime()
	}
	cmd, write := cmdSend, appendOutgoing
	if out.Group != "" {
		cmd, write = groupCommand(out.Group, "send_group_msg"), appendToGroup
	}
	k := c.newCall(cmd)
	var err error
	if k.req.body, err = write(k.req.body, c.opt.UserID, out); err != nil {
		return nil, err
	}
	k.send = true
	k.sent = Sent{From: c.opt.UserID, To: out.To, Group: out.Group, Seq: out.Seq, Random: out.Random, ClientTime: out.ClientTime}
	return k, nil
}

// appendOutgoing appends the body of a send.
func appendOutgoing(dst []byte, from string, out *Outgoing) ([]byte, error) {
	dst = appendString(append(dst, `{"From_Account":`...), from)
	dst = appendString(append(dst, `,"To_Account":`...), out.To)
	dst = strconv.AppendUint(append(dst, `,"MsgSeq":`...), uint64(out.Seq), 10)
	dst = strconv.AppendUint(append(dst, `,"MsgRandom":`...), uint64(out.Random), 10)
	dst, err := appendContent(dst, out)
	if err != nil {
		return dst, err
	}
	dst = appendFlag(append(dst, `,"IsNeedReadReceipt":`...), out.NeedReadReceipt)
	dst = appendExtras(dst, out)
	if out.OnlineOnly {
		dst = append(dst, `,"MsgLifeTime":0`...)
	}
	return appendEnd(dst, out)
}

// appendToGroup appends the body of a send to a group.
func appendToGroup(dst []byte, from string, out *Outgoing) ([]byte, error) {
	dst = appendString(append(dst, `{"From_Account":`...), from)
	dst = appendString(append(dst, `,"GroupId":`...), out.Group)
	dst = strconv.AppendUint(append(dst, `,"Random":`...), uint64(out.Random), 10)
	dst = strconv.AppendUint(append(dst, `,"ClientSeq":`...), uint64(out.Seq), 10)
	dst = appendString(append(dst, `,"MsgPriority":`...), cmp.Or(out.Priority, "Normal"))
	dst, err := appendContent(dst, out)
	if err != nil {
		return dst, err
	}
	dst = appendFlag(append(dst, `,"NeedReadReceipt":`...), out.NeedReadReceipt)
	dst = appendExtras(dst, out)
	dst = appendFlag(append(dst, `,"OnlineOnlyFlag":`...), out.OnlineOnly)
	return appendEnd(dst, out)
}

// appendContent appends what the message says, and when.
func appendContent(dst []byte, out *Outgoing) ([]byte, error) {
	dst = append(dst, `,"MsgBody":`...)
	var err error
	if out.Body == nil {
		dst, err = appendElements(dst, out.Elements)
	} else {
		dst, err = appendRaw(dst, out.Body)
	}
	if err != nil {
		return dst, err
	}
	dst = appendString(append(dst, `,"CloudCustomData":`...), out.CloudCustomData)
	return strconv.AppendInt(append(dst, `,"MsgClientTime":`...), out.ClientTime, 10), nil
}

func appendExtras(dst []byte, out *Outgoing) []byte {
	dst = appendFlag(append(dst, `,"SupportMessageExtension":`...), out.SupportExtension)
	return append(dst, `,"IsRelayMsg":0`...)
}

// appendEnd appends how the message counts and is pushed offline, and the end of the body.
func appendEnd(dst []byte, out *Outgoing) ([]byte, error) {
	dst = appendControl(dst, out.NoUnread, out.NoLastMessage)
	if out.OfflinePush == nil {
		return append(dst, '}'), nil
	}
	dst, err := appendRaw(append(dst, `,"OfflinePushInfo":`...), out.OfflinePush)
	return append(dst, '}'), err
}

func appendControl(dst []byte, noUnread, noLast bool) []byte {
	switch {
	case noUnread && noLast:
		return append(dst, `,"SendMsgControl":["NoUnread","NoLastMsg"]`...)
	case noUnread:
		return append(dst, `,"SendMsgControl":["NoUnread"]`...)
	case noLast:
		return append(dst, `,"SendMsgControl":["NoLastMsg"]`...)
	}
	return dst
}

func appendRaw(dst []byte, value jsontext.Value) ([]byte, error) {
	if !value.IsValid() {
		return dst, errContent
	}
	return append(dst, value...), nil
}

func appendFlag(dst []byte, flag bool) []byte {
	if flag {
		return append(dst, '1')
	}
	return append(dst, '0')
}
