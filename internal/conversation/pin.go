package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type pinRequest struct {
	From      string    `json:"From_Account"`
	Operation int       `json:"OperationType"`
	Contacts  []contact `json:"RecentContactItem"`
}

type pinReply struct {
	ErrorDisplay string `json:"ErrorDisplay"`
}

// The values of OperationType.
const (
	opPin   = 1
	opUnpin = 2
)

// mostPinned bounds the pinned conversations of an account.
const mostPinned = 50

func (c *Conversations) pinCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "top", By: command.Administrator | command.Account, Family: family(),
		Doc: "pin conversations, or unpin them", Section: "rest.md#top",
	}, c.pin)
}

func (c *Conversations) pin(ctx context.Context, call *command.Call, r *pinRequest) (*pinReply, error) {
	if r.Operation != opPin && r.Operation != opUnpin {
		return nil, im.Errorf(im.CodeConversationParameter, "OperationType is %d: want 1 or 2", r.Operation)
	}
	if len(r.Contacts) == 0 || len(r.Contacts) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeConversationParameter, "%d conversations in one call: want 1 to %d",
			len(r.Contacts), im.MaxAccountsPerCall)
	}
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	all, err := c.targets(ctx, call, owner, r.Contacts)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.refused != nil {
			return nil, one.refused
		}
	}
	err = c.choose(ctx, owner, func(ch *chooser) (refused, err error) { return ch.pin(all, r.Operation == opPin), nil })
	if err != nil {
		return nil, err
	}
	told := change{PushType: pushPinned, Pinned: contactsOf(all)}
	if r.Operation == opUnpin {
		told.PushType = pushUnpinned
	}
	c.push(call, owner.ID, changes.Of([]change{told}))
	return &pinReply{}, nil
}

// pin pins conversations or unpins them, all or none. One that is pinned already keeps its moment.
func (c *chooser) pin(all []target, on bool) (refused error) {
	pinned := c.all.count(func(one *choice) bool { return one.pinned > 0 })
	fresh := map[choiceKey]bool{}
	for _, one := range all {
		if on && c.all.of(one.choiceKey).pinned == 0 {
			fresh[one.choiceKey] = true
		}
	}
	if pinned+len(fresh) > mostPinned {
		return im.Errorf(im.CodeConversationPinned, "%d conversations are pinned: at most %d may be", pinned, mostPinned)
	}
	for _, one := range all {
		switch {
		case fresh[one.choiceKey]:
			c.set(one.choiceKey).pinned = c.tx.Now().UnixMilli()
		case !on && c.all.of(one.choiceKey).pinned > 0:
			c.set(one.choiceKey).pinned = 0
		}
	}
	return nil
}
