package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// The codes that a back end may choose itself when it refuses something of a group.
const lowCode, highCode im.Code = 10100, 10200

func blocking(name, doc, section string) webhook.Spec {
	return webhook.Spec{
		Command: name, Doc: doc, Section: section, Refused: im.CodeGroupRefused, Unanswered: im.CodeGroupRefused,
		Low: lowCode, High: highCode,
	}
}

// What this room asks and tells an application's back end.
var (
	beforeCreate = webhook.NewBefore[createAsk](blocking("Group.CallbackBeforeCreateGroup", "somebody makes a group",
		"webhooks.md#groupcallbackbeforecreategroup"))
	beforeApply = webhook.NewBefore[applyAsk](blocking("Group.CallbackBeforeApplyJoinGroup", "somebody asks to join a group",
		"webhooks.md#groupcallbackbeforeapplyjoingroup"))
	beforeInvite = webhook.NewBefore[inviteAsk](blocking("Group.CallbackBeforeInviteJoinGroup", "somebody adds members to a group",
		"webhooks.md#groupcallbackbeforeinvitejoingroup"))
	afterCreate = webhook.NewAfter[createdBody](webhook.Spec{
		Command: "Group.CallbackAfterCreateGroup", Doc: "a group was made", Section: "webhooks.md#groupcallbackaftercreategroup",
	})
	afterJoin = webhook.NewAfter[joinedBody](webhook.Spec{
		Command: "Group.CallbackAfterNewMemberJoin", Doc: "accounts became members",
		Section: "webhooks.md#groupcallbackafternewmemberjoin",
	})
	afterExit = webhook.NewAfter[exitBody](webhook.Spec{
		Command: "Group.CallbackAfterMemberExit", Doc: "members left, or were removed",
		Section: "webhooks.md#groupcallbackaftermemberexit",
	})
	afterFull = webhook.NewAfter[fullBody](webhook.Spec{
		Command: "Group.CallbackAfterGroupFull", Doc: "a group has all the members that it may have",
		Section: "webhooks.md#groupcallbackaftergroupfull",
	})
	afterDestroy = webhook.NewAfter[destroyedBody](webhook.Spec{
		Command: "Group.CallbackAfterGroupDestroyed", Doc: "a group was destroyed",
		Section: "webhooks.md#groupcallbackaftergroupdestroyed",
	})
	afterInfo = webhook.NewAfter[infoBody](webhook.Spec{
		Command: "Group.CallbackAfterGroupInfoChanged", Doc: "a group's name, introduction, notification or FaceUrl changed",
		Section: "webhooks.md#groupcallbackaftergroupinfochanged",
	})
	afterOwner = webhook.NewAfter[ownerBody](webhook.Spec{
		Command: "Group.CallbackAfterChangeGroupOwner", Doc: "a group has another owner",
		Section: "webhooks.md#groupcallbackafterchangegroupowner",
	})
	afterField = webhook.NewAfter[fieldBody](webhook.Spec{
		Command: "Group.CallbackAfterMemberFieldChanged", Doc: "a member's role or name card changed",
		Section: "webhooks.md#groupcallbackaftermemberfieldchanged",
	})
)

// Webhooks lists the callbacks that the room fires.
func (g *Groups) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{
		beforeCreate.Declaration(), beforeApply.Declaration(), beforeInvite.Declaration(), afterCreate.Declaration(),
		afterJoin.Declaration(), afterExit.Declaration(), afterFull.Declaration(), afterDestroy.Declaration(),
		afterInfo.Declaration(), afterOwner.Declaration(), afterField.Declaration(), afterGrowth.Declaration(),
	}
}

// memberName is a member in callbacks and requests.
type memberName struct {
	Member string `json:"Member_Account"`
}

func memberNames(of []account.Account) []memberName {
	all := make([]memberName, len(of))
	for i, one := range of {
		all[i].Member = one.UserID
	}
	return all
}

type createAsk struct {
	Operator  string       `json:"Operator_Account"`
	Owner     string       `json:"Owner_Account"`
	Type      string       `json:"Type"`
	Name      string       `json:"Name"`
	Created   int64        `json:"CreateGroupNum"` // groups of the type that the owner has
	Members   []memberName `json:"MemberList"`
	EventTime int64        `json:"EventTime"`
}

type createdBody struct {
	GroupID   string        `json:"GroupId"`
	Operator  string        `json:"Operator_Account"`
	Owner     string        `json:"Owner_Account"`
	Type      string        `json:"Type"`
	Name      string        `json:"Name"`
	Members   []memberName  `json:"MemberList"`
	Custom    []customField `json:"UserDefinedDataList"`
	EventTime int64         `json:"EventTime"`
}

type applyAsk struct {
	GroupID   string `json:"GroupId"`
	Type      string `json:"Type"`
	Requestor string `json:"Requestor_Account"`
	EventTime int64  `json:"EventTime"`
}

type inviteAsk struct {
	GroupID   string       `json:"GroupId"`
	Type      string       `json:"Type"`
	Operator  string       `json:"Operator_Account"`
	Members   []memberName `json:"DestinationMembers"`
	EventTime int64        `json:"EventTime"`
}

type joinedBody struct {
	GroupID   string       `json:"GroupId"`
	Type      string       `json:"Type"`
	JoinType  string       `json:"JoinType"` // Apply or Invited
	Operator  string       `json:"Operator_Account"`
	Members   []memberName `json:"NewMemberList"`
	EventTime int64        `json:"EventTime"`
}

