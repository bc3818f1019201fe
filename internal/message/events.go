package message

import (
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue). An event other than a new message holds exactly one
// value: clients walk the whole list again for each.
var (
	newMessages = event.Define[[]WireMessage](9, "C2cMsgArray")
	recalled    = event.Define[[]recallEvent](10, "C2cNotifyMsgArray")
	modified    = event.Define[[]editEvent](18, "C2cMsgModNotifys")
	readByPeer  = event.Define[[]peerReadEvent](10, "C2cNotifyMsgArray")
	newReceipts = event.DefineOpen[receiptEvent](16, "C2cMsgInfo")
	readBySelf  = event.Define[[]ownReadEvent](10, "C2cNotifyMsgArray")
)

// Events lists what the room pushes.
func (m *Messages) Events() []event.Declared {
	return []event.Declared{
		newMessages.Declaration(), recalled.Declaration(), modified.Declaration(), readByPeer.Declaration(), readBySelf.Declaration(),
		newReceipts.Declaration(),
	}
}

type recallEvent struct {
	Withdraw recallList `json:"WithdrawC2cMsgNotify"`
}

type recallList struct {
	List []recallInfo `json:"C2cWithdrawInfoArray"`
}

type recallInfo struct {
	From       string  `json:"From_Account"`
	To         string  `json:"To_Account"`
	Seq        int64   `json:"MsgSeq"`
	Random     int64   `json:"MsgRandom"`
	Time       int64   `json:"MsgTimeStamp"`
	ClientTime int64   `json:"MsgClientTime"`
	TinyID     string  `json:"TinyId"`
	Revoker    revoker `json:"RevokerInfo"`
}

func recallOf(from, to account.Account, m *chat.Message) event.Event {
	return recalled.Of([]recallEvent{{recallList{[]recallInfo{{
		From: from.UserID, To: to.UserID, Seq: m.Seq, Random: m.Random, Time: m.Time, ClientTime: m.ClientTime,
		TinyID: tinyID(from.ID), Revoker: revoker{m.Revoker, m.Reason},
	}}}}})
}

type editEvent struct {
	From      string   `json:"From_Account"`
	To        string   `json:"To_Account"`
	Seq       int64    `json:"MsgSeq"`
	Random    int64    `json:"MsgRandom"`
	Time      int64    `json:"MsgTime"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData string   `json:"CloudCustomData"`
	Version   int64    `json:"MsgVersion"`
}

func modifiedOf(from, to account.Account, m *chat.Message) event.Event {
	return modified.Of([]editEvent{{
		From: from.UserID, To: to.UserID, Seq: m.Seq, Random: m.Random, Time: m.Time,
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version,
	}})
}

type peerReadEvent struct {
	Receipt struct {
		To   string     `json:"To_Account"`
		List []lastRead `json:"UinPairReadArray"`
	} `json:"C2cReadedReceipt"`
}

type ownReadEvent struct {
	Read struct {
		List []lastRead `json:"UinPairReadArray"`
	} `json:"ReadC2cMsgNotify"`
}

// ownRead tells an account's devices that it has read a peer's messages up to a second.
func ownRead(peer account.Account, until int64) event.Event {
	var n ownReadEvent
	n.Read.List = []lastRead{{From: peer.UserID, Time: until}}
	return readBySelf.Of([]ownReadEvent{n})
}

// peerRead tells an account's devices that a reader has read its messages up to a second.
func peerRead(reader account.Account, until int64) event.Event {
	var n peerReadEvent
	n.Receipt.To = reader.UserID
	n.Receipt.List = []lastRead{{Time: until}}
	return readByPeer.Of([]peerReadEvent{n})
}

// receiptEvent tells a sender which of his messages the peer has read.
type receiptEvent struct {
	Reader   string        `json:"Peer_Account"`
	Time     int64         `json:"PeerReadTime"`
	Messages []messageName `json:"C2cMsgInfo"`
}

func receiptOf(reader, sender account.Account, messages []*chat.Message, at int64) event.Event {
	e := receiptEvent{Reader: reader.UserID, Time: at}
	for _, m := range messages {
		e.Messages = append(e.Messages, messageName{
			sender.UserID, reader.UserID, m.Seq, m.Random, m.Time, m.ClientTime, tinyID(sender.ID),
		})
	}
	return newReceipts.Of(e)
}

type lastRead struct {
	From string `json:"From_Account,omitempty"`
	Time int64  `json:"LastReadTime"`
}

// pushNew pushes a new message to the receiver, and to the sender's other devices.
func (m *Messages) pushNew(by *command.Call, d *Draft) {
	written := wireOf(&d.Message, d.Sender, d.Receiver)
	if d.OnlineOnly {
		written.LifeTime = new(int64)
	}
	frame, err := m.router.Frame(newMessages.Of([]WireMessage{written}))
	if err != nil {
		m.warn(d.Receiver.ID, err)
		return
	}
	at := event.Sequence{Chat: d.Message.Chat, Number: d.Message.Sequence}
	if d.Message.Hidden&chat.FromPeer == 0 {
		m.sendFrame(d.Receiver.ID, event.Devices(d.Receiver.ID).Except(own(by, d.Sender, d.Receiver)).At(at), frame)
	}
	if d.ToSender && d.Sender.ID != d.Receiver.ID {
		m.sendFrame(d.Sender.ID, event.Devices(d.Sender.ID).Except(by.Device).At(at), frame)
	}
}

// pushRecall pushes a recall to both parties. The kits on the newer web client wait for the event on the author's own
// session too; an application on the full web client would be told a second time of its own recall.
func (m *Messages) pushRecall(by *command.Call, r *recall, target *chat.Message) {
	e, except := recallOf(r.sender, r.receiver, target), by.Device
	if by.Lite {
		except = 0
	}
	if r.sender.ID == r.receiver.ID {
		m.push(r.sender, except, e)
		return
	}
	if target.Hidden&chat.FromPeer == 0 {
		m.push(r.receiver, 0, e)
	}
	m.push(r.sender, except, e)
}

// pushParties pushes an event about a message to those parties that see the message, all devices but one.
func (m *Messages) pushParties(
	sender, receiver account.Account, of *chat.Message, except im.DeviceID, e event.Event,
) {
	frame, err := m.router.Frame(e)
	if err != nil {
		m.warn(receiver.ID, err)
		return
	}
	if of.Hidden&chat.FromPeer == 0 {
		m.sendFrame(receiver.ID, event.Devices(receiver.ID).Except(except), frame)
	}
	if of.Hidden&chat.FromSender == 0 && sender.ID != receiver.ID {
		m.sendFrame(sender.ID, event.Devices(sender.ID).Except(except), frame)
	}
}

// own is the device to leave out of the receiver's push: the asking one, when an account writes to itself.
func own(by *command.Call, sender, receiver account.Account) im.DeviceID {
	if sender.ID == receiver.ID {
		return by.Device
	}
	return 0
}

// push pushes one event to an account's devices, all but one.
func (m *Messages) push(to account.Account, except im.DeviceID, e event.Event) {
	if err := m.router.Push(event.Devices(to.ID).Except(except), e); err != nil {
		m.warn(to.ID, err)
	}
}

func (m *Messages) sendFrame(account im.AccountID, to event.Audience, frame []byte) {
	if err := m.router.Send(to, frame); err != nil {
		m.warn(account, err)
	}
}

func (m *Messages) warn(to im.AccountID, err error) {
	m.log.Warn("push", telemetry.FieldAccount, to, telemetry.FieldError, err)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
