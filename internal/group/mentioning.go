package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Mentioning is a message of a group that mentions somebody.
type Mentioning struct {
	GroupID string
	// From is the user id of its sender, Seq and Random the sender's numbers, and Sequence that of the group's chat.
	From        string
	Seq, Random int64
	Sequence    int64
	Mentions    string // as the message has them
}

const selectMentioning = `SELECT g.group_id, a.user_id, x.msg_seq, x.msg_random, x.sequence, x.mentions
	FROM group_member m JOIN chat_group g ON g.id = m.group_id AND g.deleted_at = 0
	JOIN chat c ON c.low_id = m.group_id AND c.high_id = 0 AND c.last_sequence > m.read_sequence
	JOIN message x ON x.chat_id = c.id AND x.ord = 0 AND x.mentions <> '' AND x.sequence > m.read_sequence
	JOIN account a ON a.id = x.from_id
	WHERE m.account_id = $1 AND m.role > 0 AND x.sequence > m.cleared_sequence AND x.sequence > g.cleared_sequence
		AND x.from_id <> $1 AND (x.flags & 32) = 0 AND x.sent_at >= $2 ORDER BY x.id DESC LIMIT $3`

// Mentioning gives the messages that mention somebody among those that others sent since a unix second and the account has not read
// in its groups, newest first, in one statement. Recalled ones are left out.
func (g *Groups) Mentioning(ctx context.Context, from db.Source, account im.AccountID, since int64, limit int) ([]Mentioning, error) {
	all, err := db.All(ctx, from, func(row db.Scanner) (m Mentioning, err error) {
		return m, row(&m.GroupID, &m.From, &m.Seq, &m.Random, &m.Sequence, &m.Mentions)
	}, selectMentioning, int64(account), since, limit)
	if err != nil {
		return nil, fmt.Errorf("read mentions: %w", err)
	}
	return all, nil
}
