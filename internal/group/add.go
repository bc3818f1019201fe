package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type addRequest struct {
	GroupID string      `json:"GroupId"`
	Members []newMember `json:"MemberList"`
	Silence wire.Bool   `json:"Silence"`
}

// What became of an account that was to be added.
const (
	addedNot = iota
	addedNow
	addedBefore
	addedWaits // for the decision of an administrator
	addedOverLimit
)

type addResult struct {
	Member string `json:"Member_Account"`
	Result int    `json:"Result"`
}

type addReply struct {
	Members []addResult `json:"MemberList"`
}

func (g *Groups) addCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "add_group_member", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "add members to a group", Section: "rest.md#add_group_member",
	}, g.add)
}

// joining are accounts on their way into a group.
type joining struct {
	names    []string // in the order of the request
	accounts map[string]account.Account
	refused  map[string]bool // by the back end
	result   map[string]int
	silent   bool
	over     int // the result of an account that is in too many groups
}

func (j *joining) reply() *addReply {
	reply := &addReply{Members: make([]addResult, len(j.names))}
	for i, name := range j.names {
		reply.Members[i] = addResult{name, j.result[name]}
	}
	return reply
}

func (g *Groups) add(ctx context.Context, call *command.Call, r *addRequest) (*addReply, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	j, err := g.joining(ctx, call, of, r.Members)
	if err != nil {
		return nil, err
	}
	j.silent, j.over = bool(r.Silence) && call.Admin(), addedOverLimit
	if err := g.mayAdd(ctx, call, of); err != nil {
		return nil, err
	}
	if j.refused, err = g.askInvite(ctx, call, of, j.names); err != nil {
		return nil, err
	}
	err = g.change(ctx, call, of, ids(j.accounts), func(c *change) (refused, err error) {
		if refused := c.refuseAdding(); refused != nil {
			return refused, nil
		}
		return g.admitAll(c, j)
	})
	if err != nil {
		return nil, err
	}
	return j.reply(), nil
}

// joining finds the accounts that a request wants to add.
func (g *Groups) joining(ctx context.Context, call *command.Call, of *Group, members []newMember) (*joining, error) {
	most := of.Type.Number(doorRule(call, "invite.max_per_call"))
	switch {
	case most == 0:
		return nil, errRights(of, "add members")
	case len(members) == 0, int64(len(members)) > most:
		return nil, im.Errorf(im.CodeGroupTooMany, "MemberList has %d members: want 1 to %d", len(members), most)
	}
	j := &joining{result: map[string]int{}}
	for _, m := range members {
		j.names = append(j.names, m.Member)
	}
	var err error
	j.accounts, err = g.namedAccounts(ctx, call, j.names)
	return j, err
}

// mayAdd refuses ahead of the transaction, so that nobody without the right has the back end asked.
func (g *Groups) mayAdd(ctx context.Context, call *command.Call, of *Group) error {
	by, err := g.asking(ctx, g.db, call, of.ID)
	if err != nil {
		return err
	}
	return (&change{call: call, group: of, by: by}).refuseAdding()
}

// asksOnly reports whether the asking one may not add members, but ask for them.
func (c *change) asksOnly() bool {
	return !c.call.Admin() && c.group.InviteOption == needPermission && !c.may("invite.who.NeedPermission.direct") &&
		c.may("invite.who.NeedPermission.pending")
}

// refuseAdding refuses whoever may not add members.
func (c *change) refuseAdding() error {
	if c.asksOnly() {
		return nil
	}
	rule := "invite.who.rest"
	if !c.call.Admin() {
		switch c.group.InviteOption {
		case freeAccess:
			rule = "invite.who.FreeAccess"
		case needPermission:
			rule = "invite.who.NeedPermission.direct"
		default:
			rule = "invite.who.DisableInvite.client"
		}
	}
	if !c.may(rule) {
		return errRights(c.group, "add members")
	}
	return nil
}

