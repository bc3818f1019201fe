package groupmessage

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// editRequest names a message by its sequence. A client also says which version it has.
type editRequest struct {
	GroupID  string `json:"GroupId"`
	TopicID  string `json:"TopicId"`
	Sequence int64  `json:"MsgSeq"`
	send.Change
}

func (g *GroupMessages) editCommand() command.Command {
	return command.New(command.Spec{
		Service: "openim", Name: "modify_group_msg", By: command.Administrator | command.Account, Family: im.FamilyGroup(), Codes: codes(),
		Doc: "edit a stored message of a group", Section: "rest.md#modify_group_msg",
	}, g.edit)
}

// edit edits for a back end without a condition, and for a member if it has seen the latest version.
func (g *GroupMessages) edit(ctx context.Context, call *command.Call, r *editRequest) (*send.Changed, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	if r.Sequence <= 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgSeq is missing")
	}
	change, err := r.Rewrite(call)
	if err != nil {
		return nil, err
	}
	if err := call.Store(1, r.Size()); err != nil {
		return nil, err
	}
	found, err := g.chats.Edit(ctx, chat.Edit{
		Chat: by.group.Chat(), Sequence: r.Sequence, Change: change,
		Check: func(tx *db.Tx, m *chat.Message) error { return g.mayEdit(ctx, tx, call, by, m) },
		Then:  func(tx *db.Tx, m *chat.Message) error { return g.edited(ctx, tx, call, by.group, m) },
	})
	switch refusal, ok := im.Refusal(err); {
	case errors.Is(err, chat.ErrUnknown), errors.Is(err, chat.ErrRecalled):
		return nil, im.Errorf(im.CodeGroupNoMessage, "there is no message %d, or it was recalled", r.Sequence)
	case err != nil && (!ok || refusal.Code != im.CodeEditConflict || call.Admin()):
		return nil, err
	case err == nil:
		g.pushEdit(ctx, call.Device, by.group, found)
	}
	if call.Admin() {
		return nil, nil //nolint:nilnil // an envelope alone
	}
	return send.ChangedTo(found), err
}

var afterEdit = webhook.NewAfter[editBody](webhook.Spec{
	Command: "Group.CallbackAfterModifyMsg", Doc: "a message of a group was edited", Section: "webhooks.md#groupcallbackaftermodifymsg",
})

type editBody struct {
	Operator  string   `json:"Operator_Account"`
	Group     string   `json:"GroupId"`
	Topic     string   `json:"TopicId"`
	Sequence  int64    `json:"MsgSeq"`
	Body      wire.Raw `json:"MsgBody"`
	EventTime int64    `json:"EventTime"` // unix milliseconds
}

// edited stores the callback of an edit, in its transaction.
func (g *GroupMessages) edited(ctx context.Context, tx *db.Tx, call *command.Call, of *group.Group, m *chat.Message) error {
	if err := g.line.KeepBundles(ctx, tx, m.Body); err != nil {
		return err
	}
	return afterEdit.Tell(tx, g.hooks, &call.Actor, of.ID, func() (editBody, error) {
		return editBody{
			Operator: call.UserID, Group: of.GroupID, Sequence: m.Sequence, Body: wire.Raw(m.Body), EventTime: tx.Now().UnixMilli(),
		}, nil
	})
}

// mayEdit refuses whoever may not edit messages of the group, edits of what it does not see, and of tips.
func (g *GroupMessages) mayEdit(ctx context.Context, tx *db.Tx, call *command.Call, r *reader, m *chat.Message) error {
	by, err := g.still(ctx, tx, call, r)
	switch {
	case err != nil:
		return err
	case !call.Admin() && !by.group.Type.Allows("edit.who.client", by.who(call)...):
		return im.Errorf(im.CodeGroupRights, "you may not edit messages of group %q", by.group.GroupID)
	case !call.Admin() && editors.Of(call.App) == senderOnly && m.From != call.Account && !call.App.IsAdmin(call.UserID):
		return im.Errorf(im.CodeGroupRights, "message %d is edited by its sender only", m.Sequence)
	case m.Sequence <= by.after, !by.sees(m):
		return im.Errorf(im.CodeGroupNoMessage, "there is no message %d", m.Sequence)
	case m.Tip():
		return im.Errorf(im.CodeGroupRights, "message %d is a tip, which nobody edits", m.Sequence)
	}
	return g.line.MayEdit(ctx, tx, call)
}

// editEvent tells what a message says now.
type editEvent struct {
	Group     string   `json:"GroupId"`
	From      string   `json:"From_Account"`
	Sequence  int64    `json:"MsgSeq"`
	Random    int64    `json:"MsgRandom"`
	Time      int64    `json:"MsgTime"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData string   `json:"CloudCustomData"`
	Version   int64    `json:"MsgVersion"`
}
