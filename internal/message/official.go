package message

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// ChatOf is the chat in which an account reads what a peer says: of an official account the one that all its subscribers share, of
// any other the one of the two.
func ChatOf(owner, peer account.Account) chat.Name {
	switch {
	case account.IsOfficial(peer.UserID):
		return chat.OfOfficial(peer.ID)
	case account.IsOfficial(owner.UserID):
		return chat.OfOfficial(owner.ID)
	}
	return chat.Between(owner.ID, peer.ID)
}

// errOfficial refuses a message of one account to another of which one is an official account.
func errOfficial() error {
	return im.Errorf(im.CodeMessageReceiver, "an official account speaks to all its subscribers by send_official_account_msg, and to nobody alone")
}

// PushOfficial pushes what an official account says to its subscribers. All of them get one frame, so its receiver is the official
// account itself; clients show a message by its sender.
func (m *Messages) PushOfficial(from account.Account, said *chat.Message, onlineOnly bool) error {
	written := wireOf(said, from, from)
	if onlineOnly {
		written.LifeTime = new(int64)
	}
	at := event.Sequence{Chat: said.Chat, Number: said.Sequence}
	return m.router.Push(event.Subscribers(from.ID).At(at), newMessages.Of([]WireMessage{written}))
}

// PushOfficialRecall pushes that an official account took back what it said.
func (m *Messages) PushOfficialRecall(from account.Account, said *chat.Message) error {
	return m.router.Push(event.Subscribers(from.ID), recallOf(from, from, said))
}
