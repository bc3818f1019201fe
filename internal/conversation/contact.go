package conversation

import (
	"cmp"
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// The values of Type are those of the kinds of chats.
const (
	typeC2C   = int(chat.OneToOne)
	typeGroup = int(chat.Group)
)

// contact names a conversation in requests and replies. The interface has several spellings of the type and of the group; a reply
// has the one of its request.
type contact struct {
	Type      int    `json:"Type"`
	LowerType int    `json:"type,omitzero"`
	To        string `json:"To_Account,omitempty"`
	Groupid   string `json:"ToGroupid,omitempty"`
	ToGroup   string `json:"ToGroupId,omitempty"`
	Group     string `json:"GroupId,omitempty"`
}

func (c *contact) kind() int { return max(c.Type, c.LowerType) }

func (c *contact) groupID() string { return cmp.Or(c.Groupid, c.ToGroup, c.Group) }

// target is a conversation that a request names, or why it cannot be acted upon.
type target struct {
	choiceKey
	name    string       // a user id, or a group's
	group   *group.Group // of a group
	refused error
}

// pushed names the conversation in a push.
func (t *target) pushed() pushedContact {
	if t.kind == chat.Group {
		return pushedContact{Type: typeGroup, Group: t.name}
	}
	return pushedContact{Type: typeC2C, User: t.name}
}

// targets finds the conversations that a request names, in a number of statements that does not depend on theirs. A peer may be
// a deleted account: an account's own conversation needs nobody else. Of a group the owner is to be a member.
func (c *Conversations) targets(ctx context.Context, call *command.Call, owner account.Account, all []contact) ([]target, error) {
	var peers, groupIDs []string
	for _, one := range all {
		switch one.kind() {
		case typeC2C:
			peers = append(peers, one.To)
		case typeGroup:
			groupIDs = append(groupIDs, one.groupID())
		}
	}
	found, err := c.accounts.FindManyEver(ctx, call.App.ID, peers)
	if err != nil {
		return nil, err
	}
	groups, err := c.memberOf(ctx, call, owner.ID, groupIDs)
	if err != nil {
		return nil, err
	}
	targets := make([]target, len(all))
	for i, one := range all {
		targets[i] = targetOf(&one, found, groups)
	}
	return targets, nil
}

func targetOf(one *contact, peers map[string]account.Account, groups map[string]*group.Group) target {
	switch one.kind() {
	case typeC2C:
		if peer, ok := peers[one.To]; ok {
			return target{choiceKey: choiceKey{chat.OneToOne, int64(peer.ID)}, name: one.To}
		}
		return target{refused: im.Errorf(im.CodeConversationUnknown, "there never was an account %.40q", one.To)}
	case typeGroup:
		if of := groups[one.groupID()]; of != nil {
			return target{choiceKey: choiceKey{chat.Group, of.ID}, name: of.GroupID, group: of}
		}
		return target{refused: im.Errorf(im.CodeConversationGroup, "the account is not a member of a group %.60q", one.groupID())}
	}
	return target{refused: im.Errorf(im.CodeConversationParameter, "Type is %d: want 1 or 2", one.kind())}
}

// memberOf finds those of the named groups that the account is a member of.
func (c *Conversations) memberOf(
	ctx context.Context, call *command.Call, owner im.AccountID, groupIDs []string,
) (map[string]*group.Group, error) {
	found := map[string]*group.Group{}
	if len(groupIDs) == 0 {
		return found, nil
	}
	groups, err := c.groups.Read(ctx, c.db, call.App.ID, groupIDs)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, 0, len(groups))
	for _, one := range groups {
		numbers = append(numbers, one.ID)
	}
	members, err := c.groups.Memberships(ctx, c.db, owner, numbers)
	for name, one := range groups {
		if members[one.ID] != nil {
			found[name] = one
		}
	}
	return found, err
}

// target is targets for one conversation.
func (c *Conversations) target(ctx context.Context, call *command.Call, owner account.Account, one contact) (*target, error) {
	found, err := c.targets(ctx, call, owner, []contact{one})
	if err != nil {
		return nil, err
	}
	return &found[0], found[0].refused
}
