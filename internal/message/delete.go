package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
)

// OnDelete empties a deleted account's views of its chats; the messages stay for those whom it wrote with. It is an
// [account.Participant].
func (m *Messages) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	return nil, m.chats.Forget(tx, of.ID)
}
