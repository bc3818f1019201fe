package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
)

// Tail is the end of a group's chat. The zero Tail is that of a chat without messages.
type Tail struct {
	Chat int64
	// Sequence is the newest one, and Time when the last message that moves the list was sent, a unix second; it may be removed since.
	Sequence, Time int64
	// Counted is how many messages ever counted as unread.
	Counted int64
	// Listed is the sequence of the newest message that moves the list, and Last its id; 0 of none.
	Listed, Last int64
	// Changed is when a message was added, edited or recalled, in unix milliseconds.
	Changed int64
}

// Tails reads the ends of groups' chats, by the groups' numbers, in one statement.
func (c *Chats) Tails(ctx context.Context, from db.Source, groups []int64) (map[int64]Tail, error) {
	found := make(map[int64]Tail, len(groups))
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			group int64
			tail  Tail
		)
		err := row(&group, &tail.Chat, &tail.Sequence, &tail.Time, &tail.Counted, &tail.Listed, &tail.Last, &tail.Changed)
		found[group] = tail
		return err
	}, `SELECT c.low_id, c.id, c.last_sequence, COALESCE(m.sent_at, c.expired_time), c.low_counted, c.low_listed, c.low_last_id, c.changed_at
		FROM chat c LEFT JOIN message m ON m.id = c.low_last_id
		WHERE c.low_id IN ($1...) AND c.high_id = 0 AND c.kind = $2`, db.Ints(groups), int64(Group))
	if err != nil {
		return nil, fmt.Errorf("read the ends of chats: %w", err)
	}
	return found, nil
}

// CountedUpTo gives how many messages of a group's chat at or below a sequence ever counted as unread. What it gives of a
// message that is there never changes, so it need not be read in the transaction that stores it. Behind the sequence it looks
// at no more than mostCounted messages, and takes others for counted ones at or below it.
func (c *Chats) CountedUpTo(ctx context.Context, from db.Source, chat, sequence int64) (int64, error) {
	counted, err := db.One(ctx, from, db.Number, `SELECT c.low_counted - (SELECT COUNT(*) FROM (SELECT 1 FROM message m
			WHERE m.chat_id = c.id AND m.ord = 0 AND m.sequence > $1 AND (m.flags & 4) = 0 LIMIT $2) AS later)
		FROM chat c WHERE c.id = $3`, sequence, mostCounted, chat)
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	return counted, nil
}

// ByIDs reads messages by their ids; the map lacks those that are not there.
func (c *Chats) ByIDs(ctx context.Context, from db.Source, ids []int64) (map[int64]*Message, error) {
	found := make(map[int64]*Message, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	all, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	for i := range all {
		found[all[i].ID] = &all[i]
	}
	return found, nil
}
