package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
)

// Tail is the end of a group's chat: the newest sequence, and the time of the last message as a unix second. The zero Tail is
// that of a chat without messages.
type Tail struct{ Sequence, Time int64 }

// Tails reads the ends of groups' chats, by the groups' numbers, in one statement.
func (c *Chats) Tails(ctx context.Context, from db.Source, groups []int64) (map[int64]Tail, error) {
	found := make(map[int64]Tail, len(groups))
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			group int64
			tail  Tail
		)
		err := row(&group, &tail.Sequence, &tail.Time)
		found[group] = tail
		return err
	}, `SELECT c.low_id, c.last_sequence, COALESCE(m.sent_at, 0) FROM chat c LEFT JOIN message m ON m.id = c.low_last_id
		WHERE c.low_id IN ($1...) AND c.high_id = 0 AND c.kind = $2`, db.Ints(groups), int64(Group))
	if err != nil {
		return nil, fmt.Errorf("read the ends of chats: %w", err)
	}
	return found, nil
}
