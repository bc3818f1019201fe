package annotate

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// What one transaction of a removal takes away at most, so that nobody's commit waits long for it.
const (
	removeRows  = 500
	removeChats = 100
)

// removals take rows of a chat ($1) away, some of them ($2) at most; what hangs on others goes first.
func removals() []string {
	return []string{
		`DELETE FROM reaction WHERE (message_id, reaction, account_id) IN (SELECT message_id, reaction, account_id FROM reaction
			WHERE message_id IN (SELECT message_id FROM annotation WHERE chat_id = $1) LIMIT $2)`,
		`DELETE FROM extension WHERE (message_id, name) IN (SELECT message_id, name FROM extension
			WHERE message_id IN (SELECT message_id FROM annotation WHERE chat_id = $1) LIMIT $2)`,
		`DELETE FROM annotation WHERE message_id IN (SELECT message_id FROM annotation WHERE chat_id = $1 LIMIT $2)`,
		`DELETE FROM pin WHERE chat_id = $1 AND message_id IN (SELECT message_id FROM pin WHERE chat_id = $1 LIMIT $2)`,
		`DELETE FROM chat_reader WHERE chat_id = $1 AND account_id IN (SELECT account_id FROM chat_reader WHERE chat_id = $1 LIMIT $2)`,
		`DELETE FROM annotated_chat WHERE chat_id IN (SELECT chat_id FROM annotated_chat WHERE chat_id = $1 LIMIT $2)`,
	}
}

// RemoveApp removes the annotations of an application, in the order of its chats: the room's part in its removal, an app.Part. It
// comes before that of the chats.
func (a *Annotations) RemoveApp(ctx context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	ids, err := a.Chats.OfApp(ctx, tx, of, from, removeChats)
	if err != nil {
		return 0, err
	}
	left := int64(removeRows)
	for _, id := range ids {
		for _, remove := range removals() {
			removed, err := tx.Exec(remove, id, left)
			if left -= removed; err != nil || left <= 0 {
				return id, err
			}
		}
		next = id + 1
	}
	return next, nil
}

// Expire removes what is attached to messages that are removed because their time is over, by their chats and ids, in the transaction
// that removes them.
func (a *Annotations) Expire(tx *db.Tx, chats, messages []int64) error {
	if _, err := tx.Exec(`DELETE FROM pin WHERE chat_id IN ($1...) AND message_id IN ($2...)`, db.Ints(chats), db.Ints(messages)); err != nil {
		return fmt.Errorf("remove pins: %w", err)
	}
	return removeOf(tx, messages)
}

// removeOf removes all that is attached to messages but pins.
func removeOf(tx *db.Tx, messages []int64) error {
	for _, remove := range []string{
		`DELETE FROM reaction WHERE message_id IN ($1...)`, `DELETE FROM extension WHERE message_id IN ($1...)`,
		`DELETE FROM annotation WHERE message_id IN ($1...)`,
	} {
		if _, err := tx.Exec(remove, db.Ints(messages)); err != nil {
			return fmt.Errorf("remove annotations: %w", err)
		}
	}
	return nil
}
