package groupmessage

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Draft is a message of an account to a group before it is sent; after that, Message is what became of it.
type Draft struct {
	send.Draft
	Group  *group.Group
	Sender account.Account
	// NameCard is what the sender is called in the group; empty is no name of its own.
	NameCard string
	// Mentions are whom the message mentions.
	Mentions mentions

	wanted    []im.AccountID   // whom a message for some members is for; its Readers are those of them that are members when it is stored
	mentioned []im.AccountID   // those whom it mentions by name
	robots    []mentionedRobot // those of them that are robots, unless a robot mentions them
	toRobots  []webhook.Callback
	woken     *note              // for the first members of the group that it shows to them; nil of any other message
	refusals  []webhook.Callback // of a message that is refused in the transaction that would store it
	speaker   speaker
	// remembered says that the sender was let through because he was heard lately; the transaction is the first to look.
	remembered bool
	receipts   im.Code // why there are no receipts of it, though it asks for them
	dropped    string  // why the rate of the group keeps the message back; its sender is told success all the same
}

// draft makes a message of the account to the group, of elements in normal form. It has no numbers yet.
func draft(to *group.Group, sender account.Account, body []byte) *Draft {
	d := &Draft{Group: to, Sender: sender}
	d.Draft.Draft = chat.Draft{
		App: to.App, Chat: to.Chat(), From: sender.ID, Lifetime: im.MaxLifetimeSeconds,
		Body: body, Nick: sender.Nick, FaceURL: sender.FaceURL,
	}
	return d
}

// in names an account in the draft's group.
func (d *Draft) in(who im.AccountID) group.MemberKey {
	return group.MemberKey{Group: d.Group.ID, Account: who}
}

// callbackOrder is the order of the group's callbacks.
func (d *Draft) callbackOrder() int64 { return d.Group.ID }
