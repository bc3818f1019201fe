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
	// ReadTime is up to when the account has read, as it is told to others: a unix second.
	ReadTime int64
	// Read is up to where the account has read: everything at or below its sequence, and unread messages do not stand before
	// its order, but for imports of older ones.
	Read Position
	// Cleared is up to where the account does not see the chat any more, as a sequence.
	Cleared int64
}

// Conversations reads the views that accounts have of a chat, by account; one that has none is not there.
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

// move is what a commit does to one account's conversation.
type move struct {
	party
	chat   int64
	unread int
	lastID int64
	last   Position
	listed bool
}

// see adds a message to what moves the conversation.
func (v *move) see(m *Message) {
	if v.owner != m.From && !m.Flags.Has(NoUnread) {
		v.unread++
	}
	if !m.Flags.Has(NoLast) {
		v.listed = true
		if m.Order >= v.last.Order {
			v.lastID, v.last = m.ID, m.Position
		}
	}
}

// sees reports whether an account sees a message.
func (m *Message) sees(who im.AccountID) bool {
	if who == m.From {
		return m.Hidden&FromSender == 0
	}
	return m.Hidden&FromReceiver == 0
}

type moveKey struct {
	owner im.AccountID
	chat  int64
}

// moves sums the drafts up by conversation, in the order in which rows are locked.
func moves(fresh []*Draft) []*move {
	byKey := map[moveKey]*move{}
	all := make([]*move, 0, 2*len(fresh))
	for _, d := range fresh {
		for _, p := range d.Chat.parties(d.From) {
			if !d.Message.sees(p.owner) {
				continue
			}
			k := moveKey{p.owner, d.chat}
			v := byKey[k]
			if v == nil {
				v = &move{party: p, chat: d.chat}
				byKey[k] = v
				all = append(all, v)
			}
			v.see(&d.Message)
		}
	}
	slices.SortFunc(all, func(x, y *move) int {
		return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.chat, y.chat))
	})
	return all
}

const upsertConversation = ` ON CONFLICT (owner_id, chat_id) DO UPDATE SET
	unread = conversation.unread + excluded.unread,
	last_id = CASE WHEN excluded.last_ord >= conversation.last_ord THEN excluded.last_id ELSE conversation.last_id END,
	last_ord = CASE WHEN excluded.last_ord >= conversation.last_ord THEN excluded.last_ord ELSE conversation.last_ord END,
	listed = conversation.listed OR excluded.listed,
	changed_at = excluded.changed_at`

func moveConversations(tx *db.Tx, fresh []*Draft) error {
	const places = 8
	now := tx.Now().UnixMilli()
	return db.Chunks(tx, places, moves(fresh), func(chunk []*move) error {
		args := make([]any, 0, places*len(chunk))
		for _, v := range chunk {
			args = append(args, int64(v.owner), v.chat, int64(v.peer), v.unread, v.lastID, v.last.Order, v.listed, now)
		}
		_, err := tx.Exec(`INSERT INTO conversation (owner_id, chat_id, peer_id, unread, last_id, last_ord, listed, changed_at,
			read_time, read_ord, read_sequence, cleared, uncounted) VALUES `+
			db.RowsOf(len(chunk), "(?,?,?,?,?,?,?,?,0,0,0,0,0)")+upsertConversation, args...)
		return err
	})
}

// touch marks the views of a chat as changed, so that a device that is away finds what happened when it comes back.
func touch(tx *db.Tx, chat int64, x, y im.AccountID) error {
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1 WHERE chat_id = $2 AND owner_id IN ($3, $4)`,
		tx.Now().UnixMilli(), chat, int64(x), int64(y))
	return err
}

// endOf is the newest sequence of the chat of a conversation's row.
const endOf = `(SELECT last_sequence FROM chat WHERE chat.id = conversation.chat_id)`

// Hide takes the chat out of an account's list, where the next message brings it back; nothing in it counts as unread any
// more. With wipe the account does not see what was written until now either. Hiding what is not there does nothing.
func (c *Chats) Hide(tx *db.Tx, owner im.AccountID, chat int64, wipe bool) error {
	clearing := 0
	if wipe {
		clearing = 1
	}
	_, err := tx.Exec(`UPDATE conversation SET listed = FALSE, unread = 0, changed_at = $3, uncounted = `+endOf+`,
		cleared = CASE WHEN $4 = 1 THEN `+endOf+` ELSE cleared END WHERE owner_id = $1 AND chat_id = $2`,
		int64(owner), chat, tx.Now().UnixMilli(), clearing)
	return err
}

// Forget hides and clears all chats of an account that ends. The others' views of them stay.
func (c *Chats) Forget(tx *db.Tx, owner im.AccountID) error {
	_, err := tx.Exec(`UPDATE conversation SET listed = FALSE, unread = 0, changed_at = $2, uncounted = `+endOf+`,
		cleared = `+endOf+` WHERE owner_id = $1`, int64(owner), tx.Now().UnixMilli())
	return err
}
