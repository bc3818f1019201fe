package chat

import "github.com/magpie-im/magpie/internal/im"

// Kind says whose a chat is. Its numbers are stored.
type Kind int

// The kinds of chats.
const (
	// OneToOne is what two accounts share. It is sorted by time, so that an imported history stands where it belongs, and
	// each party's conversation moves with every message.
	OneToOne Kind = 1
	// Group is stored once for all members and sorted by sequence alone; nothing is written for a member at a send.
	Group Kind = 2
)

// Name names a chat by whom it belongs to: two accounts, the lower number first, or a group, whose High is 0, which is no
// account. So Low and High are enough to tell chats apart.
type Name struct {
	Kind      Kind
	Low, High int64
}

// Between names the chat of two accounts. An account has a chat with itself too.
func Between(x, y im.AccountID) Name {
	return Name{OneToOne, int64(min(x, y)), int64(max(x, y))}
}

// order is the first part of the position of a message of that second.
func (k Kind) order(second int64) int64 {
	if k == OneToOne {
		return second
	}
	return 0
}

// party is an account whose conversation moves with a message, and who is on its other side.
type party struct{ owner, peer im.AccountID }

// parties are the accounts whose conversations move with a message from one of them; the sender comes first.
func (n Name) parties(from im.AccountID) []party {
	if n.Kind != OneToOne {
		return nil
	}
	other := im.AccountID(n.Low + n.High - int64(from))
	if other == from {
		return []party{{from, from}}
	}
	return []party{{from, other}, {other, from}}
}
