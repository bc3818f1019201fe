package conversation

import "github.com/magpie-im/magpie/internal/setting"

var recentContacts = setting.Int(setting.Spec[int]{
	Name: "conversation.recent", Default: 100, Low: 10, High: 500, Doc: "conversations in a client's list, newest first",
})

// Settings lists what an operator may choose in this room.
func (c *Conversations) Settings() []setting.Declaration {
	return []setting.Declaration{recentContacts}
}
