package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type setUnreadRequest struct {
	GroupID string       `json:"GroupId"`
	TopicID string       `json:"TopicId"`
	Member  string       `json:"Member_Account"`
	Unread  *wire.Number `json:"UnreadMsgNum"`
}

func (g *GroupMessages) setUnreadCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "set_unread_msg_num", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "say how many messages of a group a member has not read", Section: "rest.md#set_unread_msg_num",
	}, g.setUnread)
}

// setUnread moves a member's read mark so that so many messages are unread, as many as the group has at most.
func (g *GroupMessages) setUnread(ctx context.Context, call *command.Call, r *setUnreadRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	switch rule := of.Type.Rule("unread.set_by_rest"); {
	case r.Unread == nil || *r.Unread < 0:
		return nil, im.Errorf(im.CodeGroupParameter, "UnreadMsgNum: want a number that is not below 0")
	case rule != "yes" && rule != "no_effect":
		return nil, im.Errorf(im.CodeGroupRights, "groups of type %s count no unread messages", of.Type)
	}
	member, err := g.account(ctx, call.App, r.Member)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.stored") { // nobody has a read mark
		return nil, nil
	}
	at, found := group.MemberKey{Group: of.ID, Account: member.ID}, false
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		found, err = g.groups.SetUnread(ctx, tx, at, int64(*r.Unread))
		return err
	})
	if err == nil && !found {
		return nil, im.Errorf(im.CodeGroupRights, "%.40q is not a member of group %q", r.Member, of.GroupID)
	}
	return nil, err
}
