package message

import (
	"context"
	"math"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

// sendRequest is a message as either door brings it. A client sends its clock too, a back end the first group's fields;
// both may leave out what has a default.
type sendRequest struct {
	SyncOtherMachine *int   `json:"SyncOtherMachine"`
	MsgTimeStamp     *int64 `json:"MsgTimeStamp"`

	From string `json:"From_Account"`
	To   string `json:"To_Account"`
	sendFields

	// A client also sends the nick and the avatar that it believes to have: a message has those of its sender's profile.
	ClientTime int64 `json:"MsgClientTime"`
}

// sendFields is what sendmsg and batchsendmsg have in common.
type sendFields struct {
	send.Fields
	LifeTime    *int64    `json:"MsgLifeTime"`
	Seq         *uint32   `json:"MsgSeq"`
	Random      *uint32   `json:"MsgRandom"`
	NeedReceipt wire.Bool `json:"IsNeedReadReceipt"`
}

// The values of SyncOtherMachine.
const (
	SyncSender   = 1 // the sender's devices and history get the message too
	NoSenderCopy = 2 // only the receiver sees it
)

// messageFields are the codes for fields of the wrong type, by the public documentation.
func messageFields() map[string]im.Code {
	return map[string]im.Code{
		"From_Account": im.CodeMessageSender, "To_Account": im.CodeMessageReceiver, "MsgSeq": im.CodeMessageFormat,
		"MsgRandom": im.CodeMessageRandom, "MsgTimeStamp": im.CodeMessageTime, "SyncOtherMachine": im.CodeMessageSync,
		"MsgLifeTime": im.CodeMessageLifetimeType, "OfflinePushInfo": im.CodeMessagePushInfo,
		"SyncFromOldSystem": im.CodeImportMode, "MsgBody": im.CodeMessageBody,
	}
}

type sendReply struct {
	MsgTime int64  `json:"MsgTime"`
	MsgKey  string `json:"MsgKey"`
	MsgID   string `json:"MsgId"`
}

func (m *Messages) sendCommand() command.Command {
	return command.NewDeferred(command.Spec{
		Service: service, Name: "sendmsg", By: command.Administrator | command.Account, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: sendCodes(),
		Doc: "send a message to one account", Section: "rest.md#sendmsg",
	}, m.send)
}

func (m *Messages) send(ctx context.Context, call *command.Call, r *sendRequest, answer func(*sendReply, error)) {
	d, err := m.draftOf(ctx, call, r)
	if err != nil {
		answer(nil, err)
		return
	}
	m.Submit(ctx, call, d, func(err error) {
		if err != nil {
			answer(nil, err)
			return
		}
		answer(d.reply(), nil)
	})
}

// draftOf checks a request and makes its message.
func (m *Messages) draftOf(ctx context.Context, call *command.Call, r *sendRequest) (*Draft, error) {
	if !call.Admin() || r.From == "" {
		r.From = call.UserID
	}
	sender, receiver, err := m.parties(ctx, call.App, r.From, r.To)
	if err != nil {
		return nil, err
	}
	d, err := r.draft(call, sender, receiver, m.db.Now())
	if err == nil {
		d.gated(call)
	}
	return d, err
}

func (d *Draft) reply() *sendReply {
	return &sendReply{
		MsgTime: d.Message.Time, MsgKey: Key(d.Message.Key()).String(), MsgID: d.MessageID(d.Message.ClientTime),
	}
}

// draft checks the request's own fields and makes the message.
func (r *sendRequest) draft(call *command.Call, sender, receiver account.Account, now time.Time) (*Draft, error) {
	d, err := r.sendFields.draft(call, sender, receiver)
	if err != nil {
		return nil, err
	}
	if r.SyncOtherMachine != nil {
		switch *r.SyncOtherMachine {
		case 0, SyncSender: // typed languages write 0 for what they were not given
		case NoSenderCopy:
			d.Hidden = chat.FromSender
		default:
			return nil, im.Errorf(im.CodeMessageSync, "SyncOtherMachine is %d: want 1 or 2", *r.SyncOtherMachine)
		}
	}
	if call.Admin() {
		// A client's other devices always follow; a back end says whether the sender's do.
		d.ToSender = r.SyncOtherMachine != nil && *r.SyncOtherMachine == SyncSender
		return d, d.stamp(r.MsgTimeStamp, now)
	}
	d.ClientTime, d.KeyTime = r.ClientTime, r.ClientTime
	if d.ClientTime < 0 || d.ClientTime > math.MaxUint32 { // no clock of seconds, and clients read it
		d.ClientTime = now.Unix()
	}
	return d, nil
}

// stampFresh is how near to the present a back end's time must be to tell a repeated call from a new one.
const stampFresh = 24 * 3600

// stamp takes the time that a back end gave its message. The message's own time is the server's, as in the reference
// system; the given one is part of what makes two calls the same message. A stale one, as copied from a documentation's
// example, is not, or the second message ever sent with it would be taken for the first.
func (d *Draft) stamp(given *int64, now time.Time) error {
	if given == nil {
		return nil
	}
	if *given < 0 {
		return im.Errorf(im.CodeMessageTime, "MsgTimeStamp is %d: want unix seconds", *given)
	}
	if off := *given - now.Unix(); -stampFresh < off && off < stampFresh {
		d.KeyTime = *given
	}
	return nil
}

// draft checks what sendmsg and batchsendmsg have in common.
func (c *sendFields) draft(call *command.Call, sender, receiver account.Account) (*Draft, error) {
	if c.Random == nil {
		return nil, im.Errorf(im.CodeMessageRandom, "MsgRandom is missing")
	}
	body, err := c.Parse(call)
	if err != nil {
		return nil, err
	}
	d, err := NewDraft(sender, receiver, body)
	if err != nil {
		return nil, err
	}
	if d.Lifetime, err = c.lifetime(); err != nil {
		return nil, err
	}
	d.Random = int64(*c.Random)
	if c.Seq != nil {
		d.Seq = int64(*c.Seq)
	}
	c.Into(&d.Draft, call)
	d.OnlineOnly = d.OnlineOnly || c.LifeTime != nil && *c.LifeTime == 0
	if c.NeedReceipt {
		d.Flags |= chat.NeedReceipt
	}
	return d, nil
}

func (c *sendFields) lifetime() (int64, error) {
	if c.LifeTime == nil {
		return im.MaxLifetimeSeconds, nil
	}
	if *c.LifeTime < 0 {
		return 0, im.Errorf(im.CodeMessageLifetime, "MsgLifeTime is %d: want 0 to %d seconds", *c.LifeTime, im.MaxLifetimeSeconds)
	}
	return min(*c.LifeTime, im.MaxLifetimeSeconds), nil // longer is documented to be kept for seven days too
}
