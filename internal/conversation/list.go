package conversation

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// cursors is the cursor that a client sends back to go on. StartIndex counts the conversations that it has, and TopStartIndex
// those of them that are pinned.
type cursors struct {
	TimeStamp     int64 `json:"TimeStamp"`
	StartIndex    int   `json:"StartIndex"`
	TopTimeStamp  int64 `json:"TopTimeStamp"`
	TopStartIndex int   `json:"TopStartIndex"`
}

// pageSize is how many conversations one reply holds.
const pageSize = 100

// row is a conversation in its owner's list.
type row struct {
	choiceKey
	choice
	// time is when the last message was sent, a unix second, and last its id; 0 of a conversation without messages.
	time, last int64
	recent     *chat.Recent  // with another account
	group      *group.Listed // of a group
	empty      bool
}

// rows reads the begin of an account's list in its order: pinned conversations first, and newer ones before older ones; wanted of
// them at least, if there are so many. It is cut at the application's number of recent contacts. The number of statements does not
// depend on that of the conversations.
func (c *Conversations) rows(ctx context.Context, call *command.Call, owner account.Account, wanted int) ([]row, error) {
	most := recentContacts.Of(call.App)
	chosen, err := c.choices(ctx, c.db, owner.ID)
	if err != nil {
		return nil, err
	}
	recent, err := c.chats.Recent(ctx, c.db, owner.ID, chosen.pinnedPeers(), min(most, wanted))
	if err != nil {
		return nil, err
	}
	groups, err := c.groups.ListedOf(ctx, c.db, call.App, owner.ID)
	if err != nil {
		return nil, err
	}
	all := merged(recent, groups, chosen)
	slices.SortFunc(all, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.top(), x.top()), cmp.Compare(y.time, x.time), cmp.Compare(y.last, x.last), cmp.Compare(y.peer, x.peer))
	})
	return all[:min(len(all), most)], nil
}

// merged puts together what the list has, and the pinned conversations with others that have no message.
func merged(recent []chat.Recent, groups []group.Listed, chosen choices) []row {
	all := make([]row, 0, len(recent)+len(groups))
	there := map[choiceKey]bool{}
	add := func(r row) {
		there[r.choiceKey] = true
		if one := chosen[r.choiceKey]; one != nil {
			r.choice = *one
		}
		all = append(all, r)
	}
	for i := range recent {
		r := &recent[i]
		add(row{choiceKey: choiceKey{chat.OneToOne, int64(r.Peer)}, time: r.Order, last: r.Last, recent: r, empty: r.Empty})
	}
	for i := range groups {
		g := &groups[i]
		add(row{choiceKey: choiceKey{chat.Group, g.Group.ID}, time: g.Tail.Time, last: g.Tail.Last, group: g, empty: g.Empty()})
	}
	for key, one := range chosen {
		if one.pinned > 0 && key.kind == chat.OneToOne && !there[key] {
			add(row{choiceKey: key, empty: true})
		}
	}
	return all
}

// pinnedPeers are the accounts with whom an owner has pinned conversations.
func (all choices) pinnedPeers() []im.AccountID {
	var peers []im.AccountID
	for key, one := range all {
		if one.pinned > 0 && key.kind == chat.OneToOne {
			peers = append(peers, im.AccountID(key.peer))
		}
	}
	return peers
}

// top is 1 of a pinned conversation, as TopFlag says it.
func (r *row) top() int {
	if r.pinned > 0 {
		return 1
	}
	return 0
}

// changedAt is when anything of the conversation changed, in unix milliseconds.
func (r *row) changedAt() int64 {
	const second = 1000
	switch {
	case r.recent != nil:
		return max(r.changed, r.recent.Changed)
	case r.group != nil:
		return max(r.changed, r.group.Tail.Changed, (r.group.Member.Changed+1)*second)
	}
	return r.changed
}

// stretch is a part of a list, whether it is the last one, and where the next one begins.
type stretch struct {
	rows []row
	done bool
	next cursors
}

// assist are the bits of AssistFlags: what the caller can do with.
type assist int

// withEmpty asks for conversations without a message too.
const withEmpty assist = 1 << 1

// stretch reads the next part of an account's list of those conversations that changed since a unix millisecond.
func (c *Conversations) stretch(
	ctx context.Context, call *command.Call, owner account.Account, r *listRequest, since int64,
) (*stretch, error) {
	from := max(r.StartIndex, 0)
	wanted := math.MaxInt // where some are left out, nobody knows how many it takes to fill the page
	if r.Assist&withEmpty != 0 && since == 0 && from < recentContacts.Of(call.App) {
		wanted = from + pageSize + 1 // one more, to know whether the page is the last
	}
	all, err := c.rows(ctx, call, owner, wanted)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(one row) bool {
		return one.empty && r.Assist&withEmpty == 0 || one.changedAt() < since
	})
	from = min(from, len(all))
	upTo := min(from+pageSize, len(all))
	s := &stretch{rows: all[from:upTo], done: upTo == len(all), next: cursors{StartIndex: upTo}}
	for i, one := range all[:upTo] {
		s.next.TopStartIndex += one.top()
		if i >= from {
			s.next.TimeStamp = one.time
		}
	}
	return s, nil
}

type listRequest struct {
	From string `json:"From_Account"`
	cursors
	Assist assist `json:"AssistFlags"`
}

// listed is a conversation as back ends read it.
type listed struct {
	Type    int    `json:"Type"`
	To      string `json:"To_Account,omitempty"`
	Group   string `json:"GroupId,omitempty"`
	MsgTime int64  `json:"MsgTime"`
	TopFlag int    `json:"TopFlag"`
}

type listReply struct {
	Items    []listed  `json:"SessionItem"`
	Complete wire.Bool `json:"CompleteFlag"`
	cursors
	ErrorDisplay string `json:"ErrorDisplay"`
}

func (c *Conversations) listCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_list", By: command.Administrator, Family: family(),
		Doc: "list an account's conversations", Section: "rest.md#get_list",
	}, c.list)
}

func (c *Conversations) list(ctx context.Context, call *command.Call, r *listRequest) (*listReply, error) {
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	s, err := c.stretch(ctx, call, owner, r, 0)
	if err != nil {
		return nil, err
	}
	peers, err := c.peers(ctx, s.rows, nil)
	if err != nil {
		return nil, err
	}
	reply := &listReply{Items: []listed{}, Complete: wire.Bool(s.done), cursors: s.next}
	for i := range s.rows {
		one := &s.rows[i]
		it := listed{Type: int(one.kind), MsgTime: one.time, TopFlag: one.top()}
		if one.group != nil {
			it.Group = one.group.Group.GroupID
		} else {
			it.To = peers[im.AccountID(one.peer)].UserID
		}
		reply.Items = append(reply.Items, it)
	}
	return reply, nil
}

// peers finds the peers of conversations and the senders of messages, deleted accounts too.
func (c *Conversations) peers(ctx context.Context, rows []row, last map[int64]*chat.Message) (map[im.AccountID]account.Account, error) {
	ids := make([]im.AccountID, 0, len(rows)+len(last))
	for i := range rows {
		if rows[i].kind == chat.OneToOne {
			ids = append(ids, im.AccountID(rows[i].peer))
		}
	}
	for _, m := range last {
		ids = append(ids, m.From)
	}
	return c.accounts.ByID(ctx, c.db, ids)
}
