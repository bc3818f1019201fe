package chat

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Recall takes a message back for everybody. The message stays in the history, marked, with who recalled it and why.
type Recall struct {
	Chat Name
	Key  Key
	// From is who sent it.
	From im.AccountID
	// Sequence names the message instead of Key and From, in a chat that is sorted by sequence; 0 does not.
	Sequence int64
	// By is the user id of who recalls it.
	By, Reason string
	// Check refuses a message that may not be recalled any more, with an *im.Error; nil is no such rule.
	Check func(*Message) error
}

// Recall marks the message and takes it out of the unread counts in which it still is. It refuses with ErrUnknown,
// ErrRecalled or what Check says, and has written nothing then.
func (c *Chats) Recall(ctx context.Context, tx *db.Tx, chat int64, r Recall) (*Message, error) {
	target, err := c.named(ctx, tx, chat, naming{r.Key, r.From, r.Sequence})
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
	changed := false
	err = tx.Returning(func(row db.Scanner) error {
		changed = true
		return row(&target.Hidden) // somebody may have deleted it for himself since it was read
	}, `UPDATE message SET flags = flags | $1, revoker = $2, revoke_reason = $3, changed_at = $4
		WHERE id = $5 AND (flags & $1) = 0 RETURNING hidden`, int64(Recalled), r.By, r.Reason, tx.Now().UnixMilli(), target.ID)
	if err != nil {
		return nil, err
	}
	if !changed { // another node recalled it since
		return nil, ErrRecalled
	}
	if err := uncount(tx, target, r.Chat); err != nil {
		return nil, err
	}
	target.Flags, target.Revoker, target.Reason = target.Flags|Recalled, r.By, r.Reason
	return target, nil
}

// naming is how a message is named that is to be changed.
type naming struct {
	key      Key
	from     im.AccountID
	sequence int64 // instead of the others, if it is not 0
}

func (c *Chats) named(ctx context.Context, tx *db.Tx, chat int64, n naming) (*Message, error) {
	if n.sequence != 0 {
		return c.BySequence(ctx, tx, chat, n.sequence)
	}
	return c.ByKey(ctx, tx, chat, n.key, n.from)
}

// uncount marks the chat of a recalled message as changed, and settles the message for those who have not read it and for
// whom it counts.
func uncount(tx *db.Tx, target *Message, name Name) error {
	if err := touch(tx, target.Chat); err != nil || target.Flags.Has(NoUnread) {
		return err
	}
	for _, p := range name.parties() {
		if p.owner == target.From || target.Hidden&FromPeer != 0 {
			continue
		}
		if err := settle(tx, p.owner, target); err != nil {
			return err
		}
	}
	return nil
}
