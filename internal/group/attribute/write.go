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

// writeRequest is that of all commands that change attributes.
type writeRequest struct {
	GroupID    string  `json:"GroupId"`
	Attributes []given `json:"GroupAttr"`
	// Keys is how some back ends name what is to be deleted.
	Keys []string `json:"AttrKeys"`
	// Main is the sequence of the newest change that the client knows. It is looked at when Control has raceConflict.
	Main    int64    `json:"AttrMainSeq"`
	Control []string `json:"AttrControl"`
}

// given is an attribute in a request, with the sequence by which the client knows it; 0 if it knows none of that key.
type given struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Sequence int64  `json:"seq"`
}

// raceConflict is how a client says that it changes only what it has seen.
const raceConflict = "RaceConflict"

func (r *writeRequest) careful() bool { return slices.Contains(r.Control, raceConflict) }

// writeReply is a client's; a back end gets an envelope alone.
type writeReply struct {
	Main int64     `json:"AttrMainSeq"`
	All  []written `json:"GroupAttrAry,omitempty"`
}

type written struct {
	Key      string `json:"key"`
	Sequence int64  `json:"seq"`
}

// option is what a change does, by its number in events.
type option int

const (
	optionSet    option = 1
	optionMerge  option = 2
	optionClear  option = 3
	optionDelete option = 4
)

// String is the option's name in callbacks.
func (o option) String() string {
	switch o {
	case optionSet:
		return "set"
	case optionMerge:
		return "modify"
	case optionClear:
		return "clear"
	case optionDelete:
	}
	return "delete"
}

func (a *Attributes) setCommand() command.Command {
	return a.writeCommand("set_group_attr", "replace a group's attributes", optionSet)
}

func (a *Attributes) mergeCommand() command.Command {
	return a.writeCommand("modify_group_attr", "set some attributes of a group", optionMerge)
}

func (a *Attributes) deleteCommand() command.Command {
	return a.writeCommand("delete_group_attr", "delete some attributes of a group", optionDelete)
}

func (a *Attributes) clearCommand() command.Command {
	return a.writeCommand("clear_group_attr", "delete all attributes of a group", optionClear)
}

func (a *Attributes) writeCommand(name, doc string, o option) command.Command {
	return command.New(command.Spec{
		Service: service, Name: name, Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: doc, Section: "rest.md#" + name,
	}, func(ctx context.Context, call *command.Call, r *writeRequest) (*writeReply, error) {
		return a.write(ctx, call, r, o)
	})
}

// writing is a change of a group's attributes under way.
type writing struct {
	option  option
	request *writeRequest
	given   []given // one of a key
	data    data
	there   []attribute
}

func (a *Attributes) write(ctx context.Context, call *command.Call, r *writeRequest, o option) (*writeReply, error) {
	of, err := a.groups.Allowed(ctx, call, r.GroupID, "attribute.write.who")
	if err != nil {
		return nil, err
	}
	w := &writing{option: o, request: r}
	if err := w.read(of.Type); err != nil {
		return nil, err
	}
	if err := a.groups.Hold(ctx, call, of, func(h *group.Held) (refused, err error) { return a.change(ctx, call, h, w) }); err != nil {
		return nil, err
	}
	if call.Admin() {
		return nil, nil //nolint:nilnil // an envelope alone
	}
	reply := &writeReply{Main: w.data.attributes}
	if o == optionSet || o == optionMerge {
		for _, one := range w.given {
			reply.All = append(reply.All, written{one.Key, w.data.attributes})
		}
	}
	return reply, nil
}

// read checks what can be checked without the group's attributes. Of a key that is named twice the last one counts.
func (w *writing) read(t group.Type) error {
	all := w.request.Attributes
	if w.option == optionDelete {
		for _, key := range w.request.Keys {
			all = append(all, given{Key: key})
		}
	}
	if w.option == optionClear {
		all = nil
	}
	if most := t.Number("attribute.max_keys"); int64(len(all)) > most {
		return im.Errorf(im.CodeAttributeKeys, "GroupAttr has %d attributes, at most %d", len(all), most)
	}
	if len(all) == 0 && (w.option == optionMerge || w.option == optionDelete) {
		return im.Errorf(im.CodeGroupParameter, "GroupAttr is empty")
	}
	for _, one := range all {
		one.Key, one.Value = wire.Text(one.Key), wire.Text(one.Value)
		if most := t.Number("attribute.key.max_bytes"); one.Key == "" || int64(len(one.Key)) > most {
			return im.Errorf(im.CodeAttributeKey, "the key %.40q has %d bytes: want 1 to %d", one.Key, len(one.Key), most)
		}
		if most := t.Number("attribute.value.max_bytes"); int64(len(one.Value)) > most {
			return im.Errorf(im.CodeAttributeValue, "the value of %.40q has %d bytes, at most %d", one.Key, len(one.Value), most)
		}
		w.given = slices.DeleteFunc(w.given, func(before given) bool { return before.Key == one.Key })
		w.given = append(w.given, one)
	}
	return nil
}

