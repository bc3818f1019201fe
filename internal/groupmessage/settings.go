package groupmessage

import "github.com/magpie-im/magpie/internal/setting"

var (
	messageRate = setting.Int(setting.Spec[int]{
		Name: "group.message_rate", Default: 40, Low: 1, High: 100_000, Unit: "messages per second",
		Doc: "messages that a node takes for one group in a second; their senders are told success of those above it, which are dropped",
	})

	pinners = setting.Choice(setting.Spec[pinnersChoice]{
		Name: "group.pin_who", Default: pinnersMembers, Doc: "who pins and unpins messages: every member, or owner and administrators",
	}, pinnersMembers, pinnersAdmins)

	receiptMembers = setting.Int(setting.Spec[int]{
		Name: "group.receipt_members", Default: 200, Low: 1, High: 10_000, Unit: "members",
		Doc: "largest group in which a message may ask for receipts",
	})
)

// Settings lists what an operator may choose in this room.
func (g *GroupMessages) Settings() []setting.Declaration {
	return []setting.Declaration{messageRate, pinners, receiptMembers}
}

// pinnersChoice is who may pin.
type pinnersChoice string

const (
	pinnersMembers pinnersChoice = "member"
	pinnersAdmins  pinnersChoice = "admin"
)
