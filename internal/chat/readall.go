package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// unreadChats are the chats in which an account has unread messages, most of them at most. The account's number is $1.
const unreadChats = `SELECT v.chat_id FROM ` + conversations + ` WHERE v.owner_id = $1 AND ` + unreadOf + ` > 0 ORDER BY v.chat_id LIMIT $2`

// MarkAllRead moves an account's read marks to the ends of chats with unread messages, most of them at most, and gives the peers
// whose messages were read. The peers' conversations change too, as by MarkRead, and rows are locked in the same order.
func (c *Chats) MarkAllRead(ctx context.Context, tx *db.Tx, reader im.AccountID, most int) ([]im.AccountID, error) {
	chats, err := db.All(ctx, tx, db.Number, unreadChats, int64(reader), most)
	if err != nil {
		return nil, fmt.Errorf("find unread chats: %w", err)
	}
	if len(chats) == 0 {
		return nil, nil
	}
	now := tx.Now()
	touch := func(which string) error {
		_, err := tx.Exec(`UPDATE conversation SET changed_at = $1 WHERE (owner_id, chat_id) IN (SELECT v.peer_id, v.chat_id
			FROM conversation v WHERE v.owner_id = $2 AND v.chat_id IN ($3...) AND v.peer_id `+which+` $2)`,
			now.UnixMilli(), int64(reader), db.Ints(chats))
		return err
	}
	if err := touch("<"); err != nil {
		return nil, err
	}
	var peers []im.AccountID
	err = tx.Returning(func(row db.Scanner) error {
		var peer im.AccountID
		err := row(&peer)
		peers = append(peers, peer)
		return err
	}, `UPDATE conversation SET read_time = CASE WHEN read_time > $1 THEN read_time ELSE $1 END, changed_at = $2, settled = `+countedOf+`,
		read_sequence = `+endOf+`, read_ord = (SELECT c.last_ord FROM chat c WHERE c.id = conversation.chat_id)
		WHERE owner_id = $3 AND chat_id IN ($4...) RETURNING peer_id`, now.Unix(), now.UnixMilli(), int64(reader), db.Ints(chats))
	if err != nil {
		return nil, err
	}
	return peers, touch(">")
}
