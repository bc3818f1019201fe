package chat

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Open makes an official account's chat, so that conversations of it can begin before its first message. One that is there stays.
func (c *Chats) Open(ctx context.Context, tx *db.Tx, app im.AppID, name Name) (id int64, err error) {
	_, err = tx.Exec(`INSERT INTO chat (id, app_id, kind, low_id, high_id, last_sequence, last_ord, changed_at,
		low_counted, low_listed, low_last_id, low_last_ord, high_counted, high_listed, high_last_id, high_last_ord)
		VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (low_id, high_id) DO NOTHING`,
		tx.NextID(), int64(app), int64(name.Kind), name.Low, name.High)
	if err != nil {
		return 0, err
	}
	return db.One(ctx, tx, db.Number, `SELECT id FROM chat WHERE low_id = $1 AND high_id = $2`, name.Low, name.High)
}

// The account's own row and that of its chat stand for all that a subscriber takes over: nothing that was said before is listed,
// counted, or seen by it.
const beginSubscribed = `INSERT INTO conversation (owner_id, chat_id, peer_id, side, changed_at,
	settled, read_time, read_ord, read_sequence, cleared, uncounted)
SELECT a.id, c.id, $1, 0, $2, c.low_counted, 0, c.last_ord, c.last_sequence, c.last_sequence, c.last_sequence
FROM account a JOIN chat c ON c.id = $3 WHERE a.id IN ($4...) ORDER BY a.id ON CONFLICT (owner_id, chat_id) DO NOTHING`

// Subscribe begins the conversations of accounts with an official account, by its chat: they see what it says from now on.
func (c *Chats) Subscribe(tx *db.Tx, chat int64, official im.AccountID, owners []im.AccountID) error {
	_, err := tx.Exec(beginSubscribed, int64(official), tx.Now().UnixMilli(), chat, db.Ints(owners))
	return err
}

// Unsubscribe ends conversations with an official account: their owners see nothing of its chat any more.
func (c *Chats) Unsubscribe(tx *db.Tx, chat int64, owners []im.AccountID) error {
	for _, end := range []string{
		`DELETE FROM conversation WHERE chat_id = $1 AND owner_id IN ($2...)`,
		`DELETE FROM deleted_message WHERE chat_id = $1 AND account_id IN ($2...)`,
	} {
		if _, err := tx.Exec(end, chat, db.Ints(owners)); err != nil {
			return err
		}
	}
	return nil
}

// UnsubscribeAll ends the conversations of an account that is deleted with official accounts. Its other conversations stay for when it
// is made again.
func (c *Chats) UnsubscribeAll(tx *db.Tx, owner im.AccountID, officials []im.AccountID) error {
	_, err := tx.Exec(`DELETE FROM conversation WHERE owner_id = $1 AND peer_id IN ($2...)`, int64(owner), db.Ints(officials))
	return err
}
