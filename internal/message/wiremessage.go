package message

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// WireMessage is a message as clients and back ends read it (docs/protocol/wire.md#c2c-item).
type WireMessage struct {
	From        string       `json:"From_Account"`
	To          string       `json:"To_Account"`
	Seq         int64        `json:"MsgSeq"`
	Random      int64        `json:"MsgRandom"`
	Time        int64        `json:"MsgTimeStamp"`
	ClientTime  int64        `json:"MsgClientTime"`
	TinyID      string       `json:"TinyId"`
	ClientSeq   int64        `json:"ClientSeq"`
	Nick        *string      `json:"From_AccountNick,omitzero"`
	FaceURL     *string      `json:"From_AccountHeadurl,omitzero"`
	Body        wire.Raw     `json:"MsgBody"`
	CloudData   string       `json:"CloudCustomData"`
	NeedReceipt wire.Bool    `json:"IsNeedReadReceipt"`
	PeerRead    wire.Bool    `json:"IsPeerRead"`
	Extensible  wire.Bool    `json:"SupportMessageExtension"`
	Version     int64        `json:"MsgVersion"`
	Control     *sendControl `json:"SendMsgControl,omitempty"`
	LifeTime    *int64       `json:"MsgLifeTime,omitempty"` // 0: online only
	FlagBits    int          `json:"MsgFlagBits"`           // 8: recalled
	Revoker     *revoker     `json:"RevokerInfo,omitempty"`
	MsgKey      string       `json:"MsgKey,omitempty"` // at the REST door
}

type sendControl struct {
	NoUnread wire.Bool `json:"NoUnread"`
	NoLast   wire.Bool `json:"NoLastMsg"`
}

type revoker struct {
	Account string `json:"Revoker_Account"`
	Reason  string `json:"Reason"`
}

// flagRecalled is the bit of MsgFlagBits, and of LastMsgFlags, that says a message was recalled.
const flagRecalled = 8

// readState is what each of two parties has read of the other's messages.
type readState struct {
	upTo     map[im.AccountID]int64 // a sequence, by whose messages they are
	receipts map[int64]bool         // the messages of which there are receipts, by their ids
}

// withReceipts are the ids of those messages that asked for receipts.
func withReceipts(messages []chat.Message) (ids []int64) {
	for i := range messages {
		if messages[i].Flags.Has(chat.NeedReceipt) {
			ids = append(ids, messages[i].ID)
		}
	}
	return ids
}

// wireFor writes a message for one of the chat's parties, x and y.
func wireFor(m *chat.Message, x, y account.Account, read readState) WireMessage {
	from, to := x, y
	if m.From == y.ID {
		from, to = y, x
	}
	written := wireOf(m, from, to)
	// A message that asks for a receipt of its own counts as read by that receipt only.
	written.PeerRead = wire.Bool(m.Sequence <= read.upTo[from.ID])
	if m.Flags.Has(chat.NeedReceipt) {
		written.PeerRead = wire.Bool(read.receipts[m.ID])
	}
	return written
}

func wireOf(m *chat.Message, from, to account.Account) WireMessage {
	written := WireMessage{
		From: from.UserID, To: to.UserID, Seq: m.Seq, Random: m.Random, Time: m.Time, ClientTime: m.ClientTime,
		TinyID: tinyID(from.ID), ClientSeq: m.Seq,
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version,
		NeedReceipt: wire.Bool(m.Flags.Has(chat.NeedReceipt)), Extensible: wire.Bool(m.Flags.Has(chat.Extensible)),
	}
	// Both or neither: the web client passes over a nick that comes without an avatar.
	if m.Nick != "" || m.FaceURL != "" {
		written.Nick, written.FaceURL = &m.Nick, &m.FaceURL
	}
	if m.Flags.Has(chat.NoUnread) || m.Flags.Has(chat.NoLast) {
		written.Control = &sendControl{wire.Bool(m.Flags.Has(chat.NoUnread)), wire.Bool(m.Flags.Has(chat.NoLast))}
	}
	if m.Flags.Has(chat.Recalled) {
		written.FlagBits = flagRecalled
		written.Revoker = &revoker{m.Revoker, m.Reason}
	}
	return written
}

func tinyID(id im.AccountID) string { return itoa(int64(id)) }
