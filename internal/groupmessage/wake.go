package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
)

// wake tells the first members of groups that nobody but the owner has seen until now: the first message of such a group, which these
// drafts may be, shows it to them. It is in the transaction that stores the drafts.
func (g *GroupMessages) wake(tx *db.Tx, drafts []*Draft) error {
	for _, d := range drafts {
		d.woken = nil
		t := d.Group.Type
		if d.Duplicate || d.Message.Sequence != 1 || !t.Yes("activation.needed") || t.Rule("notice.7.initial_members") != "at_activation" {
			continue
		}
		to, err := g.groups.Founders(context.Background(), tx, d.Group)
		if err != nil {
			return err
		}
		if len(to) == 0 {
			continue
		}
		d.woken = &note{to: to, kept: true}
		d.woken.notification = notification{
			From: system, Group: d.Group.GroupID, Info: d.info(), Body: notificationBody{Kind: reportAdded, Operator: d.Sender.UserID},
		}
		d.woken.number(numberOf(tx.NextID()), tx.Now().Unix())
		if err := keepNote(tx, d.woken); err != nil {
			return err
		}
	}
	return nil
}

// pushWoken tells them, before they hear the message.
func (g *GroupMessages) pushWoken(d *Draft) {
	if d.woken == nil {
		return
	}
	for _, who := range d.woken.to {
		g.push(d.Group.ID, notifications.Of([]notification{d.woken.addressed(who.UserID)}), event.Devices(who.ID))
	}
}
