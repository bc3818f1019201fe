package group

import (
	"context"
	"errors"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// store writes a new group with its first members.
func (g *Groups) store(ctx context.Context, f *founding) error {
	wanted := slices.Clone(f.members)
	return g.write(ctx, 0, func(tx *db.Tx, news *[]News) (refused, err error) {
		f.members, f.over = slices.Clone(wanted), nil
		alive, err := account.Lock(tx, accountsOf(f.members))
		if err != nil {
			return nil, err
		}
		if refused, err := g.admit(ctx, tx, f, alive); refused != nil || err != nil {
			return refused, err
		}
		if refused, err := g.free(ctx, tx, f); refused != nil || err != nil {
			return refused, err
		}
		if refused, err := g.grow(tx, f); refused != nil || err != nil {
			return refused, err
		}
		if err := f.count(tx); err != nil {
			return nil, err
		}
		tx.OnCommit(func() { g.changed(&f.group) })
		return nil, g.insert(&change{ctx: ctx, tx: tx, call: f.call, group: &f.group, news: news}, f)
	})
}

// admit leaves out the accounts that are in too many groups.
func (g *Groups) admit(ctx context.Context, tx *db.Tx, f *founding, alive map[im.AccountID]int64) (refused, err error) {
	joined, err := g.countJoined(ctx, tx, accountsOf(f.members))
	if err != nil {
		return nil, err
	}
	var kept []*Member
	for _, m := range f.members {
		_, there := alive[m.Account]
		full := f.group.Type.Yes("user.joined_limit.counts") && joined[m.Account] >= int64(maxJoined.Of(f.call.App))
		switch name := f.names[m.Account].UserID; {
		case !there:
			return errAccount(name), nil
		case full && m.Role == Owner:
			return errJoined(name), nil
		case full:
			f.over = append(f.over, name)
		default:
			kept = append(kept, m)
		}
	}
	f.members = kept
	if f.group.Type.Yes("members.stored") && int64(len(kept)) > f.group.MaxMembers {
		return im.Errorf(im.CodeGroupMaxMembers, "%d members: the group may have %d", len(kept), f.group.MaxMembers), nil
	}
	return nil, nil
}

func errJoined(userID string) error {
	return im.Errorf(im.CodeGroupJoinedLimit, "%.40q is in as many groups as an account may be in", userID)
}

// free refuses a name that a group has.
func (g *Groups) free(ctx context.Context, tx *db.Tx, f *founding) (refused, err error) {
	found, err := g.Read(ctx, tx, f.group.App, []string{f.group.GroupID})
	taken := found[f.group.GroupID]
	switch {
	case err != nil || taken == nil:
		return nil, err
	case taken.Owner != 0 && taken.Owner == f.group.Owner:
		return im.Errorf(im.CodeGroupTakenOwn, "the owner has a group %.60q already", f.group.GroupID), nil
	default:
		return im.Errorf(im.CodeGroupTaken, "there is a group %.60q already", f.group.GroupID), nil
	}
}

func (g *Groups) insert(c *change, f *founding) error {
	of, tx, happened := &f.group, c.tx, HappenedCreated
	of.ID, of.MemberCount, of.Changed = tx.NextID(), int64(len(f.members)), tx.Now().Unix()
	if !of.Type.Yes("members.stored") { // who is inside is counted
		of.MemberCount = 0
	}
	if of.Created == 0 || !f.imported {
		of.Created = of.Changed
	}
	_, err := tx.Exec(`INSERT INTO chat_group (`+groupColumns+`, deleted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 0)`,
		of.ID, int64(of.App), of.GroupID, of.Type.String(), of.Name, of.Introduction, of.Notification, of.FaceURL, int64(of.Owner),
		of.MaxMembers, of.MemberCount, of.ApplyOption, of.InviteOption, of.MuteAll, of.Custom, of.InfoSeq, of.Created, of.Changed,
		of.Cleared, int64(of.History))
	if err != nil {
		return err
	}
	for _, m := range f.members {
		m.Group, m.Joined = of.ID, of.Changed
	}
	if err := putMembers(tx, f.members); err != nil {
		return err
	}
	if f.imported {
		happened = HappenedImported
	}
	if err := g.tell(c, Happening{Kind: happened, Tip: TipNone, Targets: f.accounts()}); err != nil || f.imported {
		return err
	}
	return afterCreate.Tell(tx, g.hooks, &f.call.Actor, of.ID, func() (createdBody, error) {
		custom := customList(of.Custom, groupFields.Of(f.call.App), func(string) bool { return true })
		return createdBody{
			of.GroupID, f.call.UserID, f.owner.UserID, of.Type.String(), of.Name, memberNames(f.accounts()), custom, c.eventTime(),
		}, nil
	})
}

// putMembers writes members, also where a row of a former one stands, whose mute stays.
func putMembers(tx *db.Tx, members []*Member) error {
	const width = 10
	return db.Chunks(tx, width, members, func(chunk []*Member) error {
		args := make([]any, 0, width*len(chunk))
		for _, m := range chunk {
			args = append(args, m.Group, int64(m.Account), int64(m.Role), m.Joined, m.JoinSequence, m.Custom, int64(m.Receive),
				m.ReadSequence, m.ReadCounted, tx.Now().Unix())
		}
		_, err := tx.Exec(`INSERT INTO group_member (group_id, account_id, role, joined_at, join_sequence, name_card, muted_until, custom,
			msg_flag, read_sequence, read_counted, changed_at) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?,?,'',0,?,?,?,?,?)`)+`
			ON CONFLICT (group_id, account_id) DO UPDATE SET role = excluded.role, joined_at = excluded.joined_at,
			join_sequence = excluded.join_sequence, name_card = '', custom = excluded.custom, msg_flag = excluded.msg_flag,
			read_sequence = excluded.read_sequence, read_counted = excluded.read_counted, hidden_sequence = 0, cleared_sequence = 0,
			changed_at = excluded.changed_at`, args...)
		return err
	})
}

