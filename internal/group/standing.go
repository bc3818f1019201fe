package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Place is an account and a group that it may be a member of.
type Place struct {
	Group   int64
	Account im.AccountID
}

// Standing is what holds of groups and members in the transaction that asks.
type Standing struct {
	alive   map[int64]bool
	members map[Place]*Member
}

// Alive reports whether the group is there.
func (s *Standing) Alive(group int64) bool { return s.alive[group] }

// Member is the account in its group; nil: it is not a member, or the group is not there.
func (s *Standing) Member(at Place) *Member {
	if !s.alive[at.Group] {
		return nil
	}
	return s.members[at]
}

// StandingOf reads how groups and members stand, in two statements but in steps of many places.
func (g *Groups) StandingOf(ctx context.Context, from db.Source, places []Place) (*Standing, error) {
	s := &Standing{alive: map[int64]bool{}, members: map[Place]*Member{}}
	ids := make([]int64, 0, len(places))
	for _, at := range places {
		ids = append(ids, at.Group)
	}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var id int64
		err := row(&id)
		s.alive[id] = true
		return err
	}, `SELECT id FROM chat_group WHERE deleted_at = 0 AND id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	const width = 2
	err = db.KeyChunks(from, width, places, func(chunk []Place) error {
		args := make([]any, 0, width*len(chunk))
		for _, at := range chunk {
			args = append(args, at.Group, int64(at.Account))
		}
		return db.Each(ctx, from, func(row db.Scanner) error {
			m, err := scanMember(row)
			s.members[Place{m.Group, m.Account}] = m
			return err
		}, `SELECT `+memberColumns+` FROM group_member WHERE role > 0 AND (group_id, account_id) IN (VALUES `+
			db.Rows(len(chunk), width, true)+`)`, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	return s, nil
}

// MarkRead moves a member's read mark up to a sequence, and reports whether it did: a mark does not go back.
func (g *Groups) MarkRead(tx *db.Tx, at Place, sequence int64) (moved bool, err error) {
	changed, err := tx.Exec(`UPDATE group_member SET read_sequence = $1, changed_at = $2
		WHERE group_id = $3 AND account_id = $4 AND role > 0 AND read_sequence < $5`,
		sequence, tx.Now().Unix(), at.Group, int64(at.Account), sequence)
	return changed > 0, err
}
