package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Delete has an account stop seeing messages of a chat with another one; the other one sees them as before. Keys that name nothing
// are passed over.
func (c *Chats) Delete(ctx context.Context, tx *db.Tx, chat int64, owner im.AccountID, keys []Key) error {
	for _, key := range keys {
		m, err := c.ByKey(ctx, tx, chat, key, 0)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		if err := hide(tx, m, owner); err != nil {
			return fmt.Errorf("delete message: %w", err)
		}
	}
	return touchConversation(tx, owner, chat)
}

// hide takes one message out of its owner's view, which counts as unread no more, and shows another as the last one.
func hide(tx *db.Tx, m *Message, owner im.AccountID) error {
	from := FromPeer
	if m.From == owner {
		from = FromSender
	}
	changed := false
	err := tx.Returning(func(row db.Scanner) error {
		changed = true
		return row(&m.Flags) // it may have been recalled since it was read
	}, `UPDATE message SET hidden = hidden | $1 WHERE id = $2 AND (hidden & $1) = 0 RETURNING flags`, int64(from), m.ID)
	if err != nil || !changed {
		return err
	}
	for at, columns := range []string{"low", "high"} { // before the conversation: a recall locks them in this order too
		if _, err := tx.Exec(showBefore(columns), m.Chat, m.ID, int64(owner), at); err != nil {
			return err
		}
	}
	if from == FromPeer && m.Flags&(NoUnread|Recalled) == 0 {
		return settle(tx, owner, m)
	}
	return nil
}

// settle takes a message out of what an account has not read, if it counts there still.
func settle(tx *db.Tx, owner im.AccountID, m *Message) error {
	_, err := tx.Exec(`UPDATE conversation SET settled = settled + 1
		WHERE owner_id = $1 AND chat_id = $2 AND read_sequence < $3 AND uncounted < $3 AND cleared < $3 AND settled < `+countedOf,
		int64(owner), m.Chat, m.Sequence)
	return err
}

// showBefore is the statement that has a side's list show the newest message that the owner $3 sees, where it showed the message
// $2. The conversation keeps its order in the list.
func showBefore(side string) string {
	return `UPDATE chat SET ` + side + `_last_id = COALESCE((SELECT m.id FROM message m WHERE m.chat_id = chat.id AND (m.flags & 8) = 0
		AND ((m.from_id = $3 AND (m.hidden & 1) = 0) OR (m.from_id <> $3 AND (m.hidden & 2) = 0))
		ORDER BY m.ord DESC, m.sequence DESC LIMIT 1), 0)
		WHERE id = $1 AND ` + side + `_last_id = $2
		AND EXISTS (SELECT 1 FROM conversation v WHERE v.owner_id = $3 AND v.chat_id = chat.id AND v.side = $4)`
}

// DeleteAt has a member of a group stop seeing the messages at those sequences of its chat.
func (c *Chats) DeleteAt(tx *db.Tx, chat int64, member im.AccountID, sequences []int64) error {
	_, err := tx.Exec(`INSERT INTO deleted_message (account_id, chat_id, sequence)
		SELECT CAST($1 AS BIGINT), chat_id, sequence FROM message WHERE chat_id = $2 AND ord = 0 AND sequence IN ($3...)
		ON CONFLICT (account_id, chat_id, sequence) DO NOTHING`, int64(member), chat, db.Ints(sequences))
	return err
}

// DeletedAt gives those of the sequences of a group's chat at which a member has deleted the messages for itself.
func (c *Chats) DeletedAt(ctx context.Context, from db.Source, chat int64, member im.AccountID, sequences []int64) (map[int64]bool, error) {
	found := map[int64]bool{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var sequence int64
		err := row(&sequence)
		found[sequence] = true
		return err
	}, `SELECT sequence FROM deleted_message WHERE account_id = $1 AND chat_id = $2 AND sequence IN ($3...)`,
		int64(member), chat, db.Ints(sequences))
	if err != nil {
		return nil, fmt.Errorf("read deleted messages: %w", err)
	}
	return found, nil
}

// notDeleted is the condition of a group's message m that the member $1 has not deleted.
const notDeleted = `NOT EXISTS (SELECT 1 FROM deleted_message d WHERE d.account_id = $1 AND d.chat_id = m.chat_id AND d.sequence = m.sequence)`

// LastOf looks which of those groups' chats a member has deleted the last message of for itself, and gives by chat the newest one
// before it that moves the list and is not deleted; nil: there is none.
func (c *Chats) LastOf(ctx context.Context, from db.Source, member im.AccountID, chats []int64) (map[int64]*Message, error) {
	gone, err := db.All(ctx, from, db.Number, `SELECT c.id FROM chat c
		JOIN deleted_message d ON d.account_id = $1 AND d.chat_id = c.id AND d.sequence = c.low_listed WHERE c.id IN ($2...)`,
		int64(member), db.Ints(chats))
	if err != nil {
		return nil, fmt.Errorf("read deleted messages: %w", err)
	}
	found := make(map[int64]*Message, len(gone))
	if len(gone) == 0 {
		return found, nil
	}
	for _, chat := range gone {
		found[chat] = nil
	}
	all, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE id IN (
		SELECT (SELECT m.id FROM message m WHERE m.chat_id = c.id AND m.ord = 0 AND (m.flags & 8) = 0 AND `+notDeleted+`
			ORDER BY m.ord DESC, m.sequence DESC LIMIT 1)
		FROM chat c WHERE c.id IN ($2...))`, int64(member), db.Ints(gone))
	if err != nil {
		return nil, fmt.Errorf("read last messages: %w", err)
	}
	for i := range all {
		found[all[i].Chat] = &all[i]
	}
	return found, nil
}
