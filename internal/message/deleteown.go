package message

import (
	"cmp"
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// deleteRequest names whose messages they are as either door has it.
type deleteRequest struct {
	Operator string   `json:"Operator_Account"`
	Peer     string   `json:"Peer_Account"`
	To       string   `json:"To_Account"` // a client's peer
	Keys     []string `json:"MsgKeyList"`
}

type deleteReply struct {
	Invalid []string `json:"InvalidMsgKeyList,omitempty"`
}

// mostDeleted bounds the messages that one call deletes.
const mostDeleted = 30

func (m *Messages) deleteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_c2c_msg_ramble", By: command.Administrator | command.Account, Family: im.FamilyMessage(), Codes: peerCodes(),
		Doc: "delete messages for one account alone", Section: "rest.md#delete_c2c_msg_ramble",
	}, m.delete)
}

// delete has an account stop seeing messages; its peer sees them as before, and nobody is told.
func (m *Messages) delete(ctx context.Context, call *command.Call, r *deleteRequest) (*deleteReply, error) {
	if len(r.Keys) == 0 || len(r.Keys) > mostDeleted {
		return nil, im.Errorf(im.CodeMessageFormat, "MsgKeyList has %d keys: want 1 to %d", len(r.Keys), mostDeleted)
	}
	if !call.Admin() {
		r.Operator, r.Peer = call.UserID, r.To
	}
	owner, peer, err := m.ownParties(ctx, call.App, r.Operator, cmp.Or(r.Peer, r.To))
	if err != nil {
		return nil, err
	}
	if account.IsOfficial(peer.UserID) {
		return nil, im.Errorf(im.CodeOfficialNoDelete, "what an official account says is one message for all its subscribers: delete the conversation")
	}
	reply := &deleteReply{}
	var keys []chat.Key
	for _, text := range r.Keys {
		key, err := ParseKey(text)
		if err != nil {
			reply.Invalid = append(reply.Invalid, text)
			continue
		}
		keys = append(keys, chat.Key(key))
	}
	id, err := m.chats.Find(ctx, chat.Between(owner.ID, peer.ID))
	if err != nil || id == 0 || len(keys) == 0 {
		return reply, err
	}
	if err := m.db.Write(ctx, func(tx *db.Tx) error { return m.chats.Delete(ctx, tx, id, owner.ID, keys) }); err != nil {
		return nil, fmt.Errorf("delete messages: %w", err)
	}
	return reply, nil
}
