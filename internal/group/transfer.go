package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type transferRequest struct {
	GroupID string `json:"GroupId"`
	Owner   string `json:"NewOwner_Account"`
	From    string `json:"From_Account"`
}

func (g *Groups) transferCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "change_group_owner", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "give a group another owner", Section: "rest.md#change_group_owner",
	}, g.transfer)
}

func (g *Groups) transfer(ctx context.Context, call *command.Call, r *transferRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	target, err := g.account(ctx, call, r.Owner)
	if err != nil {
		return nil, err
	}
	operator, err := g.operator(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		if !c.may("transfer.who") {
			return errRights(of, "make somebody the owner"), nil
		}
		if c.group.Owner == target.ID {
			return im.Errorf(im.CodeGroupParameter, "%.40q is the owner already", r.Owner), nil
		}
		heir, err := g.Member(ctx, c.tx, of.ID, target.ID)
		if err != nil {
			return nil, err
		}
		if heir == nil {
			return im.Errorf(im.CodeGroupRights, "%.40q is not a member", r.Owner), nil
		}
		return nil, g.crown(c, target, operator)
	})
}

// crown makes a member the owner; the old one is an ordinary member then.
func (g *Groups) crown(c *change, heir, operator account.Account) error {
	old, now := c.group.Owner, c.tx.Now().Unix()
	for _, set := range []struct {
		who  im.AccountID
		role Role
	}{{old, Ordinary}, {heir.ID, Owner}} {
		_, err := c.tx.Exec(`UPDATE group_member SET role = $3, changed_at = $4 WHERE group_id = $1 AND account_id = $2 AND role > 0`,
			c.group.ID, int64(set.who), int64(set.role), now)
		if err != nil {
			return err
		}
	}
	_, err := c.tx.Exec(`UPDATE chat_group SET owner_id = $2, info_seq = info_seq + 1, changed_at = $3 WHERE id = $1`,
		c.group.ID, int64(heir.ID), now)
	if err != nil {
		return err
	}
	c.group.Owner = heir.ID
	if c.by != nil && c.by.Account == old {
		c.by.Role = Ordinary
	}
	if err := g.tellProfile(c, &Profile{Owner: &heir}, operator); err != nil {
		return err
	}
	return afterOwner.Tell(c.tx, g.hooks, &c.call.Actor, c.group.ID, func() (ownerBody, error) {
		former, err := g.accounts.ByID(c.ctx, c.tx, []im.AccountID{old})
		return ownerBody{
			c.group.GroupID, c.group.Type.String(), operator.UserID, former[old].UserID, heir.UserID, c.eventTime(),
		}, err
	})
}
