package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type groupMove struct {
	To   string `json:"To_Account"`
	Type string `json:"UpdateType"`
}

type groupUpdate struct {
	Old   string      `json:"GroupOldName"`
	New   string      `json:"GroupNewName"`
	Moves []groupMove `json:"UpdateGroupItem"`
}

// The values of UpdateType.
const (
	intoGroup = "Update_Type_Add"
	outOf     = "Update_Type_Delete"
)

type moved struct {
	result
	Type string `json:"UpdateType"`
}

type groupUpdateReply struct {
	Results  []moved `json:"ResultItem"`
	Sequence int64   `json:"CurrentSequence"`
}

// updateGroup renames a group, or moves friends into it or out of it.
func (r *Relations) updateGroup(ctx context.Context, call *command.Call, q *groupUpdate) (*groupUpdateReply, error) {
	to := make([]string, len(q.Moves))
	for i, one := range q.Moves {
		if to[i] = one.To; one.Type != intoGroup && one.Type != outOf {
			return nil, im.Errorf(im.CodeRelationParameter, "UpdateType is %.40q: want %s or %s", one.Type, intoGroup, outOf)
		}
	}
	g, err := r.regrouping(ctx, call, &groupsRequest{To: to})
	if err != nil {
		return nil, err
	}
	reply := &groupUpdateReply{Results: []moved{}}
	err = r.change(ctx, call, g.owner, nil, func(c *change) error {
		c.news.except = call.Device
		names, err := readGroups(c.ctx, c.tx, g.owner.ID)
		if err != nil {
			return err
		}
		bit := names.bit(q.Old)
		if bit == 0 {
			return im.Errorf(im.CodeRelationParameter, "there is no friend group %.40q", q.Old)
		}
		if err := c.rename(names, bit, q); err != nil {
			return err
		}
		reply.Results, err = c.moveAll(g, names, bit, q.Moves)
		reply.Sequence = c.book().groupSeq
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// rename gives a group its new name, if there is one.
func (c *change) rename(names *groupNames, bit int64, q *groupUpdate) error {
	name := wire.Text(q.New)
	if name == "" || name == q.Old {
		return nil
	}
	if err := checkGroupName(name); err != nil {
		return err
	}
	if names.bit(name) != 0 {
		return im.Errorf(im.CodeRelationParameter, "there is a friend group %.40q already", name)
	}
	slot := slices.Index(names[:], q.Old)
	names[slot] = name
	c.book().groupSeq++
	c.book().standardSeq++
	_, err := c.tx.Exec(`UPDATE friend_group SET name = $3 WHERE owner_id = $1 AND slot = $2`, int64(c.owner.ID), int64(slot), name)
	return err
}

func (c *change) moveAll(g *regrouping, names *groupNames, bit int64, given []groupMove) ([]moved, error) {
	moves := make([]move, len(given))
	for i, one := range given {
		if moves[i] = (move{name: one.To, into: bit}); one.Type == outOf {
			moves[i] = move{name: one.To, out: bit}
		}
	}
	results, err := c.regroup(g, names, moves)
	all := make([]moved, len(results))
	for i, one := range results {
		all[i] = moved{one, given[i].Type}
	}
	return all, err
}
