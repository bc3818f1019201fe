package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Begins is the sequence behind which a member may read the group's history.
func (g *Group) Begins(m *Member) int64 {
	if g.Type.Yes("history.before_join.default") {
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
}

// Empty reports whether the member sees no message of those that move the list.
func (l *Listed) Empty() bool {
	return l.Tail.Listed <= max(l.Group.Begins(l.Member), l.Member.Cleared)
}

// ListedOf gives the groups that stand in an account's list of conversations, in no order. Their number is bounded by what an
// account may join, and that of the statements does not depend on it. A group stands there while a message that moves the list
// has come since the account joined, or since it took the group out of the list.
func (g *Groups) ListedOf(ctx context.Context, from db.Source, account im.AccountID) ([]Listed, error) {
	all, err := g.membershipsOf(ctx, from, account)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	numbers := make([]int64, len(all))
	for i, one := range all {
		numbers[i] = one.group.ID
	}
	tails, err := g.chats.Tails(ctx, from, numbers)
	if err != nil {
		return nil, err
	}
	unread, err := g.Unread(ctx, from, account)
	if err != nil {
		return nil, err
	}
	var listed []Listed
	for _, one := range all {
		tail, after := tails[one.group.ID], max(one.group.Begins(one.member), one.member.Hidden)
		if tail.Listed > after && one.group.Type.Rule("conversation.listed") != "no" {
			listed = append(listed, Listed{one.group, one.member, tail, unread[one.group.ID]})
		}
	}
	return listed, nil
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
