package message

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message/element"
	"github.com/magpie-im/magpie/internal/wire"
)

// sendRequest is a message as either door brings it. A client sends the fields of the last group too, a back end those
// of the first; both may leave out what has a default.
type sendRequest struct {
	SyncOtherMachine *int   `json:"SyncOtherMachine"`
	MsgTimeStamp     *int64 `json:"MsgTimeStamp"`

	From string `json:"From_Account"`
	To   string `json:"To_Account"`
	content

	Nick       *string `json:"From_AccountNick"`
	FaceURL    *string `json:"From_AccountHeadurl"`
	ClientTime int64   `json:"MsgClientTime"`
}

// content is what sendmsg and batchsendmsg have in common.
type content struct {
	OnlineOnly   wire.Bool        `json:"OnlineOnlyFlag"`
	LifeTime     *int64           `json:"MsgLifeTime"`
	Seq          *uint32          `json:"MsgSeq"`
	Random       *uint32          `json:"MsgRandom"`
	Control      []string         `json:"SendMsgControl"`
	Body         wire.Raw         `json:"MsgBody"`
	CloudData    string           `json:"CloudCustomData"`
	Extensible   wire.Bool        `json:"SupportMessageExtension"`
	NeedReceipt  wire.Bool        `json:"IsNeedReadReceipt"`
	Relayed      wire.Bool        `json:"IsRelayMsg"`
	OfflinePush  *offlinePushInfo `json:"OfflinePushInfo"`
	NoCallback   []string         `json:"ForbidCallbackControl"`
	ModerationID string           `json:"CustomModerationConfigID"`
}

// offlinePushInfo is checked for its form; there is no vendor push yet that would use it.
type offlinePushInfo struct {
	PushFlag int    `json:"PushFlag"`
	Title    string `json:"Title"`
	Desc     string `json:"Desc"`
	Ext      string `json:"Ext"`
}

// The values of SyncOtherMachine.
const (
	syncSender   = 1 // the sender's devices and history get the message too
	noSenderCopy = 2 // only the receiver sees it
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
	return command.New(command.Spec{
		Service: service, Name: "sendmsg", By: command.Administrator | command.Member, Family: im.FamilyMessage(), Fields: messageFields(),
		Doc: "send a message to one account", Section: "rest.md#sendmsg",
	}, m.send)
}

// send stores the message and then pushes it. It is safe to repeat: the same message key finds the first message.
func (m *Messages) send(ctx context.Context, call *command.Call, r *sendRequest) (*sendReply, error) {
	if !call.Admin() || r.From == "" {
		r.From = call.UserID
	}
	sender, receiver, err := m.parties(ctx, call, r.From, r.To)
	if err != nil {
		return nil, err
	}
	e, err := r.entry(call, sender, receiver, m.db.Now())
	if err != nil {
		return nil, err
	}
	d := &delivery{call, sender, receiver, e, r.onlineOnly(), r.NoCallback}
	passes, err := m.pass(ctx, d)
	if err != nil {
		return nil, err
	}
	if passes && m.mustPush(e) {
		m.pushNew(call, sender, receiver, e, r.reach(call))
		m.flush(ctx)
	}
	return e.reply(), nil
}

// pass takes the message past the back end and into the store. It reports false of one that goes nowhere, though its
// sender is to think that it does.
func (m *Messages) pass(ctx context.Context, d *delivery) (bool, error) {
	silent, err := m.ask(ctx, d)
	if err != nil {
		if _, refused := im.Refusal(err); refused {
			if failed := m.tellUnstored(ctx, d, err); failed != nil {
				return false, failed
			}
		}
		return false, err
	}
	e := d.entry
	if silent || d.onlineOnly {
		e.time = m.db.Now().Unix()
		e.clock = cmp.Or(e.clientTime, e.time)
	}
	switch {
	case silent:
		return false, nil
	case d.onlineOnly:
		return true, m.tellUnstored(ctx, d, nil)
	}
	if err := d.prepare(); err != nil {
		return false, err
	}
	return true, m.store(ctx, e)
}

// mustPush tells whether the entry is to be pushed. One that was stored already was pushed when it was stored, unless
// another node stored it: that node may have died before, and then its client repeats the request here.
func (m *Messages) mustPush(e *entry) bool {
	return !e.duplicate || !m.accounts.Made(e.id)
}

func (e *entry) reply() *sendReply {
	return &sendReply{MsgTime: e.time, MsgKey: Key{e.seq, e.random, e.time}.String(), MsgID: e.messageID(e.clock)}
}

// messageID is the id that clients give a message sent at the clock's second.
func (e *entry) messageID(clock int64) string {
	return fmt.Sprintf("%d-%d-%d", e.from, clock, e.random)
}

// store writes the entry; when it returns, the message is on disk.
func (m *Messages) store(ctx context.Context, e *entry) error {
	if err := m.appends.Write(ctx, e); err != nil {
		return fmt.Errorf("store message: %w", err)
	}
	m.chats.put(pairOf(e.from, e.to), e.chat)
	return nil
}

