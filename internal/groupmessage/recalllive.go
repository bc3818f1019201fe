package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// recallLive takes back messages of a group that stores none: whoever hears what is said there is told, and who enters later is
// not given them. A message that nobody knows any more is not found.
func (g *GroupMessages) recallLive(ctx context.Context, call *command.Call, of *group.Group, r *recallRequest) (*recallReply, error) {
	by := &reader{group: of}
	if !call.Admin() {
		member, err := g.groups.Speaker(ctx, g.db, of, call.Account)
		if err != nil {
			return nil, err
		}
		if member == nil || !member.Inside && member.Role <= group.Ordinary {
			return nil, im.Errorf(im.CodeGroupRights, "you are not inside the group %q", of.GroupID)
		}
		by.member = member
	}
	numbers := make([]int64, len(r.List))
	for i, one := range r.List {
		numbers[i] = one.Number
	}
	said, reply := g.live.Said(ctx, of, numbers), &recallReply{}
	var done []*chat.Message
	for _, number := range numbers {
		code := im.CodeGroupNoMessage
		if m := said[number]; m != nil {
			var err error
			if code, err = by.recallsLive(call, m, g); err != nil {
				return nil, err
			}
			if code == im.CodeOK {
				m.Revoker, m.Reason = call.UserID, wire.Text(r.Reason)
				done = append(done, m)
				delete(said, number)
			}
		}
		reply.List = append(reply.List, recallResult{number, code})
	}
	return reply, g.unsay(ctx, call, of, done)
}

// recallsLive is the code of what the caller may not take back.
func (r *reader) recallsLive(call *command.Call, m *chat.Message, g *GroupMessages) (im.Code, error) {
	err := r.mayRecall(call, m, g.db.Now())
	if refused, ok := im.Refusal(err); ok {
		return refused.Code, nil
	}
	return im.CodeOK, err
}

// unsay has messages forgotten, and tells of it.
func (g *GroupMessages) unsay(ctx context.Context, call *command.Call, of *group.Group, done []*chat.Message) error {
	if len(done) == 0 {
		return nil
	}
	told, err := g.toldOf(ctx, of, done...)
	if err != nil {
		return err
	}
	numbers := make([]int64, len(done))
	for i, m := range done {
		numbers[i] = m.Sequence
	}
	g.live.Unsay(of, numbers)
	to := of.Audience().Except(call.Device)
	if call.Lite {
		to = of.Audience()
	}
	for _, m := range done {
		g.push(of.ID, recalls.Of([]recallEvent{g.recallEventOf(of, m, told.senders[m.From])}), to)
	}
	callbacks, err := afterRecall.Prepare(&call.Actor, of.ID, func() (recallBody, error) {
		body := recallBody{Group: of.GroupID, Type: of.Type.String(), Operator: call.UserID, EventTime: g.db.Now().UnixMilli()}
		for _, number := range numbers {
			body.List = append(body.List, sequence{number})
		}
		return body, nil
	})
	if err != nil || len(callbacks) == 0 {
		return err
	}
	return g.hooks.AddAlone(ctx, callbacks...)
}
