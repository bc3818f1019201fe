package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// MemberKey names an account in a group that it may be a member of.
type MemberKey struct {
	Group   int64
	Account im.AccountID
}

// Standing is what holds of groups and accounts in the transaction that asks.
type Standing struct {
	muteAll  map[int64]bool // of the groups that are there
	accounts map[MemberKey]*Member
}

// Alive reports whether the group is there.
func (s *Standing) Alive(group int64) bool {
	_, alive := s.muteAll[group]
	return alive
}

// MuteAll reports whether ordinary members of the group may not speak.
func (s *Standing) MuteAll(group int64) bool { return s.muteAll[group] }

// MemberOrMuted is a member, or, with the role NotMember, an account whose mute outlives its membership; nil: it is neither, or
// the group is not there.
func (s *Standing) MemberOrMuted(at MemberKey) *Member {
	if !s.Alive(at.Group) {
		return nil
	}
	return s.accounts[at]
}

// IsMember reports whether the account is a member of the group, which is there.
func (s *Standing) IsMember(at MemberKey) bool { return s.MemberOrMuted(at).role() != NotMember }

// StandingOf reads how groups and accounts stand: in one statement but in steps of many keys, and one more if the accounts of a
// group are all unknown to it.
func (g *Groups) StandingOf(ctx context.Context, from db.Source, keys []MemberKey) (*Standing, error) {
	s := &Standing{muteAll: map[int64]bool{}, accounts: map[MemberKey]*Member{}}
	if err := s.readMembers(ctx, from, keys); err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	var ids []int64
	for _, at := range keys {
		if !s.Alive(at.Group) {
			ids = append(ids, at.Group)
		}
	}
	if len(ids) == 0 {
		return s, nil
	}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id   int64
			mute bool
		)
		err := row(&id, &mute)
		s.muteAll[id] = mute
		return err
	}, `SELECT id, mute_all FROM chat_group WHERE deleted_at = 0 AND id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return s, nil
}

// readMembers reads the accounts that their groups know, with the groups, which are there.
func (s *Standing) readMembers(ctx context.Context, from db.Source, keys []MemberKey) error {
	const width = 2
	return db.KeyChunks(from, width, keys, func(chunk []MemberKey) error {
		args := make([]any, 0, width*len(chunk))
		for _, at := range chunk {
			args = append(args, at.Group, int64(at.Account))
		}
		return db.Each(ctx, from, func(row db.Scanner) error {
			var mute bool
			m, err := scanMember(func(columns ...any) error { return row(append(columns, &mute)...) })
			s.accounts[MemberKey{m.Group, m.Account}], s.muteAll[m.Group] = m, mute
			return err
		}, `SELECT m.*, g.mute_all FROM (SELECT `+memberColumns+` FROM group_member WHERE (group_id, account_id) IN
			(VALUES `+db.Rows(len(chunk), width, true)+`)) m JOIN chat_group g ON g.id = m.group_id WHERE g.deleted_at = 0`, args...)
	})
}
