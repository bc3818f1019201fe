package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/wire"
)

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
	one, err := c.target(ctx, call, owner, r.contact)
	if err != nil {
		return nil, err
	}
	return &deleteReply{}, c.remove(ctx, call, owner, []target{*one}, bool(r.ClearHistory))
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
	found, err := c.targets(ctx, call, owner, r.Contacts)
	if err != nil {
		return nil, err
	}
	reply := &deleteManyReply{}
	var there []target
	for i, one := range found {
		result := deleteResult{contact: r.Contacts[i]}
		if refusal, ok := im.Refusal(one.refused); ok {
			result.Code, result.Info = refusal.Code, refusal.Info
		} else {
			there = append(there, one)
		}
		reply.Results = append(reply.Results, result)
	}
	return reply, c.remove(ctx, call, owner, there, bool(r.ClearHistory))
}

// remove takes conversations out of the owner's list; with wipe the owner does not see their histories any more either. They are
// not pinned any more. A conversation that is not in the list is none the less removed.
func (c *Conversations) remove(ctx context.Context, call *command.Call, owner account.Account, all []target, wipe bool) error {
	if len(all) == 0 {
		return nil
	}
	peers, groups := partsOf(all)
	err := c.choose(ctx, owner, func(ch *chooser) (refused, err error) {
		for _, one := range all {
			if pinned := ch.all[one.choiceKey]; pinned != nil && pinned.pinned > 0 {
				ch.set(one.choiceKey).pinned = 0
			}
		}
		if err := c.groups.Cut(ctx, ch.tx, owner.ID, groups, group.Cut{List: true, History: wipe}); err != nil {
			return nil, err
		}
		return nil, c.chats.Hide(ch.tx, owner.ID, peers, wipe)
	})
	if err == nil {
		c.push(call, owner.ID, changes.Of([]change{{PushType: pushDeleted, Deleted: contactsOf(all)}}))
	}
	return err
}

// partsOf are the peers and the groups of conversations.
func partsOf(all []target) (peers []im.AccountID, groups []int64) {
	for _, one := range all {
		if one.group != nil {
			groups = append(groups, one.peer)
		} else {
			peers = append(peers, im.AccountID(one.peer))
		}
	}
	return peers, groups
}

type clearRequest struct{ contact }

func (c *Conversations) clearCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "clear_msg", By: command.Account, Family: family(),
		Doc: "clear one's history of a conversation", Section: "wire.md#conversation-commands",
	}, c.clear)
}

// clear takes what was said until now out of the owner's history. The conversation stays in the list, without a last message.
func (c *Conversations) clear(ctx context.Context, call *command.Call, r *clearRequest) (*command.None, error) {
	owner, err := c.owner(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	one, err := c.target(ctx, call, owner, r.contact)
	if err != nil {
		return nil, err
	}
	if one.group != nil {
		return nil, c.choose(ctx, owner, func(ch *chooser) (refused, err error) {
			return nil, c.groups.Cut(ctx, ch.tx, owner.ID, []int64{one.peer}, group.Cut{History: true})
		})
	}
	id, err := c.chats.Find(ctx, message.ChatOf(owner, account.Account{ID: im.AccountID(one.peer), UserID: one.name}))
	if err != nil || id == 0 {
		return nil, err
	}
	return nil, c.choose(ctx, owner, func(ch *chooser) (refused, err error) {
		return nil, c.chats.Clear(ch.tx, owner.ID, id)
	})
}
