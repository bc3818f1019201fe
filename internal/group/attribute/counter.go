package attribute

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type countersRequest struct {
	GroupID string   `json:"GroupId"`
	Keys    []string `json:"GroupCounterKeys"` // all when it is empty
}

type countersReply struct {
	Counters []counter `json:"GroupCounter"`
	Sequence int64     `json:"GroupCounterSeq"`
}

func (a *Attributes) countersCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_counter", Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "read a group's counters", Section: "rest.md#get_group_counter",
	}, a.counters)
}

func (a *Attributes) counters(ctx context.Context, call *command.Call, r *countersRequest) (*countersReply, error) {
	of, err := a.groups.Allowed(ctx, call, r.GroupID, "counter.read.who")
	if err != nil {
		return nil, err
	}
	reply := &countersReply{Counters: []counter{}}
	err = a.db.InSnapshot(ctx, func(from *db.Snapshot) error {
		now, err := readData(ctx, from, of.ID)
		if err != nil {
			return err
		}
		found, err := readCounters(ctx, from, of.ID)
		for _, one := range found {
			if len(r.Keys) == 0 || slices.Contains(r.Keys, one.Key) {
				reply.Counters = append(reply.Counters, one)
			}
		}
		reply.Sequence = now.counters
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

type countRequest struct {
	GroupID  string    `json:"GroupId"`
	Counters []counter `json:"GroupCounter"`
	Mode     string    `json:"Mode"`
}

type countReply struct {
	Counters []counter `json:"GroupCounter"` // as they are now
}

// featureCounters is the bit that clients look for before they use counters.
const featureCounters command.Feature = 15

func (a *Attributes) countCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "update_group_counter", Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Feature: featureCounters,
		Doc: "set, increase or decrease counters of a group", Section: "rest.md#update_group_counter",
	}, a.count)
}

// The values of Mode. No Mode is modeSet.
const (
	modeSet      = "Set"
	modeIncrease = "Increase"
	modeDecrease = "Decrease"
)

// counting is a change of a group's counters under way.
type counting struct {
	mode  string
	given []counter
	now   []counter // those that were given, as they are then
}

func (a *Attributes) count(ctx context.Context, call *command.Call, r *countRequest) (*countReply, error) {
	of, err := a.groups.Allowed(ctx, call, r.GroupID, "counter.write.who")
	if err != nil {
		return nil, err
	}
	c := &counting{mode: r.Mode}
	if err := c.read(of.Type, r); err != nil {
		return nil, err
	}
	err = a.groups.Hold(ctx, call, of, func(h *group.Held) (refused, err error) {
		now, there, refused, err := a.held(ctx, call, h)
		if refused != nil || err != nil {
			return refused, err
		}
		if refused := c.reckon(h.Group.Type, there); refused != nil {
			return refused, nil
		}
		if err := putCounters(h.Tx, h.Group.ID, c.now); err != nil {
			return nil, err
		}
		return nil, a.counted(h, now, c.change())
	})
	if err != nil {
		return nil, err
	}
	return &countReply{c.now}, nil
}

// read checks what can be checked without the group's counters.
func (c *counting) read(t group.Type, r *countRequest) error {
	switch r.Mode {
	case "":
		c.mode = modeSet
	case modeSet, modeIncrease, modeDecrease:
	default:
		return im.Errorf(im.CodeGroupParameter, "Mode is %.20q: want %s, %s or %s", r.Mode, modeSet, modeIncrease, modeDecrease)
	}
	if most := t.Number("counter.max_keys"); int64(len(r.Counters)) > most {
		return im.Errorf(im.CodeCounterKeys, "GroupCounter has %d counters, at most %d", len(r.Counters), most)
	}
	if len(r.Counters) == 0 {
		return im.Errorf(im.CodeGroupParameter, "GroupCounter is empty")
	}
	for _, one := range r.Counters {
		one.Key = wire.Text(one.Key)
		if most := t.Number("counter.key.max_bytes"); one.Key == "" || int64(len(one.Key)) > most {
			return im.Errorf(im.CodeGroupParameter, "the key %.40q has %d bytes: want 1 to %d", one.Key, len(one.Key), most)
		}
		if slices.ContainsFunc(c.given, func(before counter) bool { return before.Key == one.Key }) {
			return im.Errorf(im.CodeGroupParameter, "the counter %.40q is named twice", one.Key)
		}
		c.given = append(c.given, one)
	}
	return nil
}