func accountsOf(members []*Member) []im.AccountID {
	all := make([]im.AccountID, len(members))
	for i, m := range members {
		all[i] = m.Account
	}
	return all
}

// countJoined counts the groups that accounts are in, of the types that count.
func (g *Groups) countJoined(ctx context.Context, from db.Source, accounts []im.AccountID) (map[im.AccountID]int64, error) {
	counts := map[im.AccountID]int64{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id im.AccountID
			n  int64
		)
		err := row(&id, &n)
		counts[id] = n
		return err
	}, `SELECT m.account_id, COUNT(*) FROM group_member m JOIN chat_group g ON g.id = m.group_id WHERE m.account_id IN ($1...) AND m.role > 0
		AND g.type IN ($2...) GROUP BY m.account_id`, db.Ints(accounts), db.Texts(g.rules.named("user.joined_limit.counts")))
	return counts, err
}

// countOwned counts the groups of a type that an account owns.
func (g *Groups) countOwned(ctx context.Context, app im.AppID, owner im.AccountID, t Type) (int64, error) {
	if owner == 0 {
		return 0, nil
	}
	n, err := db.One(ctx, g.db, db.Number, `SELECT COUNT(*) FROM group_member m JOIN chat_group g ON g.id = m.group_id
		WHERE m.account_id = $1 AND m.role = $2 AND g.app_id = $3 AND g.type = $4`, int64(owner), int64(Owner), int64(app), t.String())
	if errors.Is(err, db.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// usualReceive is how new members of a type hear of messages.
func usualReceive(app *im.App, t Type) Receive {
	r, _ := receiveNamed(string(receiveOptions.Of(app, t, receiveWord(t.Rule("member.receive_option.default")))))
	return r
}

// receiveNamed reads a way to receive by its name on the wire.
func receiveNamed(name string) (Receive, bool) {
	for _, r := range []Receive{AcceptAndNotify, AcceptNotNotify, Discard, AcceptNotNotifyExceptAt} {
		if r.String() == name {
			return r, true
		}
	}
	return 0, false
}
