package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/relation"
)

// Gate decides who may write to whom, of what clients send. The relation room does.
type Gate interface {
	// Judge sets on each whether it is refused, or not to be heard. from is the store, or the transaction that stores the messages.
	Judge(ctx context.Context, from db.Source, all []*relation.Sending) error
}

// gated says that the gate decides on the draft. It does not on what back ends and administrators send, on what is said to a
// robot, whom everybody may ask, and on notes to oneself.
func (d *Draft) gated(call *command.Call) {
	if call.Admin() || call.App.IsAdmin(d.Sender.UserID) || account.IsRobot(d.Receiver.UserID) || d.Sender.ID == d.Receiver.ID {
		return
	}
	d.sending = &relation.Sending{App: call.App, From: d.Sender.ID, To: d.Receiver.ID}
}

// judge looks whether the draft may be sent, before anybody is asked about it.
func (m *Messages) judge(ctx context.Context, d *Draft) error {
	if d.sending == nil {
		return nil
	}
	if err := m.gate.Judge(ctx, m.db, []*relation.Sending{d.sending}); err != nil {
		return err
	}
	return d.sending.Refused
}

// unheard reports whether the receiver is not to see the draft.
func (d *Draft) unheard() bool { return d.sending != nil && d.sending.Unheard }

// admit looks once more in the transaction that stores drafts: the back end may have taken its time, and whoever was blocked or
// lost as a friend meanwhile is. What is not to be heard is hidden from its receiver, so that its sender sees it as any other.
func (m *Messages) admit(tx *db.Tx, drafts []*Draft) error {
	all := make([]*relation.Sending, 0, len(drafts))
	for _, d := range drafts {
		if d.sending != nil {
			all = append(all, d.sending)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := m.gate.Judge(context.Background(), tx, all); err != nil {
		return err
	}
	for _, d := range drafts {
		if d.sending == nil {
			continue
		}
		if d.Hidden &^= chat.FromPeer; d.sending.Unheard {
			d.Hidden |= chat.FromPeer
		}
		if d.sending.Refused != nil {
			d.Refuse(d.sending.Refused)
		}
	}
	return nil
}
