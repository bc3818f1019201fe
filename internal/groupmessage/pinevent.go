package groupmessage

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// pinEvent tells the members of a pin. It is a tip that is stored nowhere.
type pinEvent struct {
	From       string     `json:"From_Account"`
	Group      string     `json:"ToGroupId"`
	GroupAgain string     `json:"GroupId"`
	Info       *groupInfo `json:"GroupInfo"`
	Sequence   int64      `json:"MsgSeq"`
	Time       int64      `json:"MsgTimeStamp"`
	TinyID     string     `json:"TinyId"`
	Body       pinBody    `json:"MsgBody"`
	Event      int        `json:"Event"`
	System     wire.Bool  `json:"IsSystemMsg"`
}

// pinBody has the message that was pinned, or names the one that is not any more.
type pinBody struct {
	Kind         tipKind       `json:"OpType"`
	Operator     string        `json:"Operator_Account"`
	OperatorInfo tipMember     `json:"MsgOperatorMemberExtraInfo"`
	Pinned       *WireMessage  `json:"PinnedMsg,omitempty"`
	Unpinned     *unpinnedInfo `json:"SdkGroupMessageId,omitempty"`
}

const (
	tipPinned   tipKind = 16
	tipUnpinned tipKind = 17
)

// unpinnedInfo is what clients make the message's id of.
type unpinnedInfo struct {
	ClientTime int64  `json:"ClientTime"`
	Random     int64  `json:"Random"`
	TinyID     string `json:"SenderTinyId"`
	Time       int64  `json:"ServerTime"`
	Sequence   int64  `json:"MsgSeq"`
}

// pushPin tells the members, unless the pin was changed again meanwhile, of which whoever did tells.
func (g *GroupMessages) pushPin(ctx context.Context, p *pinning) {
	g.attached.Tell(p.chat, func() {
		pins, err := g.attached.Pins(ctx, g.db, p.chat)
		if err != nil {
			g.warn(p.group.ID, err)
			return
		}
		if slices.ContainsFunc(pins, func(one annotate.Pin) bool { return one.Message == p.message.ID }) != p.pin {
			return
		}
		if !p.pin {
			g.pushUnpinned(p.group, p.by, p.message)
			return
		}
		pinned, err := g.wireMessages(ctx, readerOf(p.call, p.group, p.chat, nil), []chat.Message{*p.message})
		if err != nil {
			g.warn(p.group.ID, err)
			return
		}
		pinned[0].Priority = named(p.message.Flags)
		g.pushPinBody(p.group, p.by, pinBody{Kind: tipPinned, Pinned: &pinned[0]}, p.message.Sequence)
	})
	g.line.Flush()
}

// pushUnpinned tells the members of messages that are not pinned any more.
func (g *GroupMessages) pushUnpinned(of *group.Group, by account.Account, messages ...*chat.Message) {
	for _, m := range messages {
		g.pushPinBody(of, by, pinBody{Kind: tipUnpinned, Unpinned: &unpinnedInfo{m.ClientTime, m.Random, tinyID(m.From), m.Time, m.Sequence}}, m.Sequence)
	}
}

func (g *GroupMessages) pushPinBody(of *group.Group, by account.Account, body pinBody, sequence int64) {
	body.Operator, body.OperatorInfo = by.UserID, tipMemberOf(&by)
	e := pinEvent{
		From: system, Group: of.GroupID, GroupAgain: of.GroupID, Info: infoOf(of), Sequence: sequence, Time: g.db.Now().Unix(),
		TinyID: systemTinyID, Body: body, Event: eventPassing, System: true,
	}
	e.Info.From, e.Info.Nick, e.Info.FaceURL = by.UserID, by.Nick, by.FaceURL
	g.push(of.ID, pinTips.Of([]pinEvent{e}), event.Group(of.ID))
}

// pushRecalledPins tells the members of pins that a recall has ended.
func (g *GroupMessages) pushRecalledPins(ctx context.Context, of *group.Group, by im.AccountID, messages []*chat.Message) {
	if len(messages) == 0 {
		return
	}
	who, err := g.accounts.ByID(ctx, g.db, []im.AccountID{by})
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	g.pushUnpinned(of, who[by], messages...)
}
