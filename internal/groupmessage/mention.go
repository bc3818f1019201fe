package groupmessage

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
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

// check refuses mentions that the type of the group does not have, and gives those that the message carries.
func (m mentions) check(of group.Type) (mentions, error) {
	if most := int(of.Number("send.at.max")); len(m) > most {
		return nil, im.Errorf(im.CodeGroupMentions, "GroupAtInfo has %d entries: want at most %d", len(m), most)
	}
	kept := make(mentions, 0, len(m))
	for _, one := range m {
		switch {
		case bool(one.All) && !of.Yes("send.at_all"):
			return nil, im.Errorf(im.CodeGroupRights, "groups of type %s do not mention all", of)
		case bool(one.All):
			kept = append(kept, mention{All: true})
		case one.UserID == "":
			return nil, im.Errorf(im.CodeGroupParameter, "an entry of GroupAtInfo names neither an account nor all")
		case of.Yes("send.at_user"):
			kept = append(kept, mention{UserID: one.UserID})
		}
	}
	return kept, nil
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
		g.push(d.Group.ID, d.atTip(atAll), event.Group(d.Group.ID).Except(by.Device))
	}
	to := make([]event.Audience, len(d.mentioned))
	for i, one := range d.mentioned {
		to[i] = event.Devices(one)
	}
	g.push(d.Group.ID, d.atTip(atYou), to...)
}

func (d *Draft) atTip(kinds ...int) event.Event {
	m := &d.Message
	return atTips.Of([]mentionEvent{{m.Random, m.Seq, m.Sequence, atTipOf{d.Group.GroupID, d.Sender.UserID, m.Sequence, kinds}}})
}
