package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// change is a change of one group under way: the group as it stands in the transaction, and who asks.
type change struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the transaction's function
	tx    *db.Tx
	call  *command.Call
	group *Group
	// by is the asking account's place in the group; nil of whoever is no member, and at the REST door.
	by *Member
	// alive are those of the accounts that the change needs that are not deleted.
	alive map[im.AccountID]int64
	// news is what is pushed once the change is on disk.
	news *[]News
}

// step is what a change does in its transaction. It refuses before it writes anything.
type step func(c *change) (refused, err error)

// change has one group changed. Changes of a group are made one after the other, and each sees those before it. The rows of
// accounts that become members are locked first, so that nobody is both deleted and a member.
func (g *Groups) change(ctx context.Context, call *command.Call, of *Group, joining []im.AccountID, do step) error {
	return g.write(ctx, of.ID, func(tx *db.Tx, news *[]News) (refused, err error) {
		c := &change{ctx: ctx, tx: tx, call: call, news: news}
		if len(joining) > 0 {
			if c.alive, err = account.Lock(tx, joining); err != nil {
				return nil, err
			}
		}
		if c.group, err = g.lock(tx, of.ID); err != nil {
			return nil, err
		}
		if c.group == nil {
			return ErrUnknown(of.GroupID), nil
		}
		if c.by, err = g.asking(ctx, tx, call, of.ID); err != nil {
			return nil, err
		}
		if refused, err = do(c); refused == nil && err == nil {
			tx.OnCommit(func() { g.changed(of) })
		}
		return refused, err
	})
}

// lock holds the group's row until the transaction ends and reads it; nil: it was destroyed.
func (g *Groups) lock(tx *db.Tx, id int64) (*Group, error) {
	var found *Group
	err := tx.Returning(func(row db.Scanner) error {
		var err error
		found, err = g.scan(row)
		return err
	}, `UPDATE chat_group SET deleted_at = 0 WHERE id = $1 AND deleted_at = 0 RETURNING `+groupColumns, id)
	return found, err
}

// asking is the asking account's place in the group.
func (g *Groups) asking(ctx context.Context, from db.Source, call *command.Call, group int64) (*Member, error) {
	if call.Admin() {
		return nil, nil //nolint:nilnil // nil is the answer
	}
	found, err := g.Member(ctx, from, group, call.Account)
	if err != nil {
		return nil, err
	}
	return g.inside(group, call.Account, found), nil
}

// standing is who somebody is in the words of the table of rules. An application's administrator at the client door has the
// owner's rights too, also without being a member.
func standing(call *command.Call, by *Member) []Who {
	if call.Admin() {
		return []Who{WhoAppAdmin}
	}
	who := []Who{by.role().Who()}
	if by != nil && by.Inside {
		who = append(who, WhoInside)
	}
	if call.App.IsAdmin(call.UserID) {
		who = append(who, WhoAppAdmin, WhoOwner)
	}
	return who
}

// role is NotMember of nobody.
func (m *Member) role() Role {
	if m == nil {
		return NotMember
	}
	return m.Role
}

// may reports whether the asking one is allowed what a rule names.
func (c *change) may(rule string) bool {
	return c.group.Type.Allows(rule, standing(c.call, c.by)...)
}

// mayOver reports whether the asking one may act upon a member of that role.
func (c *change) mayOver(rule string, target Role) bool {
	return c.group.Type.AllowsOver(rule, target.Who(), standing(c.call, c.by)...)
}

// doorRule is the name of a rule that differs by door.
func doorRule(call *command.Call, rule string) string {
	if call.Admin() {
		return rule + ".rest"
	}
	return rule + ".client"
}

// errRights refuses what the asking one, or the type of the group, does not allow.
func errRights(of *Group, what string) error {
	return im.Errorf(im.CodeGroupRights, "you may not %s in this group, which is of the type %s", what, of.Type)
}

// find finds a request's group.
func (g *Groups) find(ctx context.Context, call *command.Call, groupID string) (*Group, error) {
	if groupID == "" {
		return nil, errNoID()
	}
	return g.Find(ctx, call.App.ID, groupID)
}

func errNoID() error { return im.Errorf(im.CodeGroupParameter, "GroupId is missing") }

// account finds one account that a request names.
func (g *Groups) account(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	found, err := g.namedAccounts(ctx, call, []string{userID})
	return found[userID], err
}

// namedAccounts finds all accounts that a request names, or refuses.
func (g *Groups) namedAccounts(ctx context.Context, call *command.Call, userIDs []string) (map[string]account.Account, error) {
	found, err := g.accounts.FindMany(ctx, call.App.ID, userIDs)
	if err != nil {
		return nil, err
	}
	for _, userID := range userIDs {
		if _, ok := found[userID]; !ok {
			return nil, errAccount(userID)
		}
	}
	return found, nil
}

func errAccount(userID string) error {
	return im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", userID)
}

func ids(of map[string]account.Account) []im.AccountID {
	all := make([]im.AccountID, 0, len(of))
	for _, one := range of {
		all = append(all, one.ID)
	}
	return all
}
