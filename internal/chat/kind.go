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
	// Official is what an official account says to its subscribers: stored once for all, and sorted by time, as it stands beside
	// what others say to an account. Conversations begin when their owners subscribe.
	Official Kind = 3
)

// Name names a chat by whom it belongs to: two accounts, the lower number first, or a group or an official account, whose High is 0,
// which is no account. The numbers of groups and accounts never meet, so Low and High are enough to tell chats apart.
type Name struct {
	Kind      Kind
	Low, High int64
}

// Between names the chat of two accounts. An account has a chat with itself too.
func Between(x, y im.AccountID) Name {
	return Name{OneToOne, int64(min(x, y)), int64(max(x, y))}
}

// OfOfficial is the chat in which an official account speaks to its subscribers.
func OfOfficial(account im.AccountID) Name { return Name{Official, int64(account), 0} }

// order is the first part of the position of a message of that second.
func (k Kind) order(second int64) int64 {
	if k != Group {
		return second
	}
	return 0
}

// side tells apart accounts that see different messages of a chat, and so have counters of their own in its row: of two
// accounts the one with the lower number, and the other one. In any other chat all are the first side. Its numbers are stored.
type side int

const (
	low side = iota
	high
	mostSides
)

// sides is how many sides the chat has.
func (n Name) sides() side {
	if n.Kind == OneToOne && n.Low != n.High {
		return mostSides
	}
	return high
}

// side is the side of an account.
func (n Name) side(who im.AccountID) side {
	if n.sides() == mostSides && int64(who) == n.High {
		return high
	}
	return low
}

// party is an account that has a conversation from the first message on that it sees, its side, and who is on the other one.
type party struct {
	owner, peer im.AccountID
	side        side
}

// parties are the accounts whose conversations begin with a message.
func (n Name) parties() []party {
	if n.Kind != OneToOne {
		return nil
	}
	x, y := im.AccountID(n.Low), im.AccountID(n.High)
	if x == y {
		return []party{{x, x, low}}
	}
	return []party{{x, y, low}, {y, x, high}}
}
