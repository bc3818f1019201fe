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

// StandingOf reads how groups and accounts stand, in two statements but in steps of many keys.
func (g *Groups) StandingOf(ctx context.Context, from db.Source, keys []MemberKey) (*Standing, error) {
	s := &Standing{muteAll: map[int64]bool{}, accounts: map[MemberKey]*Member{}}
	ids := make([]int64, 0, len(keys))
	for _, at := range keys {
		ids = append(ids, at.Group)
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
	const width = 2
	err = db.KeyChunks(from, width, keys, func(chunk []MemberKey) error {
		args := make([]any, 0, width*len(chunk))
		for _, at := range chunk {
			args = append(args, at.Group, int64(at.Account))
		}
		return db.Each(ctx, from, func(row db.Scanner) error {
			m, err := scanMember(row)
			s.accounts[MemberKey{m.Group, m.Account}] = m
			return err
		}, `SELECT `+memberColumns+` FROM group_member WHERE (group_id, account_id) IN (VALUES `+
			db.Rows(len(chunk), width, true)+`)`, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	return s, nil
}
