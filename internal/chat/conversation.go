package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Conversation is one account's view of a chat. The zero Conversation is that of an account that never had one.
type Conversation struct {
	// ReadTime is up to when the account has read, as others are told: a unix second.
	ReadTime int64
	// Read is up to where the account has read: everything at or below its sequence, and unread messages do not stand before
	// its order, but for imports of older ones.
	Read Position
	// Cleared is up to where the account does not see the chat any more, as a sequence.
	Cleared int64
}

// Conversations reads the conversations that accounts have of a chat, by account; the map lacks accounts without one.
func (c *Chats) Conversations(
	ctx context.Context, from db.Source, chat int64, x, y im.AccountID,
) (map[im.AccountID]Conversation, error) {
	found := map[im.AccountID]Conversation{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			owner im.AccountID
			one   Conversation
		)
		err := row(&owner, &one.ReadTime, &one.Read.Order, &one.Read.Sequence, &one.Cleared)
		found[owner] = one
		return err
	}, `SELECT owner_id, read_time, read_ord, read_sequence, cleared FROM conversation WHERE chat_id = $1 AND owner_id IN ($2, $3)`,
		chat, int64(x), int64(y))
	if err != nil {
		return nil, fmt.Errorf("read conversations: %w", err)
	}
	return found, nil
}

// What a message changes of a conversation stands in the row of its chat, for each side (grow.go). The conversation's own row
// changes by what its owner does. A conversation's state is in both rows; a query that reads it calls its row v and that
// of the chat c.
const (
	unreadOf      = `(CASE v.side WHEN 0 THEN c.low_counted ELSE c.high_counted END - v.settled)`
	listedOf      = `CASE v.side WHEN 0 THEN c.low_listed ELSE c.high_listed END > v.uncounted`
	lastIDOf      = `CASE v.side WHEN 0 THEN c.low_last_id ELSE c.high_last_id END`
	lastOrdOf     = `CASE v.side WHEN 0 THEN c.low_last_ord ELSE c.high_last_ord END`
	changedOf     = `CASE WHEN c.changed_at > v.changed_at THEN c.changed_at ELSE v.changed_at END`
	conversations = `conversation v JOIN chat c ON c.id = v.chat_id`
)

// opening is a conversation that begins with a message.
type opening struct {
	chat int64
	party
}

// openings are the conversations of the drafts that are not known to exist, in the order in which rows are locked.
func openings(fresh []*Draft) []opening {
	var all []opening
	for _, d := range fresh {
		missing := d.opened() &^ d.open
		if missing == 0 {
			continue
		}
		for _, p := range d.Chat.parties() {
			if missing.has(setOf(p.side)) {
				all = append(all, opening{d.chat, p})
			}
		}
	}
	slices.SortFunc(all, func(x, y opening) int {
		return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.chat, y.chat))
	})
	return slices.Compact(all)
}

// beginConversations makes the rows of conversations whose owners see the first message. Rows that exist stay as they are.
func beginConversations(tx *db.Tx, fresh []*Draft) error {
	const parameters = 5
	now := tx.Now().UnixMilli()
	return db.Chunks(tx, parameters, openings(fresh), func(chunk []opening) error {
		args := make([]any, 0, parameters*len(chunk))
		for _, o := range chunk {
			args = append(args, int64(o.owner), o.chat, int64(o.peer), int64(o.side), now)
		}
		_, err := tx.Exec(`INSERT INTO conversation (owner_id, chat_id, peer_id, side, changed_at,
			settled, read_time, read_ord, read_sequence, cleared, uncounted) VALUES `+
			db.RowsOf(len(chunk), "(?,?,?,?,?,0,0,0,0,0,0)")+` ON CONFLICT (owner_id, chat_id) DO NOTHING`, args...)
		return err
	})
}

// touch marks a chat as changed for all who see it, so that a device that is away finds what happened when it comes back.
func touch(tx *db.Tx, chat int64) error {
	_, err := tx.Exec(`UPDATE chat SET changed_at = $1 WHERE id = $2`, tx.Now().UnixMilli(), chat)
	return err
}

// touchConversation is touch for one account alone.
func touchConversation(tx *db.Tx, owner im.AccountID, chat int64) error {
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1 WHERE owner_id = $2 AND chat_id = $3`,
		tx.Now().UnixMilli(), int64(owner), chat)
	return err
}

// What a conversation that is hidden takes from the chat's row: the newest sequence, and how many messages have counted as
// unread until now.
const (
	endOf     = `(SELECT c.last_sequence FROM chat c WHERE c.id = conversation.chat_id)`
	countedOf = `(SELECT CASE conversation.side WHEN 0 THEN c.low_counted ELSE c.high_counted END
		FROM chat c WHERE c.id = conversation.chat_id)`
)

// Hide takes the chats with peers out of an account's list, where the next message brings them back; nothing in them counts as
// unread any more. With wipe the account does not see the messages until now either. Peers without a conversation are passed over.
func (c *Chats) Hide(tx *db.Tx, owner im.AccountID, peers []im.AccountID, wipe bool) error {
	clearing := 0
	if wipe {
		clearing = 1
	}
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1, settled = `+countedOf+`, uncounted = `+endOf+`,
		cleared = CASE WHEN $2 = 1 THEN `+endOf+` ELSE cleared END WHERE owner_id = $3 AND peer_id IN ($4...)`,
		tx.Now().UnixMilli(), clearing, int64(owner), db.Ints(peers))
	return err
}

// Clear takes what was said until now out of an account's history of the chat, and nothing of it counts as unread any more. The
// chat stays in the account's list. Without a conversation, Clear does nothing.
func (c *Chats) Clear(tx *db.Tx, owner im.AccountID, chat int64) error {
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1, settled = `+countedOf+`, cleared = `+endOf+`
		WHERE owner_id = $2 AND chat_id = $3`, tx.Now().UnixMilli(), int64(owner), chat)
	return err
}

// Forget hides and clears all chats of an account that ends. The others' conversations stay.
func (c *Chats) Forget(tx *db.Tx, owner im.AccountID) error {
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1, settled = `+countedOf+`, uncounted = `+endOf+`,
		cleared = `+endOf+` WHERE owner_id = $2`, tx.Now().UnixMilli(), int64(owner))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM deleted_message WHERE account_id = $1`, int64(owner))
	return err
}
