package conversation

import "github.com/magpie-im/magpie/internal/event"

// removed tells an account's other devices that a conversation left the list.
var removed = event.Define[[]removedEvent](11, "RecentContactMod")

// Events lists what the room pushes.
func (c *Conversations) Events() []event.Declared { return []event.Declared{removed.Declaration()} }

type removedEvent struct {
	PushType int `json:"PushType"` // 1: removed
	Item     struct {
		List []removedContact `json:"RecentContactList"`
	} `json:"RecentContactDeleteItem"`
}

type removedContact struct {
	Type int    `json:"Type"`
	User string `json:"User_Account"`
}
