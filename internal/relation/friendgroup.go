package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type groupsRequest struct {
	From   string   `json:"From_Account"`
	Groups []string `json:"GroupName"`
	To     []string `json:"To_Account"`
	Need   string   `json:"NeedFriend"`
}

type groupsReply struct {
	Results      []result `json:"ResultItem"`
	Failed       []string `json:"Fail_Account,omitempty"`
	Sequence     int64    `json:"CurrentSequence"`
	ErrorDisplay string   `json:"ErrorDisplay"`
}

func (r *Relations) groupCommands() []command.Command {
	return []command.Command{
		command.New(spec("group_add", "make friend groups", "rest.md#group_add", both), r.addGroups),
		command.New(spec("group_delete", "delete friend groups", "rest.md#group_delete", both), r.deleteGroups),
		command.New(spec("group_get", "list friend groups", "rest.md#group_get", both), r.listGroups),
		command.New(spec("group_update", "rename a friend group, or change who is in it", "wire.md#friends", command.Account), r.updateGroup),
	}
}

// checkGroups bounds the names that a request gives.
func checkGroups(names []string) error {
	if len(names) == 0 || len(names) > mostSlots {
		return im.Errorf(im.CodeRelationParameter, "%d friend groups in one call: want 1 to %d", len(names), mostSlots)
	}
	return nil
}

// regrouping is a change of friend groups: by whom, and the friends that a request names.
type regrouping struct {
	owner account.Account
	named map[string]account.Account
}

func (r *Relations) regrouping(ctx context.Context, call *command.Call, q *groupsRequest) (*regrouping, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	g := &regrouping{owner: owner}
	if len(q.To) > 0 {
		g.named, err = r.peers(ctx, call, q.To)
	}
	return g, err
}

// addGroups makes the groups that are missing, and puts friends into all of them.
func (r *Relations) addGroups(ctx context.Context, call *command.Call, q *groupsRequest) (*groupsReply, error) {
	if err := checkGroups(q.Groups); err != nil {
		return nil, err
	}
	g, err := r.regrouping(ctx, call, q)
	if err != nil {
		return nil, err
	}
	reply := &groupsReply{}
	err = r.change(ctx, call, g.owner, nil, func(c *change) error {
		c.news.except = call.Device
		names, err := readGroups(c.ctx, c.tx, g.owner.ID)
		if err != nil {
			return err
		}
		bits, err := c.groupBits(g.owner.ID, names, q.Groups...)
		if err != nil {
			return err
		}
		moved := make([]move, 0, len(q.To))
		for _, name := range each(q.To) {
			moved = append(moved, move{name, bits, 0})
		}
		reply.Results, err = c.regroup(g, names, moved)
		reply.Sequence = c.book().groupSeq
		return err
	})
	if err != nil {
		return nil, err
	}
	reply.Failed = replyOf(reply.Results).Failed
	return reply, nil
}

// move puts one friend into groups, and takes it out of others.
type move struct {
	name      string
	into, out int64 // bits of groups
}

// regroup moves friends, and tells the other devices in which groups they are now.
func (c *change) regroup(g *regrouping, names *groupNames, moves []move) ([]result, error) {
	ids := make([]im.AccountID, 0, len(g.named))
	for _, one := range g.named {
		ids = append(ids, one.ID)
	}
	friends, err := friendsNamed(c.ctx, c.tx, c.owner.ID, ids)
	if err != nil {
		return nil, err
	}
	results, changed := []result{}, []*friend(nil)
	for _, one := range moves {
		done := result{To: one.name}
		if f := friends[g.named[one.name].ID]; f == nil {
			done.refuse(errNoFriend(one.name))
		} else {
			f.groups = f.groups&^one.out | one.into
			changed = append(changed, f)
		}
		results = append(results, done)
	}
	changed = distinct(changed)
	for _, f := range changed {
		c.regrouped(nameOf(g.named, f.id), names.of(f.groups))
	}
	if len(changed) > 0 {
		c.book().groupSeq++
		c.book().standardSeq++
	}
	return results, c.putFriends(changed)
}

func nameOf(named map[string]account.Account, id im.AccountID) string {
	for name, one := range named {
		if one.ID == id {
			return name
		}
	}
	return ""
}

// regrouped tells of the groups of one friend.
func (c *change) regrouped(userID string, groups []string) {
	fields := []changedField{{tagGroup, groups}}
	e := c.news.about(c.owner.ID, friendsChanged, "")
	e.Changed = append(e.Changed, friendChanged{userID, fields, fields})
}

// deleteGroups deletes groups; the friends stay.
func (r *Relations) deleteGroups(ctx context.Context, call *command.Call, q *groupsRequest) (*groupsReply, error) {
	if err := checkGroups(q.Groups); err != nil {
		return nil, err
	}
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	reply := &groupsReply{Results: []result{}}
	err = r.change(ctx, call, owner, nil, func(c *change) error {
		c.news.except = call.Device
		names, err := readGroups(c.ctx, c.tx, owner.ID)
		if err != nil {
			return err
		}
		bits := int64(0)
		for slot, name := range names {
			if name != "" && slices.Contains(q.Groups, name) {
				bits |= 1 << slot
				names[slot] = ""
			}
		}
		if bits != 0 {
			err = r.dropGroups(c, names, bits)
		}
		reply.Sequence = c.book().groupSeq
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// dropGroups removes groups, and tells of those that were in them. names has them no more.
func (r *Relations) dropGroups(c *change, names *groupNames, bits int64) error {
	rest := map[im.AccountID]int64{}
	var ids []im.AccountID
	err := c.tx.Returning(func(row db.Scanner) error {
		var (
			id   im.AccountID
			left int64
		)
		err := row(&id, &left)
		rest[id], ids = left, append(ids, id)
		return err
	}, `UPDATE friend SET group_bits = group_bits & $2 WHERE owner_id = $1 AND group_bits & $3 <> 0 RETURNING friend_id, group_bits`,
		int64(c.owner.ID), ^bits, bits)
	if err != nil {
		return err
	}
	left, err := r.Accounts.ByID(c.ctx, c.tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c.regrouped(left[id].UserID, names.of(rest[id]))
	}
	var slots []int64
	for slot := range int64(mostSlots) {
		if bits&(1<<slot) != 0 {
			slots = append(slots, slot)
		}
	}
	if _, err := c.tx.Exec(`DELETE FROM friend_group WHERE owner_id = $1 AND slot IN ($2...)`, int64(c.owner.ID), db.Ints(slots)); err != nil {
		return err
	}
	c.book().groupSeq++
	c.book().standardSeq++
	return nil
}
