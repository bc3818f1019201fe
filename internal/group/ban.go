package group

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type banRequest struct {
	GroupID     string      `json:"GroupId"`
	Members     []string    `json:"Members_Account"`
	Duration    wire.Number `json:"Duration"`
	Description string      `json:"Description"`
}

// featureBan is the bit by which clients know that they may ban accounts from live rooms.
const featureBan command.Feature = 11

func (g *Groups) banCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "ban_group_member", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Feature: featureBan, Doc: "remove accounts from a group and keep them out for a time", Section: "rest.md#ban_group_member",
	}, g.ban)
}

// ban removes those of the accounts that are members, and keeps all of them out until the duration has passed.
func (g *Groups) ban(ctx context.Context, call *command.Call, r *banRequest) (*command.None, error) {
	of, named, err := g.bannable(ctx, call, r)
	if err != nil {
		return nil, err
	}
	if r.Duration < 1 || r.Duration > math.MaxUint32 {
		return nil, im.Errorf(im.CodeGroupParameter, "Duration: want seconds from 1 to %d", uint32(math.MaxUint32))
	}
	if most := of.Type.Number("ban.description.max_bytes"); int64(len(r.Description)) > most {
		return nil, im.Errorf(im.CodeGroupParameter, "Description has %d bytes, at most %d", len(r.Description), most)
	}
	return nil, g.change(ctx, call, of, ids(named), func(c *change) (refused, err error) {
		there, err := g.MembersOf(ctx, c.tx, of.ID, ids(named))
		if err != nil {
			return nil, err
		}
		if refused := c.refuseBanning(named, there); refused != nil {
			return refused, nil
		}
		if err := c.putBans(ids(named), int64(r.Duration)); err != nil {
			return nil, err
		}
		if !of.Type.Yes("members.stored") {
			return nil, g.tell(c, Happening{
				Kind: HappenedBanned, Tip: of.Type.tipMode(c.call.App, "tip.10.banned", false), Targets: inOrder(named), Reason: wire.Text(r.Description),
				BanSeconds: int64(r.Duration),
			})
		}
		left := membersAmong(named, there)
		if len(left) == 0 {
			return nil, nil
		}
		tip := Happening{Kind: HappenedKicked, Tip: of.Type.tipMode(call.App, "tip.3.ban_in_ordinary_group", false), Reason: wire.Text(r.Description)}
		return nil, g.leave(c, left, tip, "Kicked")
	})
}

// bannable finds what a request names.
func (g *Groups) bannable(ctx context.Context, call *command.Call, r *banRequest) (*Group, map[string]account.Account, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, nil, err
	}
	if most := of.Type.Number("ban.max_per_call"); len(r.Members) == 0 || int64(len(r.Members)) > most {
		return nil, nil, im.Errorf(im.CodeGroupTooMany, "Members_Account has %d accounts: want 1 to %d", len(r.Members), most)
	}
	named, err := g.namedAccounts(ctx, call, r.Members)
	return of, named, err
}

// refuseBanning refuses whoever may not ban one of the accounts. Who is no member counts as an ordinary one.
func (c *change) refuseBanning(named map[string]account.Account, there map[im.AccountID]*Member) error {
	t := c.group.Type
	if !bansOn(c.call, t) || c.call.Admin() && (!t.Yes("ban.supported.rest") || !c.may("ban.who.rest")) {
		return errRights(c.group, "ban anybody")
	}
	for _, one := range named {
		role := max(there[one.ID].role(), Ordinary)
		_, alive := c.alive[one.ID]
		switch {
		case !c.call.Admin() && !c.mayOver("ban.who.client", role):
			return errRights(c.group, "ban this account")
		case role == Owner && t.Rule("ban.owner_as_target") == "refused":
			return im.Errorf(im.CodeGroupParameter, "%.40q owns the group and cannot be banned", one.UserID)
		case !alive:
			return errAccount(one.UserID)
		}
	}
	return nil
}

