package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

type clearRequest struct {
	GroupID string `json:"GroupId"`
	TopicID string `json:"TopicId"`
	// UpTo is the last sequence that is cleared; 0 clears all that is there now.
	UpTo int64 `json:"MsgSeq"`
}

func (g *GroupMessages) clearCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "clear_group_msg", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "hide the history of a group from its members", Section: "rest.md#clear_group_msg",
	}, g.clear)
}

// clear hides what was said from all members. A back end goes on reading it.
func (g *GroupMessages) clear(ctx context.Context, call *command.Call, r *clearRequest) (*command.None, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	if r.UpTo < 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgSeq is below 0")
	}
	newest, err := g.chats.Before(ctx, g.db, by.chat, orNewest(r.UpTo), 1)
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	if err := g.groups.ClearUpTo(ctx, call, by.group, newest[0].Sequence); err != nil {
		return nil, err
	}
	return nil, g.readAll(ctx, by.group, newest[0].Sequence)
}

// readAll has all members have read a group up to a sequence.
func (g *GroupMessages) readAll(ctx context.Context, of *group.Group, sequence int64) error {
	chat, err := g.chats.Find(ctx, of.Chat())
	if err != nil {
		return err
	}
	counted, err := g.chats.CountedUpTo(ctx, g.db, chat, sequence)
	if err != nil {
		return err
	}
	return g.groups.ReadAll(ctx, of.ID, group.ReadMark{Sequence: sequence, Counted: counted})
}
