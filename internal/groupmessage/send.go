package groupmessage

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

// sendRequest is a message as either door brings it. A client gives its own number and clock too.
type sendRequest struct {
	GroupID string `json:"GroupId"`
	TopicID string `json:"TopicId"`
	From    string `json:"From_Account"`
	send.Fields
	Random      *uint32   `json:"Random"`
	ClientSeq   uint32    `json:"ClientSeq"`
	ClientTime  int64     `json:"MsgClientTime"`
	Priority    priority  `json:"MsgPriority"`
	NeedReceipt wire.Bool `json:"NeedReadReceipt"`
	Mentions    mentions  `json:"GroupAtInfo"`
	To          []string  `json:"To_Account"`
}

type sendReply struct {
	Time int64 `json:"MsgTime"`
	// Sequence is 0 of a message that is not stored.
	Sequence int64  `json:"MsgSeq"`
	Dropped  string `json:"MsgDropReason,omitempty"`
	// Receipts says why there are no receipts of a message that asked for them.
	Receipts im.Code `json:"ReadReceiptCode,omitzero"`
}

func (g *GroupMessages) sendCommand() command.Command {
	return command.NewDeferred(command.Spec{
		Service: service, Name: "send_group_msg", Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Codes: codes(),
		Doc: "send a message to a group", Section: "rest.md#send_group_msg",
	}, g.send)
}

func (g *GroupMessages) send(ctx context.Context, call *command.Call, r *sendRequest, answer func(*sendReply, error)) {
	d, err := g.draftOf(ctx, call, r)
	if err != nil {
		answer(nil, err)
		return
	}
	submit := g.line.Submit
	if !d.Group.Type.Yes("history.stored") {
		submit = g.say
	}
	submit(ctx, call, d, func(err error) {
		if err != nil {
			answer(nil, err)
			return
		}
		answer(&sendReply{d.Message.Time, d.Message.Sequence, d.dropped, d.receipts}, nil)
	})
}

// draftOf checks a request and makes its message.
func (g *GroupMessages) draftOf(ctx context.Context, call *command.Call, r *sendRequest) (*Draft, error) {
	if !call.Admin() || r.From == "" {
		r.From = call.UserID
	}
	to, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	sender, err := g.account(ctx, call.App, r.From)
	if err != nil {
		return nil, err
	}
	if r.Random == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Random is missing")
	}
	body, err := r.Parse(call)
	if err != nil {
		return nil, err
	}
	d := draft(to, sender, body)
	look := g.maySend
	if !bool(r.OnlineOnly) && len(r.Mentions) == 0 && d.Group.Type.Yes("history.stored") && !beforeSend.Wanted(call.App) {
		look = g.maySendOn
	}
	if err := look(ctx, call, d); err != nil {
		return nil, err
	}
	r.into(d, call, g.db.Now().Unix())
	if err := d.askReceipts(call); err != nil {
		return nil, err
	}
	mentions, err := r.Mentions.check(call, d)
	if err != nil {
		return nil, err
	}
	if err := g.mention(ctx, call, d, mentions); err != nil {
		return nil, err
	}
	return d, g.target(ctx, call, d, r)
}

// into says in the draft what the request says beside whom it is for.
func (r *sendRequest) into(d *Draft, call *command.Call, now int64) {
	t := d.Group.Type
	r.Into(&d.Draft, call)
	d.Flags |= r.Priority.flags()
	if r.NeedReceipt {
		d.Flags |= chat.NeedReceipt
	}
	d.OnlineOnly = d.OnlineOnly && t.Yes("send.online_only")
	if d.OnlineOnly || !t.Yes("send.NoUnread_NoLastMsg") {
		d.Flags &^= chat.NoUnread | chat.NoLast
	}
	d.Random = int64(*r.Random)
	if call.Admin() {
		d.Recognise(now, t.Number("send.dedupe_seconds"))
		return
	}
	d.Seq, d.ClientTime, d.KeyTime = int64(r.ClientSeq), r.ClientTime, r.ClientTime
	if d.ClientTime < 0 || d.ClientTime > math.MaxUint32 { // no clock of seconds, and clients read it
		d.ClientTime = now
	}
}

// target makes a message one for the named members alone, if any are named. Who is no member is left out.
func (g *GroupMessages) target(ctx context.Context, call *command.Call, d *Draft, r *sendRequest) error {
	t := d.Group.Type
	switch most := int(t.Number("send.targeted.max")); {
	case len(r.To) == 0:
		return nil
	case !t.Yes("send.targeted"):
		return im.Errorf(im.CodeGroupRights, "groups of type %s have no messages for some members", t)
	case len(r.To) > most:
		return im.Errorf(im.CodeGroupTooMany, "To_Account names %d accounts: want at most %d", len(r.To), most)
	case len(r.Mentions) > 0:
		return im.Errorf(im.CodeGroupParameter, "a message for some members mentions nobody")
	}
	members, err := g.membersNamed(ctx, call, d.Group, r.To)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return errNobody(d.Group)
	}
	d.wanted = slices.Sorted(maps.Values(members))
	d.Readers = d.wanted
	// The list of all members shows one last message and counts for all alike.
	d.Flags |= chat.NoUnread | chat.NoLast
	return nil
}

// errNobody refuses a message for some members that are none.
func errNobody(of *group.Group) error {
	return im.Errorf(im.CodeGroupParameter, "To_Account names no member of group %q", of.GroupID)
}
