package conversation

import (
	"cmp"
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// carried is what a conversation carries: marks, data of its owner's, folders.
type carried struct {
	contact
	Marks   string `json:"StandardMark"`
	Custom  string `json:"CustomMark"`
	Folders []int  `json:"ContactGroupId"`
	Time    int64  `json:"Timestamp"` // of the last change, a unix second
}

func (c *choice) carried(of contact) carried {
	const second = 1000
	return carried{of, c.marks.text(), c.custom, c.folders.list(), c.changed / second}
}

type carriedRequest struct {
	From  string `json:"From_Account"`
	Start int    `json:"StartIndex"`
}

type carriedReply struct {
	Complete wire.Bool `json:"CompleteFlag"`
	Next     int       `json:"NextStartIndex"`
	Folders  []folder  `json:"GroupItem"`
	Items    []carried `json:"ContactItem"`
}

func (c *Conversations) carriedCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_contact_group", By: command.Administrator | command.Account, Family: family(),
		Doc: "list conversation groups, and the conversations that carry marks or are in one", Section: "rest.md#get_contact_group",
	}, c.carried)
}

func (c *Conversations) carried(ctx context.Context, call *command.Call, r *carriedRequest) (*carriedReply, error) {
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	reply := &carriedReply{Items: []carried{}}
	if reply.Folders, err = c.folders(ctx, c.db, owner.ID); err != nil {
		return nil, err
	}
	all, err := c.choices(ctx, c.db, owner.ID)
	if err != nil {
		return nil, err
	}
	keys := all.carrying()
	from := min(max(r.Start, 0), len(keys))
	upTo := min(from+pageSize, len(keys))
	names, err := c.names(ctx, owner.ID, keys[from:upTo])
	if err != nil {
		return nil, err
	}
	for _, key := range keys[from:upTo] {
		if of, ok := names[key]; ok {
			reply.Items = append(reply.Items, all[key].carried(of))
		}
	}
	if reply.Complete = upTo == len(keys); !reply.Complete {
		reply.Next = upTo
	}
	return reply, nil
}

// carrying lists the conversations that carry something, in one order.
func (all choices) carrying() []choiceKey {
	var keys []choiceKey
	for key, one := range all {
		if one.carries() {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(x, y choiceKey) int { return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.peer, y.peer)) })
	return keys
}

// names gives what conversations are called on the wire. A group that the owner is not in any more has no name.
func (c *Conversations) names(ctx context.Context, owner im.AccountID, keys []choiceKey) (map[choiceKey]contact, error) {
	var (
		peers  []im.AccountID
		groups []int64
	)
	for _, key := range keys {
		if key.kind == chat.Group {
			groups = append(groups, key.peer)
		} else {
			peers = append(peers, im.AccountID(key.peer))
		}
	}
	accounts, err := c.accounts.ByID(ctx, c.db, peers)
	if err != nil {
		return nil, err
	}
	joined, err := c.groups.MemberOf(ctx, c.db, owner, groups)
	if err != nil {
		return nil, err
	}
	return namesOf(accounts, joined), nil
}

func namesOf(accounts map[im.AccountID]account.Account, joined map[int64]*group.Group) map[choiceKey]contact {
	names := make(map[choiceKey]contact, len(accounts)+len(joined))
	for id, one := range accounts {
		names[choiceKey{chat.OneToOne, int64(id)}] = contact{Type: typeC2C, To: one.UserID}
	}
	for number, one := range joined {
		names[choiceKey{chat.Group, number}] = contact{Type: typeGroup, ToGroup: one.GroupID}
	}
	return names
}

type carriedOfRequest struct {
	From     string    `json:"From_Account"`
	Contacts []contact `json:"ContactItem"`
}

type carriedOfReply struct {
	Items   []carried `json:"ContactResultItem"`
	Folders []folder  `json:"GroupItem"`
}

// mostAskedFor bounds the conversations of one question about what they carry.
const mostAskedFor = 300

func (c *Conversations) carriedOfCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "search_contact_group", By: command.Administrator | command.Account, Family: family(),
		Doc: "tell what conversations carry", Section: "rest.md#search_contact_group",
	}, c.carriedOf)
}

// carriedOf answers for the conversations that it finds; one of which nothing was chosen carries nothing.
func (c *Conversations) carriedOf(ctx context.Context, call *command.Call, r *carriedOfRequest) (*carriedOfReply, error) {
	if len(r.Contacts) > mostAskedFor {
		return nil, im.Errorf(im.CodeConversationParameter, "%d conversations in one call: want at most %d", len(r.Contacts), mostAskedFor)
	}
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	targets, err := c.targets(ctx, call, owner, r.Contacts)
	if err != nil {
		return nil, err
	}
	all, err := c.choices(ctx, c.db, owner.ID)
	if err != nil {
		return nil, err
	}
	reply := &carriedOfReply{Items: []carried{}}
	for i := range targets {
		if targets[i].refused == nil {
			reply.Items = append(reply.Items, all.of(targets[i].choiceKey).carried(r.Contacts[i]))
		}
	}
	reply.Folders, err = c.folders(ctx, c.db, owner.ID)
	return reply, err
}
