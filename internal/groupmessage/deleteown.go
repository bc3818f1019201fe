package groupmessage

import (
	"context"
	"strconv"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type deleteRequest struct {
	GroupID   string   `json:"GroupId"`
	TopicID   string   `json:"TopicId"`
	Sequences []string `json:"Seqs"`
}

// mostDeleted bounds the messages that one call deletes; the web client has 30.
const mostDeleted = 100

func (g *GroupMessages) deleteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_group_ramble_msg_by_seq", Also: []string{community}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "delete messages of a group for oneself", Section: "wire.md#group-messages",
	}, g.delete)
}

// delete has a member stop seeing messages, also on its other devices when they read the history; nobody is told.
func (g *GroupMessages) delete(ctx context.Context, call *command.Call, r *deleteRequest) (*command.None, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	if len(r.Sequences) == 0 || len(r.Sequences) > mostDeleted {
		return nil, im.Errorf(im.CodeGroupParameter, "Seqs has %d sequences: want 1 to %d", len(r.Sequences), mostDeleted)
	}
	sequences := make([]int64, len(r.Sequences))
	for i, text := range r.Sequences {
		if sequences[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, im.Errorf(im.CodeGroupParameter, "Seqs has %.20q, which is no sequence", text)
		}
	}
	return nil, g.db.Write(ctx, func(tx *db.Tx) error { return g.chats.DeleteAt(tx, by.chat, call.Account, sequences) })
}

// lookUpDeleted finds out which of the messages the reader has deleted for himself.
func (g *GroupMessages) lookUpDeleted(ctx context.Context, by *reader, found []chat.Message) (err error) {
	if by.member == nil || len(found) == 0 {
		return nil
	}
	sequences := make([]int64, len(found))
	for i := range found {
		sequences[i] = found[i].Sequence
	}
	by.deleted, err = g.chats.DeletedAt(ctx, g.db, by.chat, by.member.Account, sequences)
	return err
}
