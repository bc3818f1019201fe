package groupmessage

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// mention is one member whom a message mentions, or all of them.
type mention struct {
	All    wire.Bool `json:"GroupAtAllFlag"`
	UserID string    `json:"GroupAt_Account,omitempty"`
}

type mentions []mention

// check refuses mentions that the type of the group does not have, or that the draft's sender may not make, and gives those that the
// message carries.
func (m mentions) check(call *command.Call, d *Draft) (mentions, error) {
	of := d.Group.Type
	if most := int(of.Number("send.at.max")); most > 0 && len(m) > most {
		return nil, im.Errorf(im.CodeGroupMentions, "GroupAtInfo has %d entries: want at most %d", len(m), most)
	}
	leaders := mentioners.Of(call.App, of, everyMember) == adminsOnly
	kept := make(mentions, 0, len(m))
	for _, one := range m {
		switch {
		case bool(one.All) && !mentionsOfAll.Of(call.App, of, of.Yes("send.at_all")):
			return nil, im.Errorf(im.CodeGroupRights, "groups of type %s do not mention all", of)
		case bool(one.All):
			d.speaker.mentionsAll = d.speaker.mentionsAll || leaders
			kept = append(kept, mention{All: true})
		case one.UserID == "":
			return nil, im.Errorf(im.CodeGroupParameter, "an entry of GroupAtInfo names neither an account nor all")
		case of.Yes("send.at_user"):
			kept = append(kept, mention{UserID: one.UserID})
		}
	}
	return kept, d.speaker.check()
}

// text is how the mentions are stored; empty is none.
func (m mentions) text() (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	text, err := wire.Marshal(m)
	return string(text), err
}

// readMentions reads what text wrote.
func readMentions(text string) mentions {
	all := mentions{}
	if text != "" {
		_ = json.Unmarshal([]byte(text), &all)
	}
	return all
}

// mentionEvent tells an account that a message mentions it, beside the message (docs/protocol/wire.md#at-tips).
type mentionEvent struct {
	Random    int64   `json:"MsgRandom"`
	ClientSeq int64   `json:"ClientSeq"`
	Sequence  int64   `json:"MsgSeq"`
	Tips      atTipOf `json:"GroupAtTips"`
}

type atTipOf struct {
	Group    string `json:"GroupId"`
	From     string `json:"From_Account"`
	Sequence int64  `json:"MsgSeq"`
	Kinds    []int  `json:"GroupAtType"` // atYou, atAll
}

// The kinds of mentions.
const (
	atYou = 1
	atAll = 2
)

// mention looks for the members whom the draft mentions. An account that is no member is not mentioned.
func (g *GroupMessages) mention(ctx context.Context, call *command.Call, d *Draft, all mentions) error {
	names := make([]string, 0, len(all))
	for _, one := range all {
		if !one.All {
			names = append(names, one.UserID)
		}
	}
	members, err := g.membersNamed(ctx, call, d.Group, names)
	if err != nil {
		return err
	}
	for _, one := range all {
		id, is := members[one.UserID]
		if is {
			d.mentioned = append(d.mentioned, id)
			d.addRobot(id, one.UserID)
		}
		if is || bool(one.All) {
			d.Mentions = append(d.Mentions, one)
		}
	}
	d.Draft.Mentions, err = d.Mentions.text()
	return err
}

// membersNamed gives those of the named accounts that are members, by name.
func (g *GroupMessages) membersNamed(
	ctx context.Context, call *command.Call, of *group.Group, names []string,
) (map[string]im.AccountID, error) {
	if len(names) == 0 {
		return map[string]im.AccountID{}, nil
	}
	found, err := g.accounts.FindMany(ctx, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(found))
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	members, err := g.groups.MembersOf(ctx, g.db, of.ID, ids)
	if err != nil {
		return nil, err
	}
	named := make(map[string]im.AccountID, len(members))
	for _, one := range found {
		if members[one.ID] != nil {
			named[one.UserID] = one.ID
		}
	}
	return named, nil
}

// pushMentions tells the members whom a message mentions: of one that mentions all, the group once.
func (g *GroupMessages) pushMentions(by *command.Call, d *Draft) {
	if slices.ContainsFunc(d.Mentions, func(m mention) bool { return bool(m.All) }) {
		g.push(d.Group.ID, d.atTip(atAll), event.Group(d.Group.ID).Except(by.Device).At(d.at()))
	}
	to := make([]event.Audience, len(d.mentioned))
	for i, one := range d.mentioned {
		to[i] = event.Devices(one).At(d.at())
	}
	g.push(d.Group.ID, d.atTip(atYou), to...)
}

// at says which message a push is about, which a device that logs in knows from its list.
func (d *Draft) at() event.Sequence {
	return event.Sequence{Chat: d.Message.Chat, Number: d.Message.Sequence}
}

func (d *Draft) atTip(kinds ...int) event.Event {
	m := &d.Message
	return atTips.Of([]mentionEvent{{m.Random, m.Seq, m.Sequence, atTipOf{d.Group.GroupID, d.Sender.UserID, m.Sequence, kinds}}})
}

// mostMentioning bounds the messages with mentions that are looked through for a device that logs in.
const mostMentioning = 200

// mentionsOf tells which messages mention an account that it has not read, oldest first, of those since a moment.
func (g *GroupMessages) mentionsOf(ctx context.Context, from db.Source, of account.Account, since time.Time) ([]event.Event, error) {
	all, err := g.groups.Mentioning(ctx, from, of.ID, since.Unix(), mostMentioning)
	if err != nil {
		return nil, err
	}
	var events []event.Event
	for _, one := range slices.Backward(all) {
		var kinds []int
		for _, m := range readMentions(one.Mentions) {
			switch {
			case bool(m.All):
				kinds = append(kinds, atAll)
			case m.UserID == of.UserID:
				kinds = append(kinds, atYou)
			}
		}
		if len(kinds) > 0 {
			tip := atTipOf{one.GroupID, one.From, one.Sequence, kinds}
			events = append(events, atTips.Of([]mentionEvent{{one.Random, one.Seq, one.Sequence, tip}}))
		}
	}
	return events, nil
}
