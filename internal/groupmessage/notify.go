package groupmessage

import (
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type notifyRequest struct {
	GroupID string   `json:"GroupId"`
	TopicID string   `json:"TopicId"`
	Text    string   `json:"Content"`
	To      []string `json:"ToMembers_Account"`
}

func (g *GroupMessages) notifyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "send_group_system_notification", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "tell members of a group that are online something", Section: "rest.md#send_group_system_notification",
	}, g.notify)
}

// notify tells all members, or those that are named, if they are online; nothing is stored, counted or asked.
func (g *GroupMessages) notify(ctx context.Context, call *command.Call, r *notifyRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	switch t, most := of.Type, int(of.Type.Number("sysnotify.to_some.max")); {
	case !t.Yes("sysnotify.supported"):
		return nil, im.Errorf(im.CodeGroupRights, "groups of type %s have no notifications", t)
	case len(r.To) > 0 && !t.Yes("sysnotify.to_some"):
		return nil, im.Errorf(im.CodeGroupRights, "in groups of type %s a notification is for all members", t)
	case len(r.To) > most:
		return nil, im.Errorf(im.CodeGroupTooMany, "ToMembers_Account names %d accounts: want at most %d", len(r.To), most)
	case r.Text == "" || len(r.Text) > maxNotificationBytes:
		return nil, im.Errorf(im.CodeGroupParameter, "Content has %d bytes: want 1 to %d", len(r.Text), maxNotificationBytes)
	}
	audiences := []event.Audience{of.Audience()}
	if len(r.To) > 0 {
		members, err := g.membersNamed(ctx, call, of, r.To)
		if err != nil {
			return nil, err
		}
		audiences = nil
		for _, one := range slices.Sorted(maps.Values(members)) {
			audiences = append(audiences, event.Devices(one))
		}
	}
	n := notification{From: system, Group: of.GroupID, Info: infoOf(of), Time: g.db.Now().Unix()}
	n.Info.From = call.UserID
	n.Body.Kind, n.Body.Operator, n.Body.Text = reportCustom, call.UserID, wire.Text(r.Text)
	if n.Sequence, n.Random, err = drawn(); err != nil {
		return nil, err
	}
	n.ClientSeq, n.ClientTime = n.Sequence, n.Time
	frame, err := g.router.Frame(notifications.Of([]notification{n}))
	if err != nil {
		return nil, err
	}
	g.sendFrame(of.ID, frame, audiences)
	g.line.Flush()
	return nil, nil
}

// maxNotificationBytes bounds what a notification says.
const maxNotificationBytes = 8000

// drawn is a pair of numbers by which clients tell notifications apart.
func drawn() (sequence, random int64, err error) {
	var d Draft
	err = d.Number()
	return d.Seq, d.Random, err
}
