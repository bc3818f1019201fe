package groupmessage

import (
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue).
var (
	newMessages = event.Define[[]Item](eventMessage, "GroupMsgArray")
	recalls     = event.Define[[]recallNotice](eventNotice, "GroupTips")
	edits       = event.Define[[]modifyNotice](eventEdit, "GroupMsgModNotifys")
	ownReads    = event.Define[[]readNotice](eventNotice, "GroupTips")
	notices     = event.Define[[]notice](eventNotice, "GroupTips")
	atTips      = event.Define[[]atNotice](eventMention, "GroupTips")
)

// The numbers of events. Clients read what a notice is from its body.
const (
	eventNotice  = 5
	eventMention = 12
	eventEdit    = 18
)

// system is the account in whose name the server speaks.
const system = "@TIM#SYSTEM"

// Events lists what the room pushes.
func (g *GroupMessages) Events() []event.Declared {
	return []event.Declared{
		newMessages.Declaration(), recalls.Declaration(), edits.Declaration(), ownReads.Declaration(), notices.Declaration(), atTips.Declaration(),
	}
}

// pushNew tells the members that are online of a new message, all but the connection that sent it.
func (g *GroupMessages) pushNew(by *command.Call, d *Draft) {
	frame, err := g.router.Frame(newMessages.Of([]Item{d.pushed()}))
	if err != nil {
		g.warn(d.Group.ID, err)
		return
	}
	for _, to := range readersOf(d.Group.ID, &d.Message) {
		g.sendFrame(d.Group.ID, to.Except(by.Device), frame)
	}
	if len(d.Mentions) > 0 && !d.OnlineOnly {
		g.pushMentions(by, d)
	}
}

// readersOf are whom a message is for: the group, or the sender and the members that it names.
func readersOf(group int64, m *chat.Message) []event.Audience {
	if len(m.Readers) == 0 {
		return []event.Audience{event.Group(group)}
	}
	all := []event.Audience{event.Devices(m.From)}
	for _, one := range m.Readers {
		if one != m.From {
			all = append(all, event.Devices(one))
		}
	}
	return all
}

// push tells an audience of one thing.
func (g *GroupMessages) push(group int64, to event.Audience, item event.Event) {
	frame, err := g.router.Frame(item)
	if err != nil {
		g.warn(group, err)
		return
	}
	g.sendFrame(group, to, frame)
}

func (g *GroupMessages) sendFrame(group int64, to event.Audience, frame []byte) {
	if err := g.router.Send(to, frame); err != nil {
		g.warn(group, err)
	}
}

func (g *GroupMessages) warn(group int64, err error) {
	g.log.Warn("push to a group", telemetry.FieldGroup, group, telemetry.FieldError, err)
}
