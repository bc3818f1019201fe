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

// What this room pushes (docs/protocol/wire.md#push-catalogue). Of notices, one push item holds exactly one: clients
// walk the whole list again for each.
var (
	newMessages = event.Define[[]Item](9, "C2cMsgArray")
	recalled    = event.Define[[]recallNotice](10, "C2cNotifyMsgArray")
	modified    = event.Define[[]modifyNotice](18, "C2cMsgModNotifys")
	readByPeer  = event.Define[[]peerReadNotice](10, "C2cNotifyMsgArray")
	readBySelf  = event.Define[[]ownReadNotice](10, "C2cNotifyMsgArray")
)

// Events lists what the room pushes.
func (m *Messages) Events() []event.Declared {
	return []event.Declared{
		newMessages.Declaration(), recalled.Declaration(), modified.Declaration(), readByPeer.Declaration(), readBySelf.Declaration(),
	}
}

type recallNotice struct {
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
	return recalled.Of([]recallNotice{{recallList{[]recallInfo{{
		From: from.UserID, To: to.UserID, Seq: m.Seq, Random: m.Random, Time: m.Time, ClientTime: m.ClientTime,
		TinyID: tinyID(from.ID), Revoker: revoker{m.Revoker, m.Reason},
	}}}}})
}

type modifyNotice struct {
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
	return modified.Of([]modifyNotice{{
		From: from.UserID, To: to.UserID, Seq: m.Seq, Random: m.Random, Time: m.Time,
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version,
	}})
}

type peerReadNotice struct {
	Receipt struct {
		To   string     `json:"To_Account"`
		List []lastRead `json:"UinPairReadArray"`
	} `json:"C2cReadedReceipt"`
}

type ownReadNotice struct {
	Read struct {
		List []lastRead `json:"UinPairReadArray"`
	} `json:"ReadC2cMsgNotify"`
}

// ownRead tells an account's devices that it has read a peer's messages up to a second.
func ownRead(peer account.Account, until int64) event.Event {
	var n ownReadNotice
	n.Read.List = []lastRead{{From: peer.UserID, Time: until}}
	return readBySelf.Of([]ownReadNotice{n})
}

// peerRead tells an account's devices that a reader has read its messages up to a second.
func peerRead(reader account.Account, until int64) event.Event {
	var n peerReadNotice
	n.Receipt.To = reader.UserID
	n.Receipt.List = []lastRead{{Time: until}}
	return readByPeer.Of([]peerReadNotice{n})
}

type lastRead struct {
	From string `json:"From_Account,omitempty"`
	Time int64  `json:"LastReadTime"`
}

// pushNew tells the receiver, and the sender's other devices, of a new message.
func (m *Messages) pushNew(by *command.Call, d *Draft) {
	it := itemOf(&d.Message, d.Sender, d.Receiver)
	if d.OnlineOnly {
		it.LifeTime = new(int64)
	}
	frame, err := m.router.Frame(newMessages.Of([]Item{it}))
	if err != nil {
		m.warn(d.Receiver.ID, err)
		return
	}
	at := event.Sequence{Chat: d.Message.Chat, Number: d.Message.Sequence}
	m.sendFrame(d.Receiver.ID, event.Devices(d.Receiver.ID).Except(own(by, d.Sender, d.Receiver)).At(at), frame)
	if d.ToSender && d.Sender.ID != d.Receiver.ID {
		m.sendFrame(d.Sender.ID, event.Devices(d.Sender.ID).Except(by.Instance).At(at), frame)
	}
}

// pushRecall tells both parties of a recall. The kits on the newer web client wait for the event on the author's own
// connection too; an application on the full one would get it as a second sign of what it did itself.
func (m *Messages) pushRecall(by *command.Call, r *recall, target *chat.Message) {
	item, except := recallOf(r.sender, r.receiver, target), by.Instance
	if by.Lite {
		except = 0
	}
	if r.sender.ID == r.receiver.ID {
		m.push(r.sender, except, item)
		return
	}
	m.push(r.receiver, 0, item)
	m.push(r.sender, except, item)
}

// pushParties tells those parties that see a message of something about it, all devices but one.
func (m *Messages) pushParties(
	sender, receiver account.Account, of *chat.Message, except im.InstanceID, item event.Event,
) {
	frame, err := m.router.Frame(item)
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
func own(by *command.Call, sender, receiver account.Account) im.InstanceID {
	if sender.ID == receiver.ID {
		return by.Instance
	}
	return 0
}

// push sends one item to an account's devices, all but one.
func (m *Messages) push(to account.Account, except im.InstanceID, item event.Event) {
	if err := m.router.Push(event.Devices(to.ID).Except(except), item); err != nil {
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