// entry checks the request's own fields and makes what is stored.
func (r *sendRequest) entry(call *command.Call, sender, receiver account.Account, now time.Time) (*entry, error) {
	e, err := r.content.entry(call, sender, receiver)
	if err != nil {
		return nil, err
	}
	if r.SyncOtherMachine != nil {
		switch *r.SyncOtherMachine {
		case syncSender:
		case noSenderCopy:
			e.hidden = hiddenFromSender
		default:
			return nil, im.Errorf(im.CodeMessageSync, "SyncOtherMachine is %d: want 1 or 2", *r.SyncOtherMachine)
		}
	}
	if call.Admin() {
		return e, e.stamp(r.MsgTimeStamp, now)
	}
	e.clientTime, e.keyTime = r.ClientTime, r.ClientTime
	if r.Nick != nil {
		e.nick = wire.Text(*r.Nick)
	}
	if r.FaceURL != nil {
		e.faceURL = wire.Text(*r.FaceURL)
	}
	if len(e.nick) > im.MaxProfileBytes || len(e.faceURL) > im.MaxProfileBytes {
		return nil, im.Errorf(im.CodeMessageFormat, "From_AccountNick and From_AccountHeadurl: at most %d bytes", im.MaxProfileBytes)
	}
	return e, nil
}

// stampFresh is how near to the present a back end's time must be to tell a repeated call from a new one.
const stampFresh = 24 * 3600

// stamp takes the time that a back end gave its message. The message's own time is the server's, as in the reference
// system; the given one is part of what makes two calls the same message. A stale one, as copied from a documentation's
// example, is not, or the second message ever sent with it would be taken for the first.
func (e *entry) stamp(given *int64, now time.Time) error {
	if given == nil {
		return nil
	}
	if *given < 0 {
		return im.Errorf(im.CodeMessageTime, "MsgTimeStamp is %d: want unix seconds", *given)
	}
	if off := *given - now.Unix(); -stampFresh < off && off < stampFresh {
		e.keyTime = *given
	}
	return nil
}

// entry checks what sendmsg and batchsendmsg have in common.
func (c *content) entry(call *command.Call, sender, receiver account.Account) (*entry, error) {
	if c.Random == nil {
		return nil, im.Errorf(im.CodeMessageRandom, "MsgRandom is missing")
	}
	if c.Seq == nil {
		seq, err := drawSeq()
		if err != nil {
			return nil, err
		}
		c.Seq = &seq
	}
	body, err := element.Parse(c.Body, call.App.Settings.MessageBytes-len(c.CloudData))
	if err != nil {
		return nil, c.tooLong(call, err)
	}
	lifetime, err := c.lifetime()
	if err != nil {
		return nil, err
	}
	return &entry{
		app: call.App.ID, from: sender.ID, to: receiver.ID, seq: int64(*c.Seq), random: int64(*c.Random),
		flags: c.flags(), lifetime: lifetime, body: body.JSON(), cloudData: wire.Text(c.CloudData),
		nick: sender.Nick, faceURL: sender.FaceURL,
	}, nil
}

// tooLong gives the refusal of an overlong message the code that each door documents.
func (c *content) tooLong(call *command.Call, err error) error {
	if refusal, ok := im.Refusal(err); ok && refusal.Code == im.CodeMessageTooLong && call.Admin() {
		return im.Errorf(im.CodeBodyTooLong, "%s", refusal.Info)
	}
	return err
}

func (c *content) lifetime() (int64, error) {
	if c.LifeTime == nil {
		return im.MaxLifetimeSeconds, nil
	}
	if *c.LifeTime < 0 {
		return 0, im.Errorf(im.CodeMessageLifetime, "MsgLifeTime is %d: want 0 to %d seconds", *c.LifeTime, im.MaxLifetimeSeconds)
	}
	return min(*c.LifeTime, im.MaxLifetimeSeconds), nil // longer is documented to be kept for seven days too
}

// onlineOnly tells a message that is delivered to whoever is online and stored nowhere.
func (c *content) onlineOnly() bool {
	return bool(c.OnlineOnly) || (c.LifeTime != nil && *c.LifeTime == 0)
}

func (c *content) flags() Flags {
	var f Flags
	for flag, on := range map[Flags]bool{
		NeedReceipt: bool(c.NeedReceipt), Extensible: bool(c.Extensible), Relayed: bool(c.Relayed),
		NoUnread: slices.Contains(c.Control, "NoUnread"), NoLast: slices.Contains(c.Control, "NoLastMsg"),
	} {
		if on {
			f |= flag
		}
	}
	return f
}

// reach says who is told of a new message at once.
type reach struct {
	sender     bool // the sender's other devices too
	onlineOnly bool
}

// reach: a client's other devices always follow; a back end says whether the sender's do.
func (r *sendRequest) reach(call *command.Call) reach {
	to := reach{sender: true, onlineOnly: r.onlineOnly()}
	if call.Admin() {
		to.sender = r.SyncOtherMachine != nil && *r.SyncOtherMachine == syncSender
	}
	return to
}

// drawSeq gives a message the sequence that its sender left out.
func drawSeq() (uint32, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("draw MsgSeq: %w", err)
	}
	return binary.BigEndian.Uint32(random[:]), nil
}
