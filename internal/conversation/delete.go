package conversation

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// contact names a conversation in requests and replies. The reference documentation writes the type both ways.
type contact struct {
	Type      int    `json:"Type"`
	LowerType int    `json:"type,omitzero"`
	To        string `json:"To_Account,omitempty"`
	ToGroup   string `json:"ToGroupid,omitempty"`
}

type deleteRequest struct {
	From string `json:"From_Account"`
	contact
	ClearHistory wire.Bool `json:"ClearRamble"`
}

type deleteReply struct {
	ErrorDisplay string `json:"ErrorDisplay"`
}

func (c *Conversations) deleteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete", By: command.Administrator, Family: family(),
		Doc: "remove a conversation from an account's list", Section: "rest.md#delete",
	}, c.delete)
}

func (c *Conversations) delete(ctx context.Context, call *command.Call, r *deleteRequest) (*deleteReply, error) {
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	return &deleteReply{}, c.remove(ctx, call, owner, r.contact, bool(r.ClearHistory))
}

type deleteManyRequest struct {
	Contacts     []contact `json:"ContactItem"`
	ClearHistory wire.Bool `json:"ClearRamble"`
}

type deleteResult struct {
	contact
	Code im.Code `json:"ResultCode"`
	Info string  `json:"ResultInfo"`
}

type deleteManyReply struct {
	Results []deleteResult `json:"ResultItem"`
}

func (c *Conversations) deleteManyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "batch_delete", By: command.Account, Family: family(),
		Doc: "remove conversations from one's list", Section: "wire.md#conversations",
	}, c.deleteMany)
}

func (c *Conversations) deleteMany(ctx context.Context, call *command.Call, r *deleteManyRequest) (*deleteManyReply, error) {
	if len(r.Contacts) == 0 || len(r.Contacts) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeConversationParameter, "%d conversations in one call: want 1 to %d",
			len(r.Contacts), im.MaxAccountsPerCall)
	}
	owner, err := c.owner(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	reply := &deleteManyReply{}
	for _, one := range r.Contacts {
		result := deleteResult{contact: one}
		err := c.remove(ctx, call, owner, one, bool(r.ClearHistory))
		if refusal, ok := im.Refusal(err); ok {
			result.Code, result.Info = refusal.Code, refusal.Info
		} else if err != nil {
			return nil, err
		}
		reply.Results = append(reply.Results, result)
	}
	return reply, nil
}

// remove takes a conversation out of the owner's list; with wipe the owner does not see its history any more either.
// Without such a conversation, remove succeeds.
func (c *Conversations) remove(ctx context.Context, call *command.Call, owner account.Account, of contact, wipe bool) error {
	if max(of.Type, of.LowerType) != typeC2C {
		return im.Errorf(im.CodeConversationParameter, "Type is %d: want 1, there are no groups yet", max(of.Type, of.LowerType))
	}
	peer, err := c.peer(ctx, call, of.To)
	if err != nil {
		return err
	}
	if err := c.hide(ctx, owner, peer, wipe); err != nil {
		return fmt.Errorf("remove conversation: %w", err)
	}
	e := []removedEvent{{PushType: 1}}
	e[0].Item.List = []removedContact{{Type: typeC2C, User: of.To}}
	if err := c.router.Push(event.Devices(owner.ID).Except(call.Device), removed.Of(e)); err != nil {
		c.log.Warn("push", telemetry.FieldAccount, owner.ID, telemetry.FieldError, err)
	}
	return nil
}

func (c *Conversations) hide(ctx context.Context, owner, peer account.Account, wipe bool) error {
	id, err := c.chats.Find(ctx, chat.Between(owner.ID, peer.ID))
	if err != nil || id == 0 {
		return err
	}
	return c.db.Write(ctx, func(tx *db.Tx) error { return c.chats.Hide(tx, owner.ID, id, wipe) })
}