// reckon finds what the counters become. One that is not there begins at 0.
func (c *counting) reckon(t group.Type, there []counter) error {
	values := make(map[string]int64, len(there))
	for _, one := range there {
		values[one.Key] = one.Value
	}
	c.now = nil
	for _, one := range c.given {
		value, fits := c.value(values[one.Key], one.Value)
		if !fits {
			return im.Errorf(im.CodeGroupParameter, "the counter %.40q is %d and would leave the numbers of 64 bits", one.Key, values[one.Key])
		}
		values[one.Key] = value
		c.now = append(c.now, counter{one.Key, value})
	}
	if most := t.Number("counter.max_keys"); int64(len(values)) > most {
		return im.Errorf(im.CodeCounterKeys, "the group would have %d counters, at most %d", len(values), most)
	}
	return nil
}

// value is what becomes of one counter, and whether it is a number of 64 bits.
func (c *counting) value(before, given int64) (now int64, fits bool) {
	switch c.mode {
	case modeIncrease:
		now = before + given
		return now, (now >= before) == (given >= 0)
	case modeDecrease:
		now = before - given
		return now, (now <= before) == (given >= 0)
	}
	return given, true
}

// held reads a group's counters for a change of them, while the group is held.
func (a *Attributes) held(ctx context.Context, call *command.Call, h *group.Held) (now data, there []counter, refused, err error) {
	if !h.May("counter.write.who") || !leaves(call, h.By, counterWriters) {
		return now, nil, im.Errorf(im.CodeGroupRights, "you may not change the counters of this group"), nil
	}
	if now, err = readData(ctx, h.Tx, h.Group.ID); err != nil {
		return now, nil, nil, err
	}
	there, err = readCounters(ctx, h.Tx, h.Group.ID)
	return now, there, nil, err
}

// counted stores that counters have changed, and tells the members.
func (a *Attributes) counted(h *group.Held, now data, changed counterChange) error {
	now.counters++
	if err := now.write(h.Tx, h.Group.ID); err != nil {
		return err
	}
	changed.Sequence = now.counters
	return a.pushCounters(h, changed)
}

func (a *Attributes) deleteCountersCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_group_counter", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "delete counters of a group", Section: "rest.md#delete_group_counter",
	}, a.deleteCounters)
}

// deleteCounters deletes the counters that are named, or all. One that is not there is passed over.
func (a *Attributes) deleteCounters(ctx context.Context, call *command.Call, r *countersRequest) (*command.None, error) {
	of, err := a.groups.Allowed(ctx, call, r.GroupID, "counter.write.who")
	if err != nil {
		return nil, err
	}
	err = a.groups.Hold(ctx, call, of, func(h *group.Held) (refused, err error) {
		now, there, refused, err := a.held(ctx, call, h)
		if refused != nil || err != nil {
			return refused, err
		}
		gone := slices.DeleteFunc(there, func(one counter) bool { return len(r.Keys) > 0 && !slices.Contains(r.Keys, one.Key) })
		if len(gone) == 0 {
			return nil, nil
		}
		return nil, a.removed(h, now, gone)
	})
	if err != nil {
		return nil, err
	}
	return nil, nil
}

func (a *Attributes) removed(h *group.Held, now data, gone []counter) error {
	if err := removeCounters(h.Tx, h.Group.ID, keysOf(gone)); err != nil {
		return err
	}
	return a.counted(h, now, counterChange{Kind: countersDeleted, Counters: gone})
}

func keysOf(all []counter) []string {
	keys := make([]string, len(all))
	for i, one := range all {
		keys[i] = one.Key
	}
	return keys
}
