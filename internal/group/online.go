package group

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// doing is what a member does now: whether he is online, and when he last sent a message to the group, as a unix second. The
// zero doing is that of who is offline and never sent one.
type doing struct {
	online   bool
	lastSent int64
}

// The fields of members by these names are read for the reply only.
const (
	fieldLastSent = "LastSendMsgTime"
	fieldOnline   = "OnlineStatus"
)

func onlineStatus(online bool) string {
	if online {
		return "Online"
	}
	return "Offline"
}

// doing reads what members do now, as far as somebody wants it, in at most two statements.
func (g *Groups) doing(ctx context.Context, call *command.Call, of *Group, members []*Member, want func(string) bool) (map[im.AccountID]doing, error) {
	var (
		accounts = accountsOf(members)
		online   map[im.AccountID]bool
		sent     map[im.AccountID]int64
		err      error
	)
	if want(fieldOnline) && memberPresence.Of(call.App) {
		if online, err = g.devices.Online(ctx, accounts); err != nil {
			return nil, err
		}
	}
	if want(fieldLastSent) {
		chat, err := g.chats.Find(ctx, of.Chat())
		if err != nil {
			return nil, err
		}
		if sent, err = g.chats.LastSent(ctx, g.db, chat, accounts); err != nil {
			return nil, err
		}
	}
	now := make(map[im.AccountID]doing, len(accounts))
	for _, one := range accounts {
		now[one] = doing{online[one], sent[one]}
	}
	return now, nil
}

// lastSentTo reads when the asking account last sent to each of the groups, if the filter wants it.
func (g *Groups) lastSentTo(ctx context.Context, call *command.Call, f *responseFilter, groups []*Group) (map[int64]int64, error) {
	if members := f.members(); call.Admin() || members == nil || !wanted(members.Info)(fieldLastSent) {
		return map[int64]int64{}, nil
	}
	numbers := make([]int64, len(groups))
	for i, one := range groups {
		numbers[i] = one.ID
	}
	return g.chats.LastSentTo(ctx, g.db, call.Account, numbers)
}

type onlineReply struct {
	Number int64 `json:"OnlineMemberNum"`
	// Expire is for how many seconds the number stands.
	Expire int64 `json:"ExpireTime"`
}

func (g *Groups) onlineCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_online_member_num", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "tell how many members of a group are online", Section: "rest.md#get_online_member_num",
	}, g.onlineMembers)
}

// onlineMembers counts the members that are online, now and then: a number is given until it is as old as the table of rules says.
func (g *Groups) onlineMembers(ctx context.Context, call *command.Call, r *groupRequest) (*onlineReply, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.stored") {
		return &onlineReply{g.presence.Online(of.ID), int64(of.refresh() / time.Second)}, nil
	}
	if of, err = g.readable(ctx, call, r.GroupID); err != nil {
		return nil, err
	}
	if !of.Type.Yes("online_count.supported") || !memberPresence.Of(call.App) {
		return nil, errRights(of, "count who is online")
	}
	one := &onlineCount{group: of}
	if held, ok := g.online.get(of.ID, g.now()); ok {
		one.number = held
	} else if err := g.counted.Read(ctx, one); err != nil {
		return nil, err
	}
	return &onlineReply{one.number, int64(of.refresh() / time.Second)}, nil
}

// refresh is for how long a number of online members stands.
func (g *Group) refresh() time.Duration {
	return time.Duration(g.Type.Number("online_count.refresh_seconds")) * time.Second
}

// onlineCount is one group whose online members are counted.
type onlineCount struct {
	group  *Group
	number int64
}

// countOnline counts for those that ask together; who asks for the same group gets the same number.
func (g *Groups) countOnline(ctx context.Context, all []*onlineCount) error {
	for _, one := range all {
		if held, ok := g.online.get(one.group.ID, g.now()); ok {
			one.number = held
			continue
		}
		var err error
		if one.number, err = g.countOnlineIn(ctx, one.group.ID); err != nil {
			return err
		}
		g.online.put(one.group.ID, one.number, g.now().Add(one.group.refresh()))
	}
	return nil
}

// countedTogether is how many members one step of a count has.
const countedTogether = 10_000

// countOnlineIn walks over a group's members in steps, so that a large one takes no more memory than a small one.
func (g *Groups) countOnlineIn(ctx context.Context, group int64) (number int64, err error) {
	for after := int64(0); ; {
		ids, err := db.All(ctx, g.db, db.Number, `SELECT account_id FROM group_member
			WHERE group_id = $1 AND account_id > $2 AND role > 0 ORDER BY account_id LIMIT $3`, group, after, countedTogether)
		if err != nil {
			return 0, fmt.Errorf("read members: %w", err)
		}
		accounts := make([]im.AccountID, len(ids))
		for i, id := range ids {
			accounts[i] = im.AccountID(id)
		}
		online, err := g.devices.Online(ctx, accounts)
		if err != nil {
			return 0, err
		}
		number += int64(len(online))
		if len(ids) < countedTogether {
			return number, nil
		}
		after = ids[len(ids)-1]
	}
}

// onlineCounts holds numbers of online members, by the groups' numbers, until they are too old.
type onlineCounts struct {
	mutex sync.Mutex
	held  map[int64]heldCount
}

type heldCount struct {
	number int64
	until  time.Time
}

// mostCounts bounds the groups whose numbers a node holds; above it another one is forgotten.
const mostCounts = 10_000

func (o *onlineCounts) get(group int64, now time.Time) (int64, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	found, ok := o.held[group]
	return found.number, ok && now.Before(found.until)
}

func (o *onlineCounts) put(group, number int64, until time.Time) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.held == nil {
		o.held = map[int64]heldCount{}
	}
	if len(o.held) >= mostCounts {
		for other := range o.held {
			delete(o.held, other)
			break
		}
	}
	o.held[group] = heldCount{number, until}
}