// admitAll makes members of those who are none yet, or asks for them.
func (g *Groups) admitAll(c *change, j *joining) (refused, err error) {
	fresh, refused, err := g.fresh(c, j)
	if refused != nil || err != nil || len(fresh) == 0 {
		return refused, err
	}
	if c.asksOnly() {
		for _, one := range fresh {
			j.result[one.UserID] = addedWaits
		}
		return nil, g.ask(c, fresh, c.by.Account, "")
	}
	return nil, g.enter(c, fresh, Happening{Tip: c.group.Type.tipMode(c.call.App, "tip.1.join.invited", j.silent)}, "Invited")
}

// fresh says of each account what becomes of it, and gives those that become members. Nobody does when there is no room for all.
func (g *Groups) fresh(c *change, j *joining) (fresh []account.Account, refused, err error) {
	there, err := g.MembersOf(c.ctx, c.tx, c.group.ID, ids(j.accounts))
	if err != nil {
		return nil, nil, err
	}
	joined, err := g.countJoined(c.ctx, c.tx, ids(j.accounts))
	if err != nil {
		return nil, nil, err
	}
	banned, err := c.banned(ids(j.accounts))
	if err != nil {
		return nil, nil, err
	}
	clear(j.result)
	for _, name := range j.names {
		one := j.accounts[name]
		_, alive := c.alive[one.ID]
		switch {
		case j.result[name] == addedNow:
		case !alive:
			return nil, errAccount(name), nil
		case there[one.ID] != nil:
			j.result[name] = addedBefore
		case j.refused[name], banned[one.ID]:
			j.result[name] = addedNot
		case joined[one.ID] >= int64(maxJoined.Of(c.call.App)):
			j.result[name] = j.over
		default:
			j.result[name] = addedNow
			fresh = append(fresh, one)
		}
	}
	if c.group.MemberCount+int64(len(fresh)) > c.group.MaxMembers {
		return nil, errFull(c.group), nil
	}
	return fresh, nil, nil
}

func errFull(of *Group) error {
	return im.Errorf(im.CodeGroupFull, "the group has %d of its %d members", of.MemberCount, of.MaxMembers)
}

// enter makes accounts members, in a number of statements that does not depend on theirs, and tells of them.
func (g *Groups) enter(c *change, fresh []account.Account, h Happening, joinType string) error {
	tails, err := g.chats.Tails(c.ctx, c.tx, []int64{c.group.ID})
	if err != nil {
		return err
	}
	newest, now := tails[c.group.ID], c.tx.Now().Unix()
	numbers := make([]im.AccountID, len(fresh))
	for i, one := range fresh {
		numbers[i] = one.ID
	}
	_, err = c.tx.Exec(`INSERT INTO group_member (group_id, account_id, role, joined_at, join_sequence, name_card, muted_until, custom,
		msg_flag, read_sequence, read_counted, changed_at)
		SELECT CAST($1 AS BIGINT), a.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), '', 0, '{}', CAST($5 AS BIGINT),
		CAST($4 AS BIGINT), CAST($6 AS BIGINT), CAST($3 AS BIGINT) FROM account a WHERE a.id IN ($7...) ORDER BY a.id
		ON CONFLICT (group_id, account_id) DO UPDATE SET role = excluded.role, joined_at = excluded.joined_at,
		join_sequence = excluded.join_sequence, name_card = '', custom = '{}', msg_flag = excluded.msg_flag,
		read_sequence = excluded.read_sequence, read_counted = excluded.read_counted, hidden_sequence = 0, cleared_sequence = 0,
		changed_at = excluded.changed_at`,
		c.group.ID, int64(Ordinary), now, newest.Sequence, int64(usualReceive(c.call.App, c.group.Type)), newest.Counted, db.Ints(numbers))
	if err != nil {
		return err
	}
	if err := c.settled(numbers); err != nil {
		return err
	}
	if err := c.count(int64(len(fresh))); err != nil {
		return err
	}
	if err := g.tellJoin(c, fresh, joinType); err != nil {
		return err
	}
	c.group.MemberCount += int64(len(fresh))
	h.Kind, h.Targets = HappenedJoined, fresh
	return g.tell(c, h)
}

