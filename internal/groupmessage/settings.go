package groupmessage

import "github.com/magpie-im/magpie/internal/setting"

var messageRate = setting.Int(setting.Spec[int]{
	Name: "group.message_rate", Default: 40, Low: 1, High: 100_000, Unit: "messages per second",
	Doc: "messages that a node takes for one group in a second; their senders are told success of those above it, which are dropped",
})

// Settings lists what an operator may choose in this room.
func (g *GroupMessages) Settings() []setting.Declaration { return []setting.Declaration{messageRate} }
