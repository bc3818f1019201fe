package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
)

// Held is a group inside a transaction that holds it, for rooms that keep something of the group: changes of the group, and of
// what such rooms keep of it, are made one after the other.
type Held struct {
	Tx *db.Tx
	// Group is as the transaction sees it.
	Group *Group
	// By is the asking account's place in the group; nil of whoever is no member, and at the REST door.
	By *Member

	change *change
}

// May reports whether the asking one is allowed what a rule of the table names.
func (h *Held) May(rule string) bool { return h.change.may(rule) }

// Push has something pushed to the group once the change is on disk, in the order of its messages. What is pushed has left this
// process when Hold returns.
func (h *Held) Push(do func()) { *h.change.news = append(*h.change.news, News{InOrder: do}) }

// Hold runs do in a transaction that holds the group. What do refuses it refuses before it writes anything; it may run twice.
func (g *Groups) Hold(ctx context.Context, call *command.Call, of *Group, do func(h *Held) (refused, err error)) error {
	return g.write(ctx, of.ID, func(tx *db.Tx, news *[]News) (refused, err error) {
		c := &change{ctx: ctx, tx: tx, call: call, news: news}
		if c.group, err = g.lock(tx, of.ID); err != nil {
			return nil, err
		}
		if c.group == nil {
			return ErrUnknown(of.GroupID), nil
		}
		if c.by, err = g.asking(ctx, tx, call, of.ID); err != nil {
			return nil, err
		}
		return do(&Held{Tx: tx, Group: c.group, By: c.by, change: c})
	})
}

// Allowed finds a group in which the asking one is allowed what a rule of the table names, as it stands in the store. It refuses
// others, and names of groups that there are not, with an *im.Error.
func (g *Groups) Allowed(ctx context.Context, call *command.Call, groupID, rule string) (*Group, error) {
	of, err := g.inStore(ctx, call, groupID)
	if err != nil {
		return nil, err
	}
	by, err := g.asking(ctx, g.db, call, of.ID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Allows(rule, standing(call, by)...) {
		return nil, errRights(of, "do this")
	}
	return of, nil
}

// Part removes what a room keeps of a group that is at its end, by the group's number.
type Part func(tx *db.Tx, group int64) error

// OnEnd has parts called when a group is destroyed, or removed with its application. It is for the time before commands are
// served.
func (g *Groups) OnEnd(parts ...Part) { g.parts = parts }

// endParts has the other rooms remove what they keep of the group.
func (g *Groups) endParts(tx *db.Tx, group int64) error {
	for _, remove := range g.parts {
		if err := remove(tx, group); err != nil {
			return err
		}
	}
	return nil
}
