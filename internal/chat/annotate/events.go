package annotate

import (
	"github.com/magpie-im/magpie/internal/event"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue). Clients do not look at the numbers.
var (
	newReactions = event.Define[[]reactionEvent](21, "MsgReactionNotifyList")
	ownReactions = event.Define[ownReaction](22, "MsgReactionNotify")
)

// Events lists what the room pushes.
func (a *Annotations) Events() []event.Declared {
	return []event.Declared{newReactions.Declaration(), ownReactions.Declaration()}
}

// reactionEvent tells how many reacted to a message with something.
type reactionEvent struct {
	OneToOne *KnownOneToOne `json:"C2CMsgInfo,omitempty"`
	Group    *KnownGroup    `json:"GroupMsgInfo,omitempty"`
	Summary  []Summary      `json:"MsgReactionSummary"`
}

// ownReaction tells an account's other devices how it reacted to a message.
type ownReaction struct {
	OneToOne *KnownOneToOne `json:"C2CMsgInfo,omitempty"`
	Group    *KnownGroup    `json:"GroupMsgInfo,omitempty"`
	Reaction string         `json:"Reaction"`
	Change   int            `json:"MsgOptType"`
}

// The values of ownReaction.Change.
const (
	reactionAdded   = 1
	reactionRemoved = 2
)
