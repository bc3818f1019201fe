package message

import (
	"context"
	"strconv"

	"github.com/magpie-im/magpie/internal/command"

	"github.com/magpie-im/magpie/internal/account"
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

func recallOf(from, to account.Account, s *stored) recallNotice {
	return recallNotice{recallList{[]recallInfo{{
		From: from.UserID, To: to.UserID, Seq: s.seq, Random: s.random, Time: s.time, ClientTime: s.clientTime,
		TinyID: tinyID(from.ID), Revoker: revoker{s.revoker, s.reason},
	}}}}
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

func modifiedOf(from, to account.Account, s *stored) event.Item {
	return modified.Of([]modifyNotice{{
		From: from.UserID, To: to.UserID, Seq: s.seq, Random: s.random, Time: s.time,
		Body: wire.Raw(s.body), CloudData: s.cloudData, Version: s.version,
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
func ownRead(peer account.Account, until int64) event.Item {
	var n ownReadNotice
	n.Read.List = []lastRead{{From: peer.UserID, Time: until}}
	return readBySelf.Of([]ownReadNotice{n})
}

// peerRead tells an account's devices that a reader has read its messages up to a second.
func peerRead(reader account.Account, until int64) event.Item {
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
func (m *Messages) pushNew(call *command.Call, sender, receiver account.Account, e *entry, to reach) {
	it := itemOf(sender, receiver, e.stored())
	if to.onlineOnly {
		it.LifeTime = new(int64)
	}
	frame, err := m.router.Frame(newMessages.Of([]Item{it}))
	if err != nil {
		m.warn(receiver.ID, err)
		return
	}
	at := event.Place{Chat: e.chat, Sequence: e.sequence}
	m.sendFrame(event.Target{Account: receiver.ID, Except: own(call, sender, receiver), Place: at}, frame)
	if to.sender && sender.ID != receiver.ID {
		m.sendFrame(event.Target{Account: sender.ID, Except: call.Instance, Place: at}, frame)
	}
}

// flush is called between the pushes of an acknowledged message and its acknowledgement. Without it a node that is
// killed right after the acknowledgement would take the pushes along, and a receiver on another node, who stays
// connected, would have no reason to pull.
func (m *Messages) flush(ctx context.Context) {
	if err := m.router.Flush(ctx); err != nil {
		m.log.WarnContext(ctx, "flush events", telemetry.FieldError, err)
	}
}

// own is the device to leave out of the receiver's push: the asking one, when an account writes to itself.
func own(call *command.Call, sender, receiver account.Account) im.InstanceID {
	if sender.ID == receiver.ID {
		return call.Instance
	}
	return 0
}

// push sends one item to an account's devices, all but one.
func (m *Messages) push(to account.Account, except im.InstanceID, item event.Item) {
	if err := m.router.Push(event.Target{Account: to.ID, Except: except}, item); err != nil {
		m.warn(to.ID, err)
	}
}

func (m *Messages) sendFrame(to event.Target, frame []byte) {
	if err := m.router.Send(to, frame); err != nil {
		m.warn(to.Account, err)
	}
}

func (m *Messages) warn(to im.AccountID, err error) {
	m.log.Warn("push", telemetry.FieldAccount, to, telemetry.FieldError, err)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
