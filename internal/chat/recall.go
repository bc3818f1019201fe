package chat

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Recall takes a message back for everybody. It stays in history, marked, with who did it and why.
type Recall struct {
	Chat Name
	Key  Key
	// From is who sent it.
	From im.AccountID
	// By is the user id of who recalls it.
	By, Reason string
	// Check refuses a message that may not be recalled any more, with an *im.Error; nil is no such rule.
	Check func(*Message) error
}

// Recall marks the message and takes it out of the unread counts in which it still is. It refuses with ErrUnknown,
// ErrRecalled or what Check says, and has written nothing then.
func (c *Chats) Recall(ctx context.Context, tx *db.Tx, chat int64, r Recall) (*Message, error) {
	target, err := c.ByKey(ctx, tx, chat, r.Key, r.From)
	if err != nil {
		return nil, err
	}
	if err := target.standing(); err != nil {
		return nil, err
	}
	if r.Check != nil {
		if err := r.Check(target); err != nil {
			return nil, err
		}
	}
	_, err = tx.Exec(`UPDATE message SET flags = flags | $1, revoker = $2, revoke_reason = $3, changed_at = $4 WHERE id = $5`,
		int64(Recalled), r.By, r.Reason, tx.Now().UnixMilli(), target.ID)
	if err != nil {
		return nil, err
	}
	if err := uncount(tx, target, r.Chat); err != nil {
		return nil, err
	}
	target.Flags, target.Revoker, target.Reason = target.Flags|Recalled, r.By, r.Reason
	return target, nil
}

// uncount touches the views of a recalled message, and takes it out of the counts of those who have not read it.
func uncount(tx *db.Tx, target *Message, name Name) error {
	parties := name.parties(target.From)
	if len(parties) == 0 {
		return nil
	}
	counted := 0
	if !target.Flags.Has(NoUnread) && parties[0].peer != target.From {
		counted = 1
	}
	_, err := tx.Exec(`UPDATE conversation SET changed_at = $1, unread =
		CASE WHEN owner_id = $2 AND unread > 0 AND read_sequence < $3 AND uncounted < $4 THEN unread - $5 ELSE unread END
		WHERE chat_id = $6 AND owner_id IN ($7, $8)`,
		tx.Now().UnixMilli(), int64(parties[0].peer), target.Sequence, target.Sequence, counted,
		target.Chat, int64(parties[0].peer), int64(target.From))
	return err
}
