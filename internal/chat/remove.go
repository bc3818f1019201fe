package chat

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// What one transaction of a removal takes away at most, so that nobody's commit waits long for it.
const (
	removeMessages = 500
	removeChats    = 100
)

// RemoveApp removes chats of an application with their messages, in the order of their ids: the room's part in its removal,
// an app.Part. The conversations go with their owners (RemoveOf).
func (c *Chats) RemoveApp(ctx context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	ids, err := c.OfApp(ctx, tx, of, from, removeChats)
	if err != nil {
		return 0, err
	}
	left := int64(removeMessages)
	for _, id := range ids {
		removed, err := tx.Exec(`DELETE FROM message WHERE id IN (SELECT id FROM message WHERE chat_id = $1 LIMIT $2)`, id, left)
		if left -= removed; err != nil || left <= 0 {
			return id, err
		}
		if _, err := tx.Exec(`DELETE FROM chat WHERE id = $1`, id); err != nil {
			return 0, err
		}
		next = id + 1
	}
	return next, nil
}

// RemoveOf removes what accounts have of their chats that are removed: conversations, and what they have deleted for themselves; most
// of it at most, and tells how much.
func (c *Chats) RemoveOf(_ context.Context, tx *db.Tx, owners []im.AccountID, most int64) (removed int64, err error) {
	for _, remove := range []string{
		`DELETE FROM conversation WHERE (owner_id, chat_id) IN
			(SELECT owner_id, chat_id FROM conversation WHERE owner_id IN ($1...) LIMIT $2)`,
		`DELETE FROM deleted_message WHERE (account_id, chat_id, sequence) IN
			(SELECT account_id, chat_id, sequence FROM deleted_message WHERE account_id IN ($1...) LIMIT $2)`,
	} {
		n, err := tx.Exec(remove, db.Ints(owners), most-removed)
		if removed += n; err != nil || removed >= most {
			return removed, err
		}
	}
	return removed, nil
}
