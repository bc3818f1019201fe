package groupmessage

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// pinRequest names a message, and at the REST door who is shown as the one who pins or unpins it.
type pinRequest struct {
	GroupID  string `json:"GroupId"`
	TopicID  string `json:"TopicId"`
	Sequence int64  `json:"MsgSeq"`
	Pinner   string `json:"Pinner_Account"`
	Unpinner string `json:"UnPinner_Account"`
}

func (g *GroupMessages) pinCommands() []command.Command {
	spec := func(name, doc string) command.Spec {
		return command.Spec{
			Service: service, Name: name, Also: []string{community}, By: command.Administrator | command.Account,
			Family: im.FamilyGroup(), Doc: doc, Section: "rest.md#" + name,
		}
	}
	return []command.Command{
		command.New(spec("pin_message", "pin a message of a group"),
			func(ctx context.Context, call *command.Call, r *pinRequest) (*command.None, error) {
				return nil, g.pin(ctx, call, r, &pinning{pin: true, userID: r.Pinner})
			}),
		command.New(spec("unpin_message", "unpin a message of a group"),
			func(ctx context.Context, call *command.Call, r *pinRequest) (*command.None, error) {
				return nil, g.pin(ctx, call, r, &pinning{userID: r.Unpinner})
			}),
		command.New(spec("get_pinned_messages", "list the pinned messages of a group"), g.pins),
	}
}

// pinning is a pin that comes or goes.
type pinning struct {
	pin      bool
	userID   string
	call     *command.Call
	group    *group.Group
	by       account.Account // who is shown
	chat     int64
	sequence int64

	message *chat.Message
	changed bool
}

// rule is which rule says who may.
func (p *pinning) rule() string {
	switch {
	case p.call.Admin():
		return "pin.who.rest"
	case p.pin:
		return "pin.who.client"
	}
	return "unpin.who.client"
}

func (g *GroupMessages) pin(ctx context.Context, call *command.Call, r *pinRequest, p *pinning) error {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return err
	}
	p.call, p.group, p.sequence = call, of, r.Sequence
	switch {
	case !of.Type.Yes("pin.supported"):
		return im.Errorf(im.CodeGroupRights, "groups of type %s have no pinned messages", of.Type)
	case r.Sequence <= 0:
		return im.Errorf(im.CodeGroupParameter, "MsgSeq is missing")
	case p.userID == "":
		p.userID = call.UserID
	case !call.Admin() && p.userID != call.UserID:
		return im.Errorf(im.CodeGroupParameter, "a client pins for its own account")
	}
	if p.by, err = g.account(ctx, call.App, p.userID); err != nil {
		return err
	}
	if p.chat, err = g.chats.Find(ctx, of.Chat()); err != nil {
		return err
	}
	var refused error
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		refused, err = g.changePin(ctx, tx, p)
		return err
	})
	if err != nil || refused != nil || !p.changed {
		return orElse(err, refused)
	}
	g.pushPin(ctx, p)
	return nil
}

// changePin stores the change. Who may is looked at here alone, in the transaction.
func (g *GroupMessages) changePin(ctx context.Context, tx *db.Tx, p *pinning) (refused, err error) {
	p.changed, p.message = false, nil
	by, refused, err := g.pinner(ctx, tx, p)
	if err != nil || refused != nil {
		return refused, err
	}
	m, err := g.chats.BySequence(ctx, tx, p.chat, p.sequence)
	switch {
	case err != nil:
		return nil, err
	case m == nil || m.Flags.Has(chat.Recalled) || m.Sequence <= by.after || !by.sees(m):
		return im.Errorf(im.CodeGroupNoMessage, "there is no message %d, or it was recalled", p.sequence), nil
	case m.Tip() || len(m.Readers) > 0:
		return im.Errorf(im.CodeGroupParameter, "message %d is a tip, or for some members only", p.sequence), nil
	}
	p.message = m
	if !p.pin {
		if p.changed, err = g.attached.Unpin(tx, m); err == nil && !p.changed {
			refused = im.Errorf(im.CodeGroupNoMessage, "message %d is not pinned", p.sequence)
		}
		return refused, err
	}
	p.changed, err = g.attached.Pin(ctx, tx, m, p.by.ID, int(p.group.Type.Number("pin.max")))
	if refusal, ok := im.Refusal(err); ok {
		return refusal, nil
	}
	return nil, err
}

// pinner is the caller as a reader of the group, or a refusal.
func (g *GroupMessages) pinner(ctx context.Context, tx *db.Tx, p *pinning) (by *reader, refused, err error) {
	alive, err := g.groups.StandingOf(ctx, tx, []group.MemberKey{{Group: p.group.ID, Account: p.call.Account}})
	if err != nil {
		return nil, nil, err
	}
	if !alive.Alive(p.group.ID) {
		return nil, group.ErrUnknown(p.group.GroupID), nil
	}
	who := []group.Who{group.WhoAppAdmin}
	var member *group.Member
	if !p.call.Admin() {
		if member, err = g.groups.Member(ctx, tx, p.group.ID, p.call.Account); err != nil {
			return nil, nil, err
		}
		who = pinnerOf(p.call, member)
	}
	if !p.group.Type.Allows(p.rule(), who...) {
		return nil, im.Errorf(im.CodeGroupRights, "you may not pin messages of group %q", p.group.GroupID), nil
	}
	return readerOf(p.call, p.group, p.chat, member), nil, nil
}

// pinnerOf is a client in the words of the table of rules. Where the application lets administrators alone pin, a member has no
// right.
func pinnerOf(call *command.Call, member *group.Member) (who []group.Who) {
	if member != nil && (member.Role != group.Ordinary || pinners.Of(call.App) == everyMember) {
		who = append(who, member.Role.Who())
	}
	if call.App.IsAdmin(call.UserID) {
		who = append(who, group.WhoAppAdmin)
	}
	return who
}

type pinsRequest struct {
	GroupID string `json:"GroupId"`
	TopicID string `json:"TopicId"`
}

type pinnedMessage struct {
	Sequence int64  `json:"MsgSeq"`
	Pinner   string `json:"Pinner_Account"`
}

type pinsReply struct {
	List []pinnedMessage `json:"PinnedMsgList"` // the latest first
}

func (g *GroupMessages) pins(ctx context.Context, call *command.Call, r *pinsRequest) (*pinsReply, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	pins, err := g.attached.Pins(ctx, g.db, by.chat)
	if err != nil {
		return nil, err
	}
	pins = slices.DeleteFunc(pins, func(p annotate.Pin) bool { return p.Sequence <= by.after })
	ids := make([]im.AccountID, len(pins))
	for i, one := range pins {
		ids[i] = one.By
	}
	names, err := g.accounts.ByID(ctx, g.db, distinct(ids))
	reply := &pinsReply{List: make([]pinnedMessage, len(pins))}
	for i, one := range pins {
		reply.List[i] = pinnedMessage{one.Sequence, names[one.By].UserID}
	}
	return reply, err
}
