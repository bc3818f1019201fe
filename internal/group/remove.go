package group

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type removeRequest struct {
	GroupID string    `json:"GroupId"`
	Members []string  `json:"MemberToDel_Account"`
	Silence wire.Bool `json:"Silence"`
	Reason  string    `json:"Reason"`
}

func (g *Groups) removeCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_group_member", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "remove members from a group", Section: "rest.md#delete_group_member",
	}, g.remove)
}

func (g *Groups) remove(ctx context.Context, call *command.Call, r *removeRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	most := of.Type.Number(doorRule(call, "kick.max_per_call"))
	switch {
	case most == 0:
		return nil, im.Errorf(im.CodeGroupParameter, "nobody is removed from a group of the type %s: ban him", of.Type)
	case len(r.Members) == 0, int64(len(r.Members)) > most:
		return nil, im.Errorf(im.CodeGroupTooMany, "MemberToDel_Account has %d members: want 1 to %d", len(r.Members), most)
	case !call.Admin() && slices.Contains(r.Members, call.UserID):
		return nil, im.Errorf(im.CodeGroupParameter, "nobody removes himself: leave the group")
	}
	named, err := g.accounts.FindMany(ctx, call.App.ID, r.Members)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		there, err := g.MembersOf(ctx, c.tx, of.ID, ids(named))
		if err != nil {
			return nil, err
		}
		if refused := c.refuseRemoving(there); refused != nil || len(there) == 0 {
			return refused, nil
		}
		silent := bool(r.Silence) && call.Admin()
		tip := Happening{Kind: HappenedKicked, Tip: of.Type.tipMode(call.App, "tip.3.kick", silent), Reason: wire.Text(r.Reason)}
		return nil, g.leave(c, membersAmong(named, there), tip, "Kicked")
	})
}

// refuseRemoving refuses whoever may not remove one of these. Who is no member is passed over by those who may remove anybody.
func (c *change) refuseRemoving(there map[im.AccountID]*Member) error {
	rule := doorRule(c.call, "kick.who")
	if !c.mayOver(rule, Ordinary) {
		return errRights(c.group, "remove members")
	}
	for _, m := range there {
		if !c.mayOver(rule, m.Role) {
			return errRights(c.group, "remove one of these")
		}
	}
	return nil
}

// membersAmong are the accounts that are members, in the order of their numbers.
func membersAmong(named map[string]account.Account, there map[im.AccountID]*Member) []account.Account {
	return slices.DeleteFunc(inOrder(named), func(one account.Account) bool { return there[one.ID] == nil })
}

// inOrder lists accounts in the order of their numbers.
func inOrder(named map[string]account.Account) []account.Account {
	return slices.SortedFunc(maps.Values(named), func(x, y account.Account) int { return cmp.Compare(x.ID, y.ID) })
}

// leave takes members out of the group and tells of it. The rows of muted ones stay for the mute.
func (g *Groups) leave(c *change, left []account.Account, h Happening, exitType string) error {
	numbers := make([]im.AccountID, len(left))
	for i, one := range left {
		numbers[i] = one.ID
	}
	now := c.tx.Now().Unix()
	_, err := c.tx.Exec(`UPDATE group_member SET role = 0, name_card = '', custom = '{}', changed_at = $2
		WHERE group_id = $1 AND account_id IN ($3...) AND muted_until > $2`, c.group.ID, now, db.Ints(numbers))
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(`DELETE FROM group_member WHERE group_id = $1 AND account_id IN ($3...) AND muted_until <= $2`,
		c.group.ID, now, db.Ints(numbers))
	if err != nil {
		return err
	}
	if err := c.disown(numbers); err != nil {
		return err
	}
	if err := c.count(-int64(len(left))); err != nil {
		return err
	}
	c.group.MemberCount -= int64(len(left))
	h.Targets = left
	if err := g.tell(c, h); err != nil {
		return err
	}
	return g.tellExit(c, left, exitType)
}

// disown leaves the group without an owner if the owner is among those that leave.
func (c *change) disown(left []im.AccountID) error {
	if c.group.Owner == 0 || !slices.Contains(left, c.group.Owner) {
		return nil
	}
	c.group.Owner = 0
	_, err := c.tx.Exec(`UPDATE chat_group SET owner_id = 0, info_seq = info_seq + 1, changed_at = $2 WHERE id = $1`,
		c.group.ID, c.tx.Now().Unix())
	return err
}

func (g *Groups) quitCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "quit_group", Also: []string{millionService}, By: command.Account,
		Family: im.FamilyGroup(), Doc: "leave a group", Section: "wire.md#group-life-cycle",
	}, g.quit)
}

func (g *Groups) quit(ctx context.Context, call *command.Call, r *groupRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	self, err := g.account(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.stored") {
		return nil, g.leavePresence(ctx, call, of)
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		switch {
		case c.by == nil:
			return errRights(of, "leave: you are no member"), nil
		case !of.Type.Allows("leave.who", c.by.Role.Who()):
			return errOwnerQuits(of), nil
		}
		tip := Happening{Kind: HappenedQuit, Tip: of.Type.tipMode(call.App, "tip.2.quit", false)}
		if err := g.leave(c, []account.Account{self}, tip, "Quit"); err != nil {
			return nil, err
		}
		if c.group.MemberCount == 0 && of.Type.Yes("leave.last_member.group_dismissed") && emptyEnds.Of(call.App, of.Type, true) {
			return nil, g.end(c, false)
		}
		return nil, nil
	})
}
