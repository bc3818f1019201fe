package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type groupRequest struct {
	GroupID string `json:"GroupId"`
}

func (g *Groups) destroyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "destroy_group", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "destroy a group", Section: "rest.md#destroy_group",
	}, g.destroy)
}

func (g *Groups) destroy(ctx context.Context, call *command.Call, r *groupRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		if !c.may("dismiss.who") {
			return errRights(of, "destroy"), nil
		}
		return nil, g.end(c, false)
	})
}

// toldMembers bounds the members that are named when a group is destroyed.
const toldMembers = 10_000

// end destroys the group; byItself says that it does so by itself. Its row stays, because its number names a chat; its members do not.
func (g *Groups) end(c *change, byItself bool) error {
	members, err := g.formerMembers(c)
	if err != nil {
		return err
	}
	if err := g.tell(c, Happening{Kind: HappenedDestroyed, Tip: TipNone, Targets: members, Recycled: byItself}); err != nil {
		return err
	}
	if err := g.tellDestroyed(c, members); err != nil {
		return err
	}
	if _, err := c.tx.Exec(`UPDATE chat_group SET deleted_at = $2 WHERE id = $1`, c.group.ID, c.tx.Now().Unix()); err != nil {
		return err
	}
	for _, remove := range []string{
		`DELETE FROM group_member WHERE group_id = $1`, `DELETE FROM join_request WHERE group_id = $1`,
		`DELETE FROM group_ban WHERE group_id = $1`,
	} {
		if _, err := c.tx.Exec(remove, c.group.ID); err != nil {
			return err
		}
	}
	if err := c.shrink(); err != nil {
		return err
	}
	if err := c.uncount(); err != nil {
		return err
	}
	return g.endParts(c.tx, c.group.ID)
}

func (g *Groups) formerMembers(c *change) ([]account.Account, error) {
	rows, err := db.All(c.ctx, c.tx, db.Number,
		`SELECT account_id FROM group_member WHERE group_id = $1 AND role > 0 ORDER BY account_id LIMIT $2`, c.group.ID, toldMembers)
	if err != nil {
		return nil, err
	}
	numbers := make([]im.AccountID, len(rows))
	for i, n := range rows {
		numbers[i] = im.AccountID(n)
	}
	found, err := g.accounts.ByID(c.ctx, c.tx, numbers)
	members := make([]account.Account, 0, len(found))
	for _, n := range numbers {
		members = append(members, found[n])
	}
	return members, err
}

func (g *Groups) tellDestroyed(c *change, members []account.Account) error {
	of := c.group
	return afterDestroy.Tell(c.tx, g.hooks, &c.call.Actor, of.ID, func() (destroyedBody, error) {
		owner := ""
		for _, one := range members {
			if one.ID == of.Owner {
				owner = one.UserID
			}
		}
		return destroyedBody{of.GroupID, of.Type.String(), owner, of.Name, memberNames(members), c.eventTime()}, nil
	})
}

// OnDelete takes a deleted account out of its groups; those that it owned live on without an owner. It is an
// [account.Participant].
func (g *Groups) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	var left []*Group
	err := tx.Returning(func(row db.Scanner) error {
		one, err := g.scan(row)
		left = append(left, one)
		return err
	}, `UPDATE chat_group SET member_count = member_count - 1, info_seq = info_seq + 1, changed_at = $2,
		owner_id = CASE WHEN owner_id = $1 THEN 0 ELSE owner_id END
		WHERE deleted_at = 0 AND id IN (SELECT group_id FROM group_member WHERE account_id = $1 AND role > 0) RETURNING `+groupColumns,
		int64(of.ID), tx.Now().Unix())
	if err != nil {
		return nil, err
	}
	for _, remove := range []string{
		`DELETE FROM group_member WHERE account_id = $1`, `DELETE FROM join_request WHERE account_id = $1`,
		`DELETE FROM group_ban WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(remove, int64(of.ID)); err != nil {
			return nil, err
		}
	}
	return func() {
		for _, one := range left {
			g.changed(one)
		}
	}, nil
}
