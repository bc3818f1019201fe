package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Begins is the sequence behind which a member may read the group's history.
func (g *Group) Begins(app *im.App, m *Member) int64 {
	if g.ReadsBefore(app) {
		return g.Cleared
	}
	return max(g.Cleared, m.JoinSequence)
}

// Listed is a group in a member's list of conversations.
type Listed struct {
	Group  *Group
	Member *Member
	Tail   chat.Tail
	Unread int64
	// Begins is the sequence behind which the member may read.
	Begins int64
}

// Empty reports whether the member sees no message of those that move the list.
func (l *Listed) Empty() bool {
	return l.Tail.Listed <= max(l.Begins, l.Member.Cleared)
}

// The end of a chat and what is unread of it are read in one statement, so that both are of one moment.
const selectListed = `SELECT m.group_id, c.id, c.last_sequence, COALESCE(l.sent_at, c.expired_time), c.low_counted, c.low_listed, c.low_last_id,
	c.changed_at, CASE WHEN c.low_counted > ` + settledOf + ` THEN ` + unreadOf + ` ELSE 0 END
	FROM group_member m JOIN chat c ON c.low_id = m.group_id AND c.high_id = 0 LEFT JOIN message l ON l.id = c.low_last_id
	WHERE m.account_id = $1 AND m.role > 0 AND c.low_listed > m.hidden_sequence`

// ListedOf gives the groups that stand in an account's list of conversations, in no order. Their number is bounded by what an
// account may join, and that of the statements does not depend on it. A group stands there while a message that moves the list
// has come since the account joined, or since it took the group out of the list.
func (g *Groups) ListedOf(ctx context.Context, from db.Source, app *im.App, account im.AccountID) ([]Listed, error) {
	all, err := g.membershipsOf(ctx, from, account)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	byGroup := make(map[int64]membership, len(all))
	for _, one := range all {
		byGroup[one.group.ID] = one
	}
	var listed []Listed
	err = db.Each(ctx, from, func(row db.Scanner) error {
		var (
			l     Listed
			group int64
		)
		err := row(&group, &l.Tail.Chat, &l.Tail.Sequence, &l.Tail.Time, &l.Tail.Counted, &l.Tail.Listed, &l.Tail.Last, &l.Tail.Changed,
			&l.Unread)
		if of, ok := byGroup[group]; ok && of.lists(app, &l) {
			listed = append(listed, l)
		}
		return err
	}, selectListed, int64(account))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return listed, nil
}

// lists completes what was read of the group's chat, and reports whether the list has the group.
func (of *membership) lists(app *im.App, l *Listed) bool {
	l.Group, l.Member, l.Begins = of.group, of.member, of.group.Begins(app, of.member)
	if !of.group.Type.Yes("unread.counted") {
		l.Unread = 0
	}
	return l.Tail.Listed > l.Begins && of.group.Type.Rule("conversation.listed") != "no"
}

// MemberOf gives those of the groups that an account is a member of, by their numbers.
func (g *Groups) MemberOf(ctx context.Context, from db.Source, account im.AccountID, groups []int64) (map[int64]*Group, error) {
	found := make(map[int64]*Group, len(groups))
	all, err := db.All(ctx, from, g.scan, `SELECT `+groupColumns+` FROM chat_group WHERE deleted_at = 0 AND id IN ($1...)
		AND id IN (SELECT group_id FROM group_member WHERE account_id = $2 AND role > 0)`, db.Ints(groups), int64(account))
	if err != nil {
		return nil, fmt.Errorf("read an account's groups: %w", err)
	}
	for _, one := range all {
		found[one.ID] = one
	}
	return found, nil
}

// LastNameCards gives what the senders of the last messages are called in their groups, by group; who has no name there is left
// out.
func (g *Groups) LastNameCards(ctx context.Context, from db.Source, groups []int64) (map[int64]string, error) {
	cards := map[int64]string{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			group int64
			card  string
		)
		err := row(&group, &card)
		cards[group] = card
		return err
	}, `SELECT g.group_id, g.name_card FROM chat c JOIN message m ON m.id = c.low_last_id
		JOIN group_member g ON g.group_id = c.low_id AND g.account_id = m.from_id AND g.role > 0 AND g.name_card <> ''
		WHERE c.low_id IN ($1...) AND c.high_id = 0`, db.Ints(groups))
	if err != nil {
		return nil, fmt.Errorf("read name cards: %w", err)
	}
	return cards, nil
}
