package groupmessage

import (
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue).
var (
	newMessages   = event.Define[[]WireMessage](eventMessage, "GroupMsgArray")
	recalls       = event.Define[[]recallEvent](eventSystem, "GroupTips")
	edits         = event.Define[[]editEvent](eventEdit, "GroupMsgModNotifys")
	ownReads      = event.Define[[]readEvent](eventSystem, "GroupTips")
	notifications = event.Define[[]notification](eventSystem, "GroupTips")
	tips          = event.Define[[]WireMessage](eventTip, "GroupTips")
	passingTips   = event.Define[[]WireMessage](eventPassing, "GroupTips")
	pinTips       = event.Define[[]pinEvent](eventPassing, "GroupTips")
	receiptNews   = event.Define[[]receiptEvent](eventSystem, "GroupTips")
	atTips        = event.Define[[]mentionEvent](eventMention, "GroupTips")
)

// The numbers of events. Clients read what a notice is from its body.
const (
	eventTip     = 4 // that is stored
	eventSystem  = 5
	eventPassing = 6 // that is not
	eventMention = 12
	eventEdit    = 18
)

// system is the account in whose name the server speaks, and systemTinyID the number by which clients know it.
const (
	system       = "@TIM#SYSTEM"
	systemTinyID = "144115198244471703"
)

// Events lists what the room pushes.
func (g *GroupMessages) Events() []event.Declared {
	return []event.Declared{
		tips.Declaration(), passingTips.Declaration(), newMessages.Declaration(), recalls.Declaration(), edits.Declaration(), ownReads.Declaration(),
		notifications.Declaration(), atTips.Declaration(), receiptNews.Declaration(), pinTips.Declaration(),
	}
}

// pushNew tells the members that are online of a new message, all but the connection that sent it, and but those that count it
// already as the list of conversations has it.
func (g *GroupMessages) pushNew(by *command.Call, d *Draft) {
	g.pushWoken(d)
	to := readersOf(d.Group.ID, &d.Message, by.Device, func(im.AccountID) bool { return true })
	for i := range to {
		to[i] = to[i].At(d.at())
	}
	g.push(d.Group.ID, newMessages.Of([]WireMessage{d.pushed()}), to...)
	if len(d.Mentions) > 0 && !d.OnlineOnly {
		g.pushMentions(by, d)
	}
}

// readersOf are whom a message is for, all but one device: the group, or of its sender and the members that it names those that
// are told of it still.
func readersOf(group int64, m *chat.Message, except im.DeviceID, still func(im.AccountID) bool) []event.Audience {
	if len(m.Readers) == 0 {
		return []event.Audience{event.Group(group).Except(except)}
	}
	var all []event.Audience
	for i, one := range append([]im.AccountID{m.From}, m.Readers...) {
		if still(one) && (i == 0 || one != m.From) {
			all = append(all, event.Devices(one).Except(except))
		}
	}
	return all
}

// push tells audiences of one thing, of which one frame is made.
func (g *GroupMessages) push(group int64, news event.Event, to ...event.Audience) {
	if len(to) == 0 {
		return
	}
	frame, err := g.router.Frame(news)
	if err != nil {
		g.warn(group, err)
		return
	}
	g.sendFrame(group, frame, to)
}

func (g *GroupMessages) sendFrame(group int64, frame []byte, to []event.Audience) {
	for _, one := range to {
		if err := g.router.Send(one, frame); err != nil {
			g.warn(group, err)
		}
	}
}

func (g *GroupMessages) warn(group int64, err error) {
	g.log.Warn("push to a group", telemetry.FieldGroup, group, telemetry.FieldError, err)
}
