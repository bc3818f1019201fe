package message

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Draft is a message from one account to another before it is sent. Begin with NewDraft and change what is to differ;
// after Send, Message is what became of it.
type Draft struct {
	chat.Draft
	Sender, Receiver account.Account
	// OnlineOnly delivers the message to whoever is online and stores it nowhere.
	OnlineOnly bool
	// ToSender tells the sender's other devices of it at once; those that log in later find it in any case.
	ToSender bool
	// Unpushed tells no device of it; whoever reads the history finds it.
	Unpushed bool
	// Unasked and Untold leave the callbacks before and after the message out.
	Unasked, Untold bool

	callbacks []webhook.Callback // to be stored with it

	// Of a submitted draft: who sends it, and whom to tell when it has ended.
	by    *command.Call
	ended func(error)
}

// NewDraft makes a message with a key of its own, as sender and receiver see it when nothing else is said: counted,
// listed, kept for devices that are away, the sender's other devices told. body is the JSON of the elements, in normal
// form (element.Parse).
func NewDraft(sender, receiver account.Account, body []byte) (*Draft, error) {
	seq, err := drawNumber()
	if err != nil {
		return nil, err
	}
	random, err := drawNumber()
	if err != nil {
		return nil, err
	}
	return &Draft{
		Sender: sender, Receiver: receiver, ToSender: true,
		Draft: chat.Draft{
			App: sender.App, Chat: chat.Between(sender.ID, receiver.ID), From: sender.ID,
			Seq: int64(seq), Random: int64(random), Lifetime: im.MaxLifetimeSeconds,
			Body: body, Nick: sender.Nick, FaceURL: sender.FaceURL,
		},
	}, nil
}

// to makes the same message for another receiver.
func (d *Draft) to(receiver account.Account) *Draft {
	one := *d
	one.Receiver, one.Chat = receiver, chat.Between(d.Sender.ID, receiver.ID)
	return &one
}

// bytesToStore is how much the message takes of what may be stored in a second.
func (d *Draft) bytesToStore() int {
	if d.OnlineOnly {
		return 0
	}
	return len(d.Body) + len(d.CloudData)
}

// messageID is the id that clients give a message sent at the clock's second (docs/protocol/wire.md#c2c-item).
func (d *Draft) messageID(clock int64) string {
	return fmt.Sprintf("%d-%d-%d", d.From, clock, d.Random)
}

// drawNumber gives a message a number that its sender left out.
func drawNumber() (uint32, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("draw a message's number: %w", err)
	}
	return binary.BigEndian.Uint32(random[:]), nil
}
