package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// LastSent reads when accounts last sent a message to a group's chat, as unix seconds; of who never did it has nothing.
func (c *Chats) LastSent(ctx context.Context, from db.Source, chat int64, accounts []im.AccountID) (map[im.AccountID]int64, error) {
	found := map[im.AccountID]int64{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id   im.AccountID
			sent int64
		)
		err := row(&id, &sent)
		if sent > 0 {
			found[id] = sent
		}
		return err
	}, `SELECT a.id, COALESCE((SELECT m.sent_at FROM message m WHERE m.chat_id = $1 AND m.ord = 0 AND m.from_id = a.id
		ORDER BY m.sequence DESC LIMIT 1), 0) FROM account a WHERE a.id IN ($2...)`, chat, db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read when accounts last sent: %w", err)
	}
	return found, nil
}

// LastSentTo is LastSent of one account in the chats of several groups, by the groups' numbers.
func (c *Chats) LastSentTo(ctx context.Context, from db.Source, account im.AccountID, groups []int64) (map[int64]int64, error) {
	found := map[int64]int64{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var group, sent int64
		err := row(&group, &sent)
		if sent > 0 {
			found[group] = sent
		}
		return err
	}, `SELECT c.low_id, COALESCE((SELECT m.sent_at FROM message m WHERE m.chat_id = c.id AND m.ord = 0 AND m.from_id = $1
		ORDER BY m.sequence DESC LIMIT 1), 0) FROM chat c WHERE c.low_id IN ($2...) AND c.high_id = 0 AND c.kind = $3`,
		int64(account), db.Ints(groups), int64(Group))
	if err != nil {
		return nil, fmt.Errorf("read when an account last sent: %w", err)
	}
	return found, nil
}

// SentBy lists the sequences of the newest messages of a group's chat that an account sent, the newest first.
func (c *Chats) SentBy(ctx context.Context, from db.Source, chat int64, sender im.AccountID, limit int) ([]int64, error) {
	found, err := db.All(ctx, from, db.Number, `SELECT sequence FROM message WHERE chat_id = $1 AND ord = 0 AND from_id = $2
		ORDER BY sequence DESC LIMIT $3`, chat, int64(sender), limit)
	if err != nil {
		return nil, fmt.Errorf("list what an account sent: %w", err)
	}
	return found, nil
}

// RecallAll is Recall of messages of a group's chat by their sequences, without a reason. Those that are recalled already, or not
// there, are passed over.
func (c *Chats) RecallAll(tx *db.Tx, chat int64, sequences []int64, by string) error {
	changed, err := tx.Exec(`UPDATE message SET flags = flags | $1, revoker = $2, revoke_reason = '', changed_at = $3
		WHERE chat_id = $4 AND ord = 0 AND sequence IN ($5...) AND (flags & $6) = 0`,
		int64(Recalled), by, tx.Now().UnixMilli(), chat, db.Ints(sequences), int64(Recalled))
	if err != nil || changed == 0 {
		return err
	}
	return touch(tx, chat)
}
