package group

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Of the messages that counted as unread when they were sent, those do not count any more that a member has read, has sent
// itself, or that were recalled. The last two are looked up behind the read mark alone, 10,000 of each at most, where anything
// counts there.
// A query that reads it calls the member's row m and that of the chat c.
const (
	unreadOf = `(c.low_counted - ` + settledOf + ` - ` + ownOf + ` - ` + recalledOf + ` - ` + deletedOf + `)`
	// Messages that were removed because their time was over are as good as read.
	settledOf = `CASE WHEN m.read_sequence < c.expired_sequence AND m.read_counted < c.expired_counted
		THEN c.expired_counted ELSE m.read_counted END`
	ownOf = `(SELECT COUNT(*) FROM (SELECT 1 FROM message o WHERE o.chat_id = c.id AND o.from_id = m.account_id
		AND o.sequence > m.read_sequence AND o.ord = 0 AND (o.flags & 4) = 0 LIMIT 10000) AS own)`
	recalledOf = `(SELECT COUNT(*) FROM (SELECT 1 FROM message r WHERE r.chat_id = c.id AND r.sequence > m.read_sequence
		AND r.from_id <> m.account_id AND r.ord = 0 AND (r.flags & 36) = 32 LIMIT 10000) AS recalled)`
	deletedOf = `(SELECT COUNT(*) FROM deleted_message d JOIN message x ON x.chat_id = d.chat_id AND x.ord = 0 AND x.sequence = d.sequence
		WHERE d.account_id = m.account_id AND d.chat_id = c.id AND d.sequence > m.read_sequence AND x.from_id <> m.account_id
		AND (x.flags & 36) = 0)`
	selectUnread = `SELECT m.group_id, g.type, ` + unreadOf + ` FROM group_member m
		JOIN chat c ON c.low_id = m.group_id AND c.high_id = 0 JOIN chat_group g ON g.id = m.group_id AND g.deleted_at = 0
		WHERE m.account_id = $1 AND m.role > 0 AND c.low_counted > ` + settledOf
)

// Unread gives how many messages an account has not read of each of its groups, by group, in one statement. A group in which
// all is read, or nothing counts, is not there.
func (g *Groups) Unread(ctx context.Context, from db.Source, account im.AccountID) (map[int64]int64, error) {
	found := map[int64]int64{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			group, count int64
			name         string
		)
		err := row(&group, &name, &count)
		if t, _ := g.rules.Type(name); count > 0 && t.Yes("unread.counted") {
			found[group] = count
		}
		return err
	}, selectUnread, int64(account))
	if err != nil {
		return nil, fmt.Errorf("count unread messages of groups: %w", err)
	}
	return found, nil
}

// ReadMark is where a member stands: a sequence of the group's chat, and how many messages at or below it ever counted as unread.
type ReadMark struct{ Sequence, Counted int64 }

// MarkRead moves a member's read mark, and reports whether it did: a mark does not go back.
func (g *Groups) MarkRead(tx *db.Tx, at MemberKey, to ReadMark) (moved bool, err error) {
	changed, err := tx.Exec(`UPDATE group_member SET read_sequence = $1, read_counted = $2, changed_at = $3
		WHERE group_id = $4 AND account_id = $5 AND role > 0 AND read_sequence < $6`,
		to.Sequence, to.Counted, tx.Now().Unix(), at.Group, int64(at.Account), to.Sequence)
	return changed > 0, err
}

// MarkManyRead is MarkRead of one account in several groups, by their numbers. It gives those in which the mark moved.
func (g *Groups) MarkManyRead(tx *db.Tx, of im.AccountID, marks map[int64]ReadMark) (moved map[int64]bool, err error) {
	moved = make(map[int64]bool, len(marks))
	const width = 3
	err = db.KeyChunks(tx, width, slices.Sorted(maps.Keys(marks)), func(chunk []int64) error {
		args := make([]any, 0, width*len(chunk)+2)
		for _, group := range chunk {
			args = append(args, group, marks[group].Sequence, marks[group].Counted)
		}
		now, owner := fmt.Sprint("$", len(args)+1), fmt.Sprint("$", len(args)+2)
		return tx.Returning(func(row db.Scanner) error {
			group, err := db.Number(row)
			moved[group] = true
			return err
		}, `UPDATE group_member SET read_sequence = w.column2, read_counted = w.column3, changed_at = `+now+`
			FROM (VALUES `+db.Rows(len(chunk), width, true)+`) AS w WHERE group_id = w.column1 AND account_id = `+owner+`
			AND role > 0 AND read_sequence < w.column2 RETURNING group_id`, append(args, tx.Now().Unix(), int64(of))...)
	})
	return moved, err
}

// SetUnread moves a member's read mark, forwards or back, so that so many messages are unread, and reports whether there is such
// a member. Where the chat has fewer, all of them are.
func (g *Groups) SetUnread(ctx context.Context, tx *db.Tx, at MemberKey, unread int64) (found bool, err error) {
	tails, err := g.chats.Tails(ctx, tx, []int64{at.Group})
	if err != nil {
		return false, err
	}
	tail := tails[at.Group]
	unread = min(unread, tail.Sequence)
	changed, err := tx.Exec(`UPDATE group_member SET read_sequence = $1, read_counted = $2, changed_at = $3
		WHERE group_id = $4 AND account_id = $5 AND role > 0`,
		tail.Sequence-unread, tail.Counted-unread, tx.Now().Unix(), at.Group, int64(at.Account))
	if err != nil || changed == 0 {
		return false, err
	}
	_, err = tx.Exec(`UPDATE group_member AS m SET read_counted = m.read_counted - `+ownOf+` - `+recalledOf+` - `+deletedOf+`
		FROM chat c WHERE c.low_id = m.group_id AND c.high_id = 0 AND m.group_id = $1 AND m.account_id = $2`,
		at.Group, int64(at.Account))
	return true, err
}

// Cut is what a member takes away of the conversation: List takes it out of the list, where the next message brings it back, and
// History what was said until now out of its history.
type Cut struct{ List, History bool }

// Cut takes that away from an account in groups that it is a member of, by their numbers, and all counts as read then. Groups of
// others are passed over.
func (g *Groups) Cut(ctx context.Context, tx *db.Tx, of im.AccountID, groups []int64, what Cut) error {
	tails, err := g.chats.Tails(ctx, tx, groups)
	if err != nil {
		return err
	}
	const width = 3
	return db.KeyChunks(tx, width, slices.Sorted(slices.Values(groups)), func(chunk []int64) error {
		args := make([]any, 0, width*len(chunk)+4)
		for _, group := range chunk {
			args = append(args, group, tails[group].Sequence, tails[group].Counted)
		}
		more := func(n int) string { return fmt.Sprint("$", len(chunk)*width+n) }
		_, err := tx.Exec(`UPDATE group_member SET read_sequence = w.column2, read_counted = w.column3, changed_at = `+more(1)+`,
			hidden_sequence = CASE WHEN `+more(2)+` THEN w.column2 ELSE hidden_sequence END,
			cleared_sequence = CASE WHEN `+more(3)+` THEN w.column2 ELSE cleared_sequence END
			FROM (VALUES `+db.Rows(len(chunk), width, true)+`) AS w
			WHERE group_id = w.column1 AND account_id = `+more(4)+` AND role > 0`,
			append(args, tx.Now().Unix(), what.List, what.History, int64(of))...)
		return err
	})
}