// change writes what was read, while the group is held.
func (a *Attributes) change(ctx context.Context, call *command.Call, h *group.Held, w *writing) (refused, err error) {
	if !h.May("attribute.write.who") || !leaves(call, h.By, attributeWriters) {
		return im.Errorf(im.CodeGroupRights, "you may not change the attributes of this group"), nil
	}
	if w.data, err = readData(ctx, h.Tx, h.Group.ID); err != nil {
		return nil, err
	}
	if w.there, err = readAttributes(ctx, h.Tx, h.Group.ID); err != nil {
		return nil, err
	}
	if refused := w.check(h.Group.Type, h.Tx.Now().Unix()); refused != nil {
		return refused, nil
	}
	w.data.attributes++
	if err := w.data.write(h.Tx, h.Group.ID); err != nil {
		return nil, err
	}
	if err := w.store(h.Tx, h.Group.ID); err != nil {
		return nil, err
	}
	if err := a.pushAttributes(call, h, w); err != nil {
		return nil, err
	}
	return nil, a.tell(call, h, w)
}

// check holds the change against what is there, and counts it.
func (w *writing) check(t group.Type, second int64) error {
	if w.data.second != second {
		w.data.second, w.data.inSecond = second, 0
	}
	if w.data.inSecond++; w.data.inSecond > t.Number("attribute.writes_per_second") {
		return im.Errorf(im.CodeAttributeRate, "the attributes of a group change %d times a second at most", t.Number("attribute.writes_per_second"))
	}
	if w.option == optionDelete {
		for _, one := range w.given {
			if w.sequenceOf(one.Key) == 0 {
				return im.Errorf(im.CodeAttributeUnknown, "the group has no attribute %.40q", one.Key)
			}
		}
	}
	if err := w.checkRace(); err != nil {
		return err
	}
	return w.checkSize(t)
}

// checkRace refuses a client that has not seen what it changes: all attributes, or those that it names.
func (w *writing) checkRace() error {
	if !w.request.careful() {
		return nil
	}
	if w.option == optionSet || w.option == optionClear {
		if w.request.Main != w.data.attributes {
			return im.Errorf(im.CodeAttributeChanged, "the attributes have the sequence %d, and you know %d: read them first",
				w.data.attributes, w.request.Main)
		}
		return nil
	}
	for _, one := range w.given {
		if now := w.sequenceOf(one.Key); now != one.Sequence {
			return im.Errorf(im.CodeAttributeChanged, "the attribute %.40q has the sequence %d, and you know %d: read it first", one.Key, now, one.Sequence)
		}
	}
	return nil
}

// sequenceOf is 0 of an attribute that is not there.
func (w *writing) sequenceOf(key string) int64 {
	for _, one := range w.there {
		if one.key == key {
			return one.sequence
		}
	}
	return 0
}

// checkSize bounds what the group has after a change that adds to it.
func (w *writing) checkSize(t group.Type) error {
	sizes := map[string]int{}
	if w.option == optionMerge {
		for _, one := range w.there {
			sizes[one.key] = len(one.value)
		}
	}
	if w.option == optionMerge || w.option == optionSet {
		for _, one := range w.given {
			sizes[one.Key] = len(one.Value)
		}
	}
	total := 0
	for _, size := range sizes {
		total += size
	}
	if most := t.Number("attribute.max_keys"); int64(len(sizes)) > most {
		return im.Errorf(im.CodeAttributeKeys, "the group would have %d attributes, at most %d", len(sizes), most)
	}
	if most := t.Number("attribute.total.max_bytes"); int64(total) > most {
		return im.Errorf(im.CodeAttributeTotal, "the values would have %d bytes together, at most %d", total, most)
	}
	return nil
}

// store writes and deletes, in a fixed number of statements.
func (w *writing) store(tx *db.Tx, group int64) error {
	var gone []string
	for _, one := range w.there {
		if w.option == optionSet || w.option == optionClear {
			gone = append(gone, one.key)
		}
	}
	var put []attribute
	for _, one := range w.given {
		if w.option == optionDelete {
			gone = append(gone, one.Key)
		} else {
			put = append(put, attribute{one.Key, one.Value, w.data.attributes})
		}
	}
	if len(gone) > 0 {
		if err := removeAttributes(tx, group, gone); err != nil {
			return err
		}
	}
	return putAttributes(tx, group, put)
}