// count adds to the number of members.
func (c *change) count(more int64) error {
	_, err := c.tx.Exec(`UPDATE chat_group SET member_count = member_count + $2 WHERE id = $1`, c.group.ID, more)
	return err
}

type applyRequest struct {
	GroupID string `json:"GroupId"`
	Text    string `json:"ApplyMsg"`
	// Late asks for the newest messages, of a group that has them in memory alone.
	Late wire.Bool `json:"HugeGroupHistoryMsgFlag"`
}

type joinReply struct {
	Status string `json:"JoinedStatus"`
	*Entered
}

func (g *Groups) joinCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "apply_join_group", Also: []string{millionService}, By: command.Account,
		Family: im.FamilyGroup(), Feature: featureBacklog, Doc: "join a group, or ask to", Section: "wire.md#group-life-cycle",
	}, g.join)
}

// featureBacklog is the bit by which clients know that they may ask for the newest messages of a live room as they join.
const featureBacklog command.Feature = 2

// joinedSuccess is the outcome of joining a group that is open to all.
const joinedSuccess = "JoinedSuccess"

// outcome is what the group's type and its option make of somebody who would join.
func (g *Group) outcome() string { return g.Type.Rule("join.outcome." + g.ApplyOption) }

func (g *Groups) join(ctx context.Context, call *command.Call, r *applyRequest) (*joinReply, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	self, err := g.account(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	if len(r.Text) > mostRequestBytes {
		return nil, im.Errorf(im.CodeGroupParameter, "ApplyMsg has %d bytes, at most %d", len(r.Text), mostRequestBytes)
	}
	if err := refuseJoining(of); err != nil {
		return nil, err
	}
	if err := g.askApply(ctx, call, of); err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.stored") {
		return g.enterPresence(ctx, call, of, bool(r.Late))
	}
	reply := &joinReply{}
	err = g.change(ctx, call, of, []im.AccountID{self.ID}, func(c *change) (refused, err error) {
		reply.Status = c.group.outcome()
		return g.joinNow(c, self, wire.Text(r.Text))
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

func refuseJoining(of *Group) error {
	if outcome := of.outcome(); outcome != joinedSuccess && outcome != waitAdminApproval {
		return im.Errorf(im.CodeGroupRights, "nobody joins this group by himself: its ApplyJoinOption is %s", of.ApplyOption)
	}
	return nil
}

// joinNow makes the asking account a member, or lets it wait for a decision.
func (g *Groups) joinNow(c *change, self account.Account, text string) (refused, err error) {
	if refused := refuseJoining(c.group); refused != nil {
		return refused, nil
	}
	if refused, err := g.refuseEntering(c, self, c.by); refused != nil || err != nil {
		return refused, err
	}
	if c.group.outcome() == waitAdminApproval {
		return nil, g.ask(c, []account.Account{self}, 0, text)
	}
	tip := Happening{Applied: true, Tip: c.group.Type.tipMode(c.call.App, "tip.1.join.applied", false)}
	return nil, g.enter(c, []account.Account{self}, tip, "Apply")
}

// refuseEntering refuses an account that cannot become a member; place is where it stands already.
func (g *Groups) refuseEntering(c *change, one account.Account, already *Member) (refused, err error) {
	joined, err := g.countJoined(c.ctx, c.tx, []im.AccountID{one.ID})
	if err != nil {
		return nil, err
	}
	banned, err := c.banned([]im.AccountID{one.ID})
	_, alive := c.alive[one.ID]
	switch {
	case err != nil:
		return nil, err
	case !alive:
		return errAccount(one.UserID), nil
	case banned[one.ID]:
		return im.Errorf(im.CodeGroupRights, "%.40q is banned from this group", one.UserID), nil
	case already != nil:
		return im.Errorf(im.CodeGroupMember, "%.40q is a member already", one.UserID), nil
	case c.group.MemberCount >= c.group.MaxMembers:
		return errFull(c.group), nil
	case joined[one.ID] >= int64(maxJoined.Of(c.call.App)):
		return errJoined(one.UserID), nil
	}
	return nil, nil
}
