package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Live is where messages go to groups whose messages are not stored. A higher room fills it in.
type Live interface {
	// Say takes a message that its sender may send and the back end let pass. ended is called once: when it is known what became
	// of the message, or as soon as its sender may be told of success; perhaps before Say returns.
	Say(ctx context.Context, call *command.Call, d *Draft, ended func(error))
	// Said finds messages of the group by their numbers, as far as they are known still: what names them and who sent them.
	Said(ctx context.Context, of *group.Group, numbers []int64) map[int64]*chat.Message
	// Unsay takes messages back that were said, or are about to be pushed.
	Unsay(of *group.Group, numbers []int64)
}

// LiveBy has a higher room take the messages that are not stored. It is for the time before commands are served.
func (g *GroupMessages) LiveBy(l Live) { g.live = l }

// nowhere refuses messages where nobody takes them.
type nowhere struct{}

func (nowhere) Say(_ context.Context, _ *command.Call, d *Draft, ended func(error)) {
	ended(im.Errorf(im.CodeGroupRights, "this server does not serve the messages of groups of type %s", d.Group.Type))
}

func (nowhere) Said(context.Context, *group.Group, []int64) map[int64]*chat.Message { return nil }

func (nowhere) Unsay(*group.Group, []int64) {}

// say has a message of a group that stores none pushed. Whether its sender may speak is looked at once more when the back end
// has answered.
func (g *GroupMessages) say(ctx context.Context, call *command.Call, d *Draft, ended func(error)) {
	if err := g.line.CheckMuted(ctx, call, d); err != nil {
		ended(err)
		return
	}
	answer, err := g.askBackEnd(ctx, call, d)
	if err == nil {
		err = g.stillMaySend(ctx, call, d)
	}
	if err != nil {
		ended(err)
		return
	}
	d.Compose(g.db.Now().Unix())
	if answer.Silent {
		ended(nil)
		return
	}
	if err := g.prepare(call, d); err != nil {
		ended(err)
		return
	}
	g.live.Say(ctx, call, d, ended)
}

// stillMaySend looks at what may have changed while the back end was asked.
func (g *GroupMessages) stillMaySend(ctx context.Context, call *command.Call, d *Draft) error {
	if !beforeSend.Wanted(call.App) || d.Unasked {
		return nil
	}
	of, err := g.groups.Find(ctx, call.App.ID, d.Group.GroupID)
	if err != nil {
		return err
	}
	d.Group = of
	if err := g.maySend(ctx, call, d); err != nil {
		return err
	}
	return g.line.CheckMuted(ctx, call, d)
}

// Drop says why the message is not pushed; its sender is told of success all the same.
func (d *Draft) Drop(why string) { d.dropped = why }

// Pushed is the message as it is pushed, once it has a sequence.
func (d *Draft) Pushed() WireMessage { return d.pushed() }

// TellSaid stores the callbacks of messages that were pushed and are not stored.
func (g *GroupMessages) TellSaid(ctx context.Context, drafts []*Draft) error {
	var callbacks []webhook.Callback
	for _, d := range drafts {
		placed := d.placedAt(g.db.Now().UnixMilli()).json()
		for _, c := range d.Callbacks {
			callbacks = append(callbacks, c.With(placed))
		}
	}
	return g.hooks.AddAlone(ctx, callbacks...)
}
