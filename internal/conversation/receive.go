package conversation

import "github.com/magpie-im/magpie/internal/group"

// receiveOption is how an account hears of the messages of a conversation. Its numbers are stored, and those of the wire.
type receiveOption int

// The receive options. The zero receiveOption is the default.
const (
	receiveAll receiveOption = iota
	receiveNothing
	receiveSilently
	receiveMentions // told when a message mentions the account, else silently; of groups only
)

// receiveOptionOf is a member's way to receive as the list of conversations says it.
func receiveOptionOf(of group.Receive) int {
	switch of {
	case group.Discard:
		return int(receiveNothing)
	case group.AcceptNotNotify:
		return int(receiveSilently)
	case group.AcceptNotNotifyExceptAt:
		return int(receiveMentions)
	case group.AcceptAndNotify:
	}
	return int(receiveAll)
}
