package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

type readRequest struct {
	GroupID  string `json:"GroupId"`
	TopicID  string `json:"TopicId"`
	Sequence int64  `json:"MsgReadedSeq"`
}

// readEvent tells an account's other devices how far it has read a group.
type readEvent struct {
	From string     `json:"From_Account"`
	To   string     `json:"To_Account"`
	Info *groupInfo `json:"GroupInfo"`
	Body struct {
		List []lastRead `json:"GroupReadInfoArray"`
	} `json:"MsgBody"`
}

type lastRead struct {
	Group    string `json:"GroupId"`
	Sequence int64  `json:"LastReadMsgSeq"`
}

func (g *GroupMessages) readCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "msg_read_report", Also: []string{community}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "say up to which message one has read a group", Section: "wire.md#group-messages",
	}, g.read)
}

// read moves the member's read mark. It never goes back, nor beyond what is there, where it would swallow messages to come.
func (g *GroupMessages) read(ctx context.Context, call *command.Call, r *readRequest) (*command.None, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	if r.Sequence < 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgReadedSeq is below 0")
	}
	to, err := g.markAt(ctx, by.chat, r.Sequence)
	if err != nil || to == nil {
		return nil, err
	}
	var mark int64 // 0 if it did not move
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		mark = 0
		moved, err := g.groups.MarkRead(tx, group.MemberKey{Group: by.group.ID, Account: call.Account}, *to)
		if moved {
			mark = to.Sequence
		}
		return err
	})
	if err != nil || mark == 0 {
		return nil, err
	}
	n := readEvent{From: system, To: call.UserID, Info: infoOf(by.group)}
	n.Body.List = []lastRead{{by.group.GroupID, mark}}
	g.push(by.group.ID, ownReads.Of([]readEvent{n}), event.Devices(call.Account).Except(call.Device))
	return nil, nil
}

// markAt is the read mark at a sequence, or at the newest message below it; nil: there is none.
func (g *GroupMessages) markAt(ctx context.Context, chat, sequence int64) (*group.ReadMark, error) {
	newest, err := g.chats.Before(ctx, g.db, chat, sequence, 1)
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	to := &group.ReadMark{Sequence: newest[0].Sequence}
	to.Counted, err = g.chats.CountedUpTo(ctx, g.db, chat, to.Sequence)
	return to, err
}
