package groupmessage

import (
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type deleteBySenderRequest struct {
	GroupID string `json:"GroupId"`
	TopicID string `json:"TopicId"`
	Sender  string `json:"Sender_Account"`
}

func (g *GroupMessages) deleteBySenderCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_group_msg_by_sender", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "recall what an account said in a group", Section: "rest.md#delete_group_msg_by_sender",
	}, g.deleteBySender)
}

const (
	// recalledOfSender is how many of a sender's messages are recalled, the newest ones.
	recalledOfSender = 1000
	// recalledTogether is how many of them one transaction recalls, so that nobody's commit waits long for it.
	recalledTogether = 100
)

// deleteBySender recalls messages, and tells nobody: clients see it in the history. It is safe to repeat.
func (g *GroupMessages) deleteBySender(ctx context.Context, call *command.Call, r *deleteBySenderRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	if r.Sender == "" {
		return nil, im.Errorf(im.CodeGroupParameter, "Sender_Account is missing")
	}
	sender, err := g.account(ctx, call.App, r.Sender)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("recall.all_of_sender.rest") {
		return nil, nil
	}
	chat, err := g.chats.Find(ctx, of.Chat())
	if err != nil {
		return nil, err
	}
	all, err := g.chats.SentBy(ctx, g.db, chat, sender.ID, recalledOfSender)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(all, recalledTogether) {
		err := g.db.Write(ctx, func(tx *db.Tx) error { return g.recallAll(ctx, tx, chat, some, call.UserID) })
		if err != nil {
			return nil, fmt.Errorf("recall what an account said: %w", err)
		}
	}
	return nil, nil
}

// recallAll recalls messages by their sequences, with what is attached to them.
func (g *GroupMessages) recallAll(ctx context.Context, tx *db.Tx, chat int64, sequences []int64, by string) error {
	if err := g.chats.RecallAll(tx, chat, sequences, by); err != nil {
		return err
	}
	ids, err := g.chats.IDs(ctx, tx, chat, sequences)
	if err == nil {
		_, err = g.attached.Recalled(ctx, tx, chat, ids)
	}
	return err
}
