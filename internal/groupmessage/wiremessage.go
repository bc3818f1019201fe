package groupmessage

import (
	"strconv"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// WireMessage is a message of a group as clients and back ends read it (docs/protocol/wire.md#group-item).
type WireMessage struct {
	From        string       `json:"From_Account"`
	To          string       `json:"ToGroupId"`
	Group       string       `json:"GroupId"`
	Info        *groupInfo   `json:"GroupInfo,omitempty"` // in pushes
	Sequence    int64        `json:"MsgSeq"`
	Random      int64        `json:"MsgRandom"`
	RandomAgain int64        `json:"Random"`
	Time        int64        `json:"MsgTimeStamp"`
	ClientTime  int64        `json:"MsgClientTime"`
	TinyID      string       `json:"TinyId"`
	ClientSeq   int64        `json:"ClientSeq"`
	Priority    wire.Raw     `json:"MsgPriority"` // its name in a push, its number in history
	Body        wire.Raw     `json:"MsgBody"`
	CloudData   string       `json:"CloudCustomData"`
	NeedReceipt wire.Bool    `json:"NeedReadReceipt"`
	Extensible  wire.Bool    `json:"SupportMessageExtension"`
	Version     int64        `json:"MsgVersion"`
	Mentions    mentions     `json:"GroupAtInfo"`
	Control     *sendControl `json:"SendMsgControl,omitempty"`
	OnlineOnly  wire.Bool    `json:"OnlineOnlyFlag,omitzero"`
	// Placeholder is 0 of a message that is there, 1 of one that the reader cannot see, and 2 of a recalled one.
	Placeholder int      `json:"IsPlaceMsg"`
	Revoker     *revoker `json:"RevokerInfo,omitempty"`
	Event       int      `json:"Event"` // eventMessage, or of a tip eventTip or eventPassing
	// System is 1 of a tip.
	System wire.Bool `json:"IsSystemMsg,omitzero"`
}

// eventMessage is the Event of what members say.
const eventMessage = 3

// The values of Item.Placeholder.
const (
	unseen   = 1
	recalled = 2
)

type sendControl struct {
	NoUnread wire.Bool `json:"NoUnread"`
	NoLast   wire.Bool `json:"NoLastMsg"`
}

type revoker struct {
	Account string `json:"Revoker_Account"`
	Reason  string `json:"Reason"`
}

// groupInfo is what a client learns of the group and the sender by a push.
type groupInfo struct {
	Group   string    `json:"GroupId"`
	Name    string    `json:"GroupName"`
	Type    string    `json:"GroupType"`
	From    string    `json:"From_Account"`
	To      string    `json:"To_Account,omitempty"` // of a notification
	Nick    string    `json:"From_AccountNick"`
	FaceURL string    `json:"From_AccountHeadurl"`
	Extra   extraInfo `json:"MsgFrom_AccountExtraInfo"`
}

type extraInfo struct {
	NameCard string `json:"NameCard"`
}

// wireOf writes a message without what only a push says. from is its sender's user id.
func wireOf(m *chat.Message, of *group.Group, from string) WireMessage {
	it := WireMessage{
		From: from, To: of.GroupID, Group: of.GroupID, Sequence: m.Sequence, Random: m.Random, RandomAgain: m.Random,
		Time: m.Time, ClientTime: m.ClientTime, TinyID: tinyID(m.From), ClientSeq: m.Seq, Priority: named(m.Flags),
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version, Mentions: readMentions(m.Mentions),
		NeedReceipt: wire.Bool(m.Flags.Has(chat.NeedReceipt)), Extensible: wire.Bool(m.Flags.Has(chat.Extensible)),
		Event: eventMessage,
	}
	if m.Tip() {
		it.From, it.TinyID, it.Event, it.System = system, systemTinyID, eventTip, true
	} else if m.Flags.Has(chat.NoUnread) || m.Flags.Has(chat.NoLast) {
		it.Control = &sendControl{wire.Bool(m.Flags.Has(chat.NoUnread)), wire.Bool(m.Flags.Has(chat.NoLast))}
	}
	if m.Flags.Has(chat.Recalled) {
		it.Placeholder = recalled
		it.Revoker = &revoker{m.Revoker, m.Reason}
	}
	return it
}

// pushed writes a draft that was sent as it is pushed.
func (d *Draft) pushed() WireMessage {
	it := wireOf(&d.Message, d.Group, d.Sender.UserID)
	it.OnlineOnly = wire.Bool(d.OnlineOnly)
	it.Info = d.info()
	return it
}

// info is what a push says of the draft's group and sender.
func (d *Draft) info() *groupInfo {
	info := infoOf(d.Group)
	info.From, info.Nick, info.FaceURL = d.Sender.UserID, d.Message.Nick, d.Message.FaceURL
	info.Extra.NameCard = d.NameCard
	return info
}

func infoOf(g *group.Group) *groupInfo {
	return &groupInfo{Group: g.GroupID, Name: g.Name, Type: g.Type.String()}
}

func tinyID(id im.AccountID) string { return strconv.FormatInt(int64(id), 10) }

// TipOf writes a stored tip for the list of conversations.
func TipOf(m *chat.Message, of *group.Group) *WireMessage {
	it := wireOf(m, of, system)
	it.Info = infoOf(of)
	it.Info.From, it.Info.Nick, it.Info.FaceURL = system, m.Nick, m.FaceURL
	return &it
}