type exitBody struct {
	GroupID   string       `json:"GroupId"`
	Type      string       `json:"Type"`
	ExitType  string       `json:"ExitType"` // Kicked or Quit
	Operator  string       `json:"Operator_Account"`
	Members   []memberName `json:"ExitMemberList"`
	EventTime int64        `json:"EventTime"`
}

type fullBody struct {
	GroupID   string `json:"GroupId"`
	EventTime int64  `json:"EventTime"`
}

type destroyedBody struct {
	GroupID   string       `json:"GroupId"`
	Type      string       `json:"Type"`
	Owner     string       `json:"Owner_Account"`
	Name      string       `json:"Name"`
	Members   []memberName `json:"MemberList"`
	EventTime int64        `json:"EventTime"`
}

type infoBody struct {
	GroupID      string  `json:"GroupId"`
	Type         string  `json:"Type"`
	Operator     string  `json:"Operator_Account"`
	Name         *string `json:"Name,omitzero"`
	Introduction *string `json:"Introduction,omitzero"`
	Notification *string `json:"Notification,omitzero"`
	FaceURL      *string `json:"FaceUrl,omitzero"`
	EventTime    int64   `json:"EventTime"`
}

type ownerBody struct {
	GroupID   string `json:"GroupId"`
	Type      string `json:"Type"`
	Operator  string `json:"Operator_Account"`
	Old       string `json:"OldOwner_Account"`
	New       string `json:"NewOwner_Account"`
	EventTime int64  `json:"EventTime"`
}

type fieldBody struct {
	GroupID   string  `json:"GroupId"`
	Type      string  `json:"Type"`
	Operator  string  `json:"Operator_Account"`
	Modified  string  `json:"Modified_Account"`
	Role      *string `json:"Role,omitzero"`
	NameCard  *string `json:"NameCard,omitzero"`
	EventTime int64   `json:"EventTime"`
}

// eventTime is the transaction's time as callbacks have it.
func (c *change) eventTime() int64 { return c.tx.Now().UnixMilli() }

// tellJoin stores the callbacks of new members, and of a group that is full with them.
func (g *Groups) tellJoin(c *change, joined []account.Account, joinType string) error {
	err := afterJoin.Tell(c.tx, g.hooks, &c.call.Actor, c.group.ID, func() (joinedBody, error) {
		return joinedBody{c.group.GroupID, c.group.Type.String(), joinType, c.call.UserID, memberNames(joined), c.eventTime()}, nil
	})
	if err != nil || c.group.MemberCount+int64(len(joined)) < c.group.MaxMembers {
		return err
	}
	return afterFull.Tell(c.tx, g.hooks, &c.call.Actor, c.group.ID, func() (fullBody, error) {
		return fullBody{c.group.GroupID, c.eventTime()}, nil
	})
}

// tellExit stores the callback of members that left.
func (g *Groups) tellExit(c *change, left []account.Account, exitType string) error {
	return afterExit.Tell(c.tx, g.hooks, &c.call.Actor, c.group.ID, func() (exitBody, error) {
		return exitBody{c.group.GroupID, c.group.Type.String(), exitType, c.call.UserID, memberNames(left), c.eventTime()}, nil
	})
}

// askInvite lets the back end decide who is added; left out are those whom it refuses.
func (g *Groups) askInvite(ctx context.Context, call *command.Call, of *Group, names []string) (refused map[string]bool, err error) {
	refused = map[string]bool{}
	_, err = beforeInvite.Ask(ctx, call, g.hooks, webhook.Question[inviteAsk]{
		Key: orderKey(of.GroupID),
		Body: func() (inviteAsk, error) {
			asked := make([]memberName, len(names))
			for i, name := range names {
				asked[i].Member = name
			}
			return inviteAsk{of.GroupID, of.Type.String(), call.UserID, asked, g.db.Now().UnixMilli()}, nil
		},
		Use: func(answer *webhook.Answer) error {
			var said struct {
				Refused []string `json:"RefusedMembers_Account"`
			}
			err := answer.Read(&said)
			for _, name := range said.Refused {
				refused[name] = true
			}
			return err
		},
	})
	return refused, err
}

// orderKey keeps the order of what a connection does in one group.
func orderKey(groupID string) string { return "group:" + groupID }

// askApply lets the back end decide on somebody who asks to join.
func (g *Groups) askApply(ctx context.Context, call *command.Call, of *Group) error {
	_, err := beforeApply.Ask(ctx, call, g.hooks, webhook.Question[applyAsk]{
		Key: orderKey(of.GroupID),
		Body: func() (applyAsk, error) {
			return applyAsk{of.GroupID, of.Type.String(), call.UserID, g.db.Now().UnixMilli()}, nil
		},
	})
	return err
}

// TellEntered stores the callbacks of accounts that came into a group whose members are not stored.
func (g *Groups) TellEntered(ctx context.Context, by *im.Actor, of *Group, who []account.Account) error {
	return afterJoin.TellAlone(ctx, g.hooks, by, of.ID, func() (joinedBody, error) {
		return joinedBody{of.GroupID, of.Type.String(), "Apply", by.UserID, memberNames(who), g.db.Now().UnixMilli()}, nil
	})
}

// TellLeft stores the callbacks of accounts that left a group whose members are not stored.
func (g *Groups) TellLeft(ctx context.Context, by *im.Actor, of *Group, who []account.Account) error {
	return afterExit.TellAlone(ctx, g.hooks, by, of.ID, func() (exitBody, error) {
		return exitBody{of.GroupID, of.Type.String(), "Quit", by.UserID, memberNames(who), g.db.Now().UnixMilli()}, nil
	})
}