// putBans stores bans, in place of earlier ones of the same accounts, and takes back their requests to join.
func (c *change) putBans(accounts []im.AccountID, seconds int64) error {
	now := c.tx.Now().Unix()
	if _, err := c.tx.Exec(`DELETE FROM group_ban WHERE group_id = $1 AND banned_until <= $2`, c.group.ID, now); err != nil {
		return err
	}
	_, err := c.tx.Exec(`INSERT INTO group_ban (group_id, account_id, banned_until)
		SELECT CAST($1 AS BIGINT), a.id, CAST($2 AS BIGINT) FROM account a WHERE a.id IN ($3...) ORDER BY a.id
		ON CONFLICT (group_id, account_id) DO UPDATE SET banned_until = excluded.banned_until`,
		c.group.ID, min(now+seconds, math.MaxUint32), db.Ints(accounts))
	if err != nil {
		return err
	}
	return c.settled(accounts)
}

// banned tells which of the accounts are banned now.
func (c *change) banned(accounts []im.AccountID) (map[im.AccountID]bool, error) {
	return bannedAmong(c.ctx, c.tx, c.group, c.tx.Now().Unix(), accounts)
}

// bannedAmong tells which of the accounts are banned from a group at a unix second.
func bannedAmong(ctx context.Context, from db.Source, of *Group, now int64, accounts []im.AccountID) (map[im.AccountID]bool, error) {
	found := map[im.AccountID]bool{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var id im.AccountID
		err := row(&id)
		found[id] = true
		return err
	}, `SELECT account_id FROM group_ban WHERE group_id = $1 AND banned_until > $2 AND account_id IN ($3...)`,
		of.ID, now, db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read bans: %w", err)
	}
	return found, nil
}

func (g *Groups) unbanCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "unban_group_member", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "let banned accounts into a group again", Section: "rest.md#unban_group_member",
	}, g.unban)
}

// unban ends bans. Who is not banned is passed over.
func (g *Groups) unban(ctx context.Context, call *command.Call, r *banRequest) (*command.None, error) {
	of, named, err := g.bannable(ctx, call, r)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		if !c.may("ban.unban.who") {
			return errRights(c.group, "end bans"), nil
		}
		_, err = c.tx.Exec(`DELETE FROM group_ban WHERE group_id = $1 AND account_id IN ($2...)`, of.ID, db.Ints(ids(named)))
		return nil, err
	})
}

type bannedRequest struct {
	GroupID string      `json:"GroupId"`
	Limit   wire.Number `json:"Limit"`
	Offset  wire.Number `json:"Offset"`
}

type bannedAccount struct {
	Member string `json:"Member_Account"`
	Until  int64  `json:"BannedUntil"`
}

type bannedReply struct {
	Banned []bannedAccount `json:"BannedAccountList"`
	Next   int64           `json:"NextOffset"`
}

func (g *Groups) bannedCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_ban_member", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "list who is banned from a group", Section: "rest.md#get_group_ban_member",
	}, g.listBanned)
}

// mostBannedPerPage bounds the accounts of one reply, and is what a request without a limit gets.
const mostBannedPerPage = 100

// listBanned lists those who are banned now, in the order of their numbers.
func (g *Groups) listBanned(ctx context.Context, call *command.Call, r *bannedRequest) (*bannedReply, error) {
	of, err := g.Allowed(ctx, call, r.GroupID, "ban.list.who")
	if err != nil {
		return nil, err
	}
	limit, offset := cmp.Or(min(max(int64(r.Limit), 0), mostBannedPerPage), mostBannedPerPage), max(int64(r.Offset), 0)
	until := map[im.AccountID]int64{}
	err = db.Each(ctx, g.db, func(row db.Scanner) error {
		var (
			id im.AccountID
			at int64
		)
		err := row(&id, &at)
		until[id] = at
		return err
	}, `SELECT account_id, banned_until FROM group_ban WHERE group_id = $1 AND banned_until > $2 ORDER BY account_id LIMIT $3 OFFSET $4`,
		of.ID, g.db.Now().Unix(), limit+1, offset)
	if err != nil {
		return nil, fmt.Errorf("read bans: %w", err)
	}
	numbers := slices.Sorted(maps.Keys(until))
	reply := &bannedReply{Banned: []bannedAccount{}}
	if int64(len(numbers)) > limit {
		numbers, reply.Next = numbers[:limit], offset+limit
	}
	names, err := g.accounts.ByID(ctx, g.db, numbers)
	for _, id := range numbers {
		reply.Banned = append(reply.Banned, bannedAccount{names[id].UserID, until[id]})
	}
	return reply, err
}
