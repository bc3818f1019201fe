package group

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Role is what a member is in his group. Its numbers are stored, and the higher one has the higher rank.
type Role int64

// The roles. NotMember is the zero Role.
const (
	NotMember Role = iota
	Ordinary
	Admin
	Owner
)

// String is the role's name on the wire.
func (r Role) String() string {
	switch r {
	case Ordinary:
		return "Member"
	case Admin:
		return "Admin"
	case Owner:
		return "Owner"
	case NotMember:
	}
	return "NotMember"
}

// Member is an account in a group.
type Member struct {
	Group   int64
	Account im.AccountID
	Role    Role
	// Inside says of a member of a type whose members are not stored that it is in the group now, on this node.
	Inside bool
	// Joined is a unix second, of the latest join.
	Joined int64
	// JoinSequence is the newest sequence of the group's chat when the account joined.
	JoinSequence int64
	NameCard     string
	// MutedUntil is the unix second at which a mute ends; 0 of who never was muted.
	MutedUntil int64
	// Custom is a JSON object of the application's own fields.
	Custom string
	// Receive is how the member wants to hear of messages.
	Receive Receive
	// ReadSequence is the read mark, and ReadCounted how many messages at or below it ever counted as unread.
	ReadSequence, ReadCounted int64
	// Hidden is the sequence at which the member took the conversation out of its list, and Cleared the one up to which it
	// does not see the history any more; 0 of who never did.
	Hidden, Cleared int64
	// Changed is when anything of the member changed, a unix second.
	Changed int64
}

// Muted reports whether the member may not speak at a unix second.
func (m *Member) Muted(at int64) bool { return m.MutedUntil > at }

// Receive is how a member wants to hear of messages, MsgFlag on the wire. Its numbers are stored.
type Receive int64

// The ways to receive. The zero Receive is the default of most types.
const (
	AcceptAndNotify Receive = iota
	AcceptNotNotify
	Discard
	AcceptNotNotifyExceptAt
)

// String is the name on the wire.
func (r Receive) String() string {
	switch r {
	case AcceptNotNotify:
		return "AcceptNotNotify"
	case Discard:
		return "Discard"
	case AcceptNotNotifyExceptAt:
		return "AcceptNotNotifyExceptAt"
	case AcceptAndNotify:
	}
	return "AcceptAndNotify"
}

const memberColumns = `group_id, account_id, role, joined_at, join_sequence, name_card, muted_until, custom, msg_flag, read_sequence,
	read_counted, hidden_sequence, cleared_sequence, changed_at`

func scanMember(row db.Scanner) (*Member, error) {
	var m Member
	err := row(&m.Group, &m.Account, &m.Role, &m.Joined, &m.JoinSequence, &m.NameCard, &m.MutedUntil, &m.Custom, &m.Receive,
		&m.ReadSequence, &m.ReadCounted, &m.Hidden, &m.Cleared, &m.Changed)
	return &m, err
}

// Member reads a member; nil: the account is none.
func (g *Groups) Member(ctx context.Context, from db.Source, group int64, account im.AccountID) (*Member, error) {
	found, err := g.MemberOrMuted(ctx, from, group, account)
	if found.role() == NotMember {
		return nil, err
	}
	return found, err
}

// MemberOrMuted reads a member, or, with the role NotMember, an account whose mute outlives its membership; nil: it is neither.
func (g *Groups) MemberOrMuted(ctx context.Context, from db.Source, group int64, account im.AccountID) (*Member, error) {
	found, err := db.One(ctx, from, scanMember,
		`SELECT `+memberColumns+` FROM group_member WHERE group_id = $1 AND account_id = $2`, group, int64(account))
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // nil is the answer
	}
	if err != nil {
		return nil, fmt.Errorf("read member: %w", err)
	}
	return found, nil
}

// MembersOf reads those of the accounts that are members, by account.
func (g *Groups) MembersOf(ctx context.Context, from db.Source, group int64, accounts []im.AccountID) (map[im.AccountID]*Member, error) {
	found := make(map[im.AccountID]*Member, len(accounts))
	rows, err := db.All(ctx, from, scanMember,
		`SELECT `+memberColumns+` FROM group_member WHERE group_id = $1 AND role > 0 AND account_id IN ($2...)`, group, db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	for _, one := range rows {
		found[one.Account] = one
	}
	return found, nil
}

// mostDeciders bounds who is told of a request to join.
const mostDeciders = 100

// Deciders are the owner and the administrators of a group, who decide on requests to join; at most a hundred.
func (g *Groups) Deciders(ctx context.Context, from db.Source, group int64) ([]account.Account, error) {
	all, err := g.those(ctx, from, `SELECT account_id FROM group_member WHERE group_id = $1 AND role > 1
		ORDER BY account_id LIMIT $2`, group, mostDeciders)
	if err != nil {
		return nil, fmt.Errorf("read administrators: %w", err)
	}
	return all, nil
}

// mostFounders is more than the first members that a group is made with.
const mostFounders = 1000

// Founders are the members that a group was made with and that are in it still, but for its owner; at most a thousand.
func (g *Groups) Founders(ctx context.Context, from db.Source, of *Group) ([]account.Account, error) {
	all, err := g.those(ctx, from, `SELECT account_id FROM group_member WHERE group_id = $1 AND role > 0 AND joined_at <= $2
		AND account_id <> $3 ORDER BY account_id LIMIT $4`, of.ID, of.Created, int64(of.Owner), mostFounders)
	if err != nil {
		return nil, fmt.Errorf("read first members: %w", err)
	}
	return all, nil
}

// those reads the accounts whose numbers a query gives, in its order.
func (g *Groups) those(ctx context.Context, from db.Source, query string, args ...any) ([]account.Account, error) {
	rows, err := db.All(ctx, from, db.Number, query, args...)
	if err != nil {
		return nil, err
	}
	numbers := make([]im.AccountID, len(rows))
	for i, n := range rows {
		numbers[i] = im.AccountID(n)
	}
	found, err := g.accounts.ByID(ctx, from, numbers)
	all := make([]account.Account, 0, len(found))
	for _, n := range numbers {
		if one, there := found[n]; there {
			all = append(all, one)
		}
	}
	return all, err
}

// Memberships reads an account's places in those of the groups that it is a member of, by group.
func (g *Groups) Memberships(ctx context.Context, from db.Source, account im.AccountID, groups []int64) (map[int64]*Member, error) {
	found := make(map[int64]*Member, len(groups))
	rows, err := db.All(ctx, from, scanMember, `SELECT `+memberColumns+` FROM group_member
		WHERE account_id = $1 AND role > 0 AND group_id IN ($2...)`, int64(account), db.Ints(groups))
	if err != nil {
		return nil, fmt.Errorf("read an account's groups: %w", err)
	}
	for _, m := range rows {
		found[m.Group] = m
	}
	return found, nil
}

// Joined lists the numbers of the groups that an account is a member of, for its sessions to join their audiences.
func (g *Groups) Joined(ctx context.Context, from db.Source, account im.AccountID) ([]int64, error) {
	ids, err := db.All(ctx, from, db.Number, `SELECT group_id FROM group_member WHERE account_id = $1 AND role > 0`, int64(account))
	if err != nil {
		return nil, fmt.Errorf("read an account's groups: %w", err)
	}
	return ids, nil
}
