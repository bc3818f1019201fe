package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// Annotated is what annotations have to know of one-to-one messages.
func (m *Messages) Annotated() annotate.Kind {
	return annotate.Kind{Section: "extensions", Codes: peerCodes(), Open: m.openPair}
}

// pair is a chat of two in the eyes of whoever attaches something to its messages.
type pair struct {
	messages *Messages
	by       annotate.Caller
	from, to account.Account // of the message that the request names first
	chat     int64
}

// openPair lets either party in, and a back end.
func (m *Messages) openPair(ctx context.Context, by annotate.Caller, n *annotate.Naming) (annotate.Chat, error) {
	if n.From == "" && by.Admin() {
		n.From = by.UserID
	}
	from, to, err := m.messageParties(ctx, by.App, n.From, n.To)
	if err != nil {
		return nil, err
	}
	if by.As != 0 && by.As != from.ID && by.As != to.ID {
		return nil, im.Errorf(im.CodeMessageParty, "only sender and receiver attach something to a message")
	}
	id, err := m.chats.Find(ctx, chat.Between(from.ID, to.ID))
	return &pair{m, by, from, to, id}, err
}

// ID implements [annotate.Chat].
func (p *pair) ID() int64 { return p.chat }

// Find implements [annotate.Chat].
func (p *pair) Find(ctx context.Context, from db.Source, names []annotate.Name) ([]*chat.Message, error) {
	keys := make([]chat.Key, len(names))
	for i, name := range names {
		key, err := ParseKey(name.Key)
		if err != nil {
			return nil, err
		}
		keys[i] = chat.Key(key)
	}
	sender := p.from.ID
	if len(names) > 1 { // the request has the parties of the first one
		sender = 0
	}
	found, err := p.messages.chats.ByKeys(ctx, from, p.chat, sender, keys)
	if err != nil {
		return nil, err
	}
	conversations, err := p.messages.chats.Conversations(ctx, from, p.chat, p.from.ID, p.to.ID)
	if err != nil {
		return nil, err
	}
	messages := make([]*chat.Message, len(names))
	for i, key := range keys {
		if one := found[key]; one != nil && !one.Flags.Has(chat.Recalled) && p.sees(one, conversations) {
			messages[i] = one
		}
	}
	return messages, nil
}

func (p *pair) sees(one *chat.Message, of map[im.AccountID]chat.Conversation) bool {
	return p.by.As == 0 || one.SeenBy(p.by.As, of[p.by.As].Cleared)
}

// Unknown implements [annotate.Chat].
func (p *pair) Unknown(n annotate.Name) error {
	return im.Errorf(im.CodeMessageUnknown, "no message %.60q between %q and %q", n.Key, p.from.UserID, p.to.UserID)
}

// Told implements [annotate.Chat]: those of the two who see the message.
func (p *pair) Told(_ context.Context, one *chat.Message) ([]event.Audience, error) {
	var all []event.Audience
	for _, who := range []account.Account{p.from, p.to} {
		if one.SeenBy(who.ID, 0) && (len(all) == 0 || p.from.ID != p.to.ID) {
			all = append(all, event.Devices(who.ID))
		}
	}
	return all, nil
}

// Known implements [annotate.Chat].
func (p *pair) Known(_ context.Context, one *chat.Message) (annotate.Known, error) {
	from, to := p.from, p.to
	if one.From == to.ID {
		from, to = to, from
	}
	return annotate.Known{OneToOne: &annotate.KnownOneToOne{
		From: from.UserID, To: to.UserID,
		MessageID: annotate.MessageID{TinyID: tinyID(from.ID), ClientTime: one.ClientTime, Random: one.Random, Number: one.Seq},
	}}, nil
}

// extensionBody is what afterExtension tells.
type extensionBody struct {
	From      string               `json:"From_Account"`
	To        string               `json:"To_Account"`
	Key       Key                  `json:"MsgKey"`
	Operation annotate.Operation   `json:"OperateType"`
	List      []annotate.Extension `json:"ExtensionList"`
	Seq       int64                `json:"Seq"`
	EventTime int64                `json:"EventTime"` // unix milliseconds
}

// TellExtensions implements [annotate.Chat].
func (p *pair) TellExtensions(tx *db.Tx, one *chat.Message, c *annotate.ExtensionChange) error {
	return afterExtension.Tell(tx, p.messages.hooks, c.By, callbackOrder(p.from.ID, p.to.ID), func() (extensionBody, error) {
		return extensionBody{
			From: p.from.UserID, To: p.to.UserID, Key: Key(one.Key()), Operation: c.Operation, List: append([]annotate.Extension{}, c.List...),
			Seq: c.Seq, EventTime: tx.Now().UnixMilli(),
		}, nil
	})
}
