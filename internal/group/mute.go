package group

import (
	"context"
	"fmt"
	"math"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type muteRequest struct {
	GroupID string       `json:"GroupId"`
	Members []string     `json:"Members_Account"`
	Mute    *wire.Number `json:"MuteTime"`
	ShutUp  *wire.Number `json:"ShutUpTime"`
	TopicID string       `json:"TopicId"`
}

func (g *Groups) muteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "forbid_send_msg", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "mute accounts in a group, or end their mutes", Section: "rest.md#forbid_send_msg",
	}, g.mute)
}

func (g *Groups) mute(ctx context.Context, call *command.Call, r *muteRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if r.TopicID != "" {
		return nil, im.Errorf(im.CodeGroupParameter, "the group has no topics")
	}
	if most := of.Type.Number("mute.max_per_call.rest"); of.Type.Yes("mute.member.supported") && (len(r.Members) == 0 || int64(len(r.Members)) > most) {
		return nil, im.Errorf(im.CodeGroupTooMany, "Members_Account has %d accounts: want 1 to %d", len(r.Members), most)
	}
	seconds, err := muteSeconds(firstOf(r.Mute, r.ShutUp))
	if err != nil {
		return nil, err
	}
	named, err := g.namedAccounts(ctx, call, r.Members)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, ids(named), func(c *change) (refused, err error) {
		there, err := g.MembersOf(ctx, c.tx, of.ID, ids(named))
		if err != nil {
			return nil, err
		}
		for _, one := range named {
			if !c.mayOver("mute.member.who.rest", max(there[one.ID].role(), Ordinary)) {
				return errRights(c.group, "mute this account"), nil
			}
			if _, alive := c.alive[one.ID]; !alive {
				return errAccount(one.UserID), nil
			}
		}
		return nil, g.setMute(c, inOrder(named), seconds)
	})
}

// muteSeconds reads how long a mute is to last.
func muteSeconds(given *wire.Number) (int64, error) {
	if given == nil || *given < 0 || *given > math.MaxUint32 {
		return 0, im.Errorf(im.CodeGroupParameter, "MuteTime: want seconds from 0 to %d", uint32(math.MaxUint32))
	}
	return int64(*given), nil
}

// setMute mutes accounts, members or not, or ends their mutes, in a fixed number of statements.
func (g *Groups) setMute(c *change, targets []account.Account, seconds int64) error {
	now := c.tx.Now().Unix()
	until := min(now+seconds, math.MaxUint32)
	if seconds == 0 {
		until = 0
	}
	numbers := make([]im.AccountID, len(targets))
	for i, one := range targets {
		numbers[i] = one.ID
	}
	_, err := c.tx.Exec(`INSERT INTO group_member (group_id, account_id, role, joined_at, join_sequence, name_card, muted_until, custom,
		msg_flag, read_sequence, changed_at)
		SELECT CAST($1 AS BIGINT), a.id, 0, 0, 0, '', CAST($2 AS BIGINT), '{}', 0, 0, CAST($3 AS BIGINT) FROM account a
		WHERE a.id IN ($4...) ORDER BY a.id
		ON CONFLICT (group_id, account_id) DO UPDATE SET muted_until = excluded.muted_until, changed_at = excluded.changed_at`,
		c.group.ID, until, now, db.Ints(numbers))
	if err != nil {
		return err
	}
	if until == 0 {
		_, err = c.tx.Exec(`DELETE FROM group_member WHERE group_id = $1 AND role = 0 AND account_id IN ($2...)`, c.group.ID, db.Ints(numbers))
		if err != nil {
			return err
		}
	}
	return g.tell(c, Happening{
		Kind: HappenedMuted, Tip: c.group.Type.tipMode(c.call.App, "tip.7.mute", false), Targets: targets, MuteSeconds: seconds,
	})
}

type mutedRequest struct {
	GroupID string      `json:"GroupId"`
	TopicID string      `json:"TopicId"`
	Offset  wire.Number `json:"Offset"`
	Limit   wire.Number `json:"Limit"`
}

type mutedAccount struct {
	Member string `json:"Member_Account"`
	Until  int64  `json:"MutedUntil"`
}

type mutedReply struct {
	Muted []mutedAccount `json:"MutedAccountList"`
}

// mutedSpec is what the commands that list who is muted have in common.
func mutedSpec(name, doc string) command.Spec {
	return command.Spec{Service: service, Name: name, By: command.Administrator, Family: im.FamilyGroup(), Doc: doc, Section: "rest.md#" + name}
}

func (g *Groups) mutedCommand() command.Command {
	return command.New(mutedSpec("get_group_muted_account", "list who is muted in a group"), func(
		ctx context.Context, call *command.Call, r *mutedRequest,
	) (*mutedReply, error) {
		all, err := g.muted(ctx, call, r)
		return &mutedReply{all}, err
	})
}

type shuttedUin struct {
	Member string `json:"Member_Account"`
	Until  int64  `json:"ShuttedUntil"`
}

type shuttedReply struct {
	Shutted []shuttedUin `json:"ShuttedUinList"`
}

func (g *Groups) shuttedCommand() command.Command {
	return command.New(mutedSpec("get_group_shutted_uin", "list who is muted in a group, as older back ends ask"), func(
		ctx context.Context, call *command.Call, r *mutedRequest,
	) (*shuttedReply, error) {
		all, err := g.muted(ctx, call, r)
		reply := &shuttedReply{Shutted: []shuttedUin{}}
		for _, one := range all {
			reply.Shutted = append(reply.Shutted, shuttedUin(one))
		}
		return reply, err
	})
}

// muted lists those who are muted now, in the order of their numbers.
func (g *Groups) muted(ctx context.Context, call *command.Call, r *mutedRequest) ([]mutedAccount, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.muted_list.rest") || r.TopicID != "" {
		return nil, errRights(of, "list who is muted")
	}
	limit := int64(mostPerPage)
	if r.Limit > 0 {
		limit = min(int64(r.Limit), limit)
	}
	found, err := db.All(ctx, g.db, scanMember, `SELECT `+memberColumns+` FROM group_member
		WHERE group_id = $1 AND muted_until > $2 ORDER BY account_id LIMIT $3 OFFSET $4`,
		of.ID, g.db.Now().Unix(), limit, max(int64(r.Offset), 0))
	if err != nil {
		return nil, fmt.Errorf("read mutes: %w", err)
	}
	names, err := g.accounts.ByID(ctx, g.db, accountsOf(found))
	infos := make([]mutedAccount, 0, len(found))
	for _, m := range found {
		infos = append(infos, mutedAccount{names[m.Account].UserID, m.MutedUntil})
	}
	return infos, err
}
