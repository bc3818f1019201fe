package annotate

import (
	"github.com/magpie-im/magpie/internal/event"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue). Clients do not look at the numbers.
var (
	newReactions  = event.Define[[]reactionEvent](21, "MsgReactionNotifyList")
	newExtensions = event.Define[extensionEvent](20, "MsgExtensionNotify")
	ownReactions  = event.Define[ownReaction](22, "MsgReactionNotify")
)

// Events lists what the room pushes.
func (a *Annotations) Events() []event.Declared {
	return []event.Declared{newReactions.Declaration(), ownReactions.Declaration(), newExtensions.Declaration()}
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

// extensionEvent tells what was set, deleted or cleared; one of the lists is there.
type extensionEvent struct {
	TinyID   string           `json:"TinyId"` // the message's sender's
	Change   int              `json:"MsgOptType"`
	Seq      int64            `json:"MsgLastSeq"`
	OneToOne *KnownOneToOne   `json:"ExtensionC2cMsgInfo,omitempty"`
	Group    *KnownGroup      `json:"ExtensionGroupMsgInfo,omitempty"`
	Set      []extensionsNews `json:"SetKVInfo,omitempty"`
	Deleted  []extensionsNews `json:"DeleteKVInfo,omitempty"`
	Cleared  []extensionsNews `json:"ClearKVInfo,omitempty"`
}

type extensionsNews struct {
	List    []Extension `json:"MsgKeyValue"`
	Cleared int64       `json:"ClearMsgSeq"`
}
