package message

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/relation"
	"github.com/magpie-im/magpie/internal/send"
)

// Draft is a message from one account to another before it is sent. Begin with NewDraft and change what is to differ;
// after Send, Message is what became of it.
type Draft struct {
	send.Draft
	Sender, Receiver account.Account
	// ToSender tells the sender's other devices of it at once; those that log in later find it in any case.
	ToSender bool

	// sending is what the gate decides on; nil of what it has no say in.
	sending *relation.Sending
}

// NewDraft makes a message with a key of its own, as sender and receiver see it when nothing else is said: counted,
// listed, kept for devices that are away, the sender's other devices told. body is the JSON of the elements, in normal
// form (element.Parse).
func NewDraft(sender, receiver account.Account, body []byte) (*Draft, error) {
	if account.IsOfficial(sender.UserID) || account.IsOfficial(receiver.UserID) {
		return nil, errOfficial()
	}
	d := &Draft{Sender: sender, Receiver: receiver, ToSender: true}
	d.Draft.Draft = chat.Draft{
		App: sender.App, Chat: chat.Between(sender.ID, receiver.ID), From: sender.ID, Lifetime: im.MaxLifetimeSeconds,
		Body: body, Nick: sender.Nick, FaceURL: sender.FaceURL,
	}
	return d, d.Number()
}

// to makes the same message for another receiver.
func (d *Draft) to(receiver account.Account) *Draft {
	one := *d
	one.Receiver, one.Chat = receiver, chat.Between(d.Sender.ID, receiver.ID)
	return &one
}
