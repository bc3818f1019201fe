package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Annotated is what annotations have to know of the messages of groups.
func (g *GroupMessages) Annotated() annotate.Kind {
	return annotate.Kind{Prefix: "group_", Section: "group-messages", Codes: codes(), Open: g.openGroup}
}

// groupChat is a group's chat in the eyes of whoever attaches something to its messages.
type groupChat struct {
	messages *GroupMessages
	by       annotate.Caller
	group    *group.Group
	chat     int64
}

// openGroup finds the group. Whether the caller is let in is looked at with its messages, in the transaction if there is one.
func (g *GroupMessages) openGroup(ctx context.Context, by annotate.Caller, n *annotate.Naming) (annotate.Chat, error) {
	of, err := g.find(ctx, by.Call, n.GroupID, n.TopicID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes(by.Feature + ".supported") {
		return nil, im.Errorf(im.CodeGroupRights, "messages of groups of type %s have no %ss", of.Type, by.Feature)
	}
	id, err := g.chats.Find(ctx, of.Chat())
	return &groupChat{g, by, of, id}, err
}

// ID implements [annotate.Chat].
func (c *groupChat) ID() int64 { return c.chat }

// reader is the caller as one who reads the group's chat, or a refusal.
func (c *groupChat) reader(ctx context.Context, from db.Source) (*reader, error) {
	if c.by.As == 0 {
		return readerOf(c.by.Call, c.group, c.chat, nil), nil
	}
	member, err := c.messages.groups.Member(ctx, from, c.group.ID, c.by.As)
	if err != nil {
		return nil, err
	}
	var who []group.Who
	if member != nil {
		who = append(who, member.Role.Who())
	}
	if !c.by.Admin() && c.by.App.IsAdmin(c.by.UserID) {
		who = append(who, group.WhoAppAdmin)
	}
	if !c.group.Type.Allows(c.by.Feature+".who", who...) {
		return nil, im.Errorf(im.CodeGroupRights, "you are not a member of group %q", c.group.GroupID)
	}
	return readerOf(c.by.Call, c.group, c.chat, member), nil
}

// Find implements [annotate.Chat].
func (c *groupChat) Find(ctx context.Context, from db.Source, names []annotate.Name) ([]*chat.Message, error) {
	by, err := c.reader(ctx, from)
	if err != nil {
		return nil, err
	}
	sequences := make([]int64, len(names))
	for i, name := range names {
		sequences[i] = name.Sequence
	}
	found, err := c.messages.chats.At(ctx, from, c.chat, sequences)
	if err != nil {
		return nil, err
	}
	bySequence := make(map[int64]*chat.Message, len(found))
	for i := range found {
		if m := &found[i]; m.Sequence > by.after && by.sees(m) && !m.Tip() && !m.Flags.Has(chat.Recalled) {
			bySequence[m.Sequence] = m
		}
	}
	messages := make([]*chat.Message, len(names))
	for i, sequence := range sequences {
		messages[i] = bySequence[sequence]
	}
	return messages, nil
}

// Unknown implements [annotate.Chat].
func (c *groupChat) Unknown(n annotate.Name) error {
	return im.Errorf(im.CodeGroupNoMessage, "there is no message %d in group %q", n.Sequence, c.group.GroupID)
}

// Told implements [annotate.Chat].
func (c *groupChat) Told(ctx context.Context, m *chat.Message) ([]event.Audience, error) {
	told, err := c.messages.toldOf(ctx, c.group, m)
	if err != nil {
		return nil, err
	}
	return told.readersOf(m, 0), nil
}

// Known implements [annotate.Chat].
func (c *groupChat) Known(ctx context.Context, m *chat.Message) (annotate.Known, error) {
	senders, err := c.messages.accounts.ByID(ctx, c.messages.db, []im.AccountID{m.From})
	return annotate.Known{Group: &annotate.KnownGroup{
		Group: c.group.GroupID, From: senders[m.From].UserID,
		MessageID: annotate.MessageID{TinyID: tinyID(m.From), ClientTime: m.ClientTime, Random: m.Random, Number: m.Sequence},
	}}, err
}

// extensionBody is what afterExtension tells.
type extensionBody struct {
	Group     string               `json:"GroupId"`
	Sequence  int64                `json:"MsgSeq"`
	Operation annotate.Operation   `json:"OperateType"`
	List      []annotate.Extension `json:"ExtensionList"`
	Seq       int64                `json:"Seq"`
	EventTime int64                `json:"EventTime"` // unix milliseconds
}

// TellExtensions implements [annotate.Chat].
func (c *groupChat) TellExtensions(tx *db.Tx, m *chat.Message, change *annotate.ExtensionChange) error {
	return afterExtension.Tell(tx, c.messages.hooks, change.By, c.group.ID, func() (extensionBody, error) {
		return extensionBody{
			Group: c.group.GroupID, Sequence: m.Sequence, Operation: change.Operation, List: append([]annotate.Extension{}, change.List...),
			Seq: change.Seq, EventTime: tx.Now().UnixMilli(),
		}, nil
	})
}
