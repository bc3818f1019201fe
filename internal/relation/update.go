package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type friendUpdate struct {
	To     string  `json:"To_Account"`
	Fields []Field `json:"SnsItem"`
}

type updateRequest struct {
	From    string         `json:"From_Account"`
	Updates []friendUpdate `json:"UpdateItem"`
}

func (r *Relations) updateCommand() command.Command {
	return command.New(spec("friend_update", "change what an account calls its friends", "rest.md#friend_update", both), r.update)
}

func (r *Relations) update(ctx context.Context, call *command.Call, q *updateRequest) (*resultReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(q.Updates))
	for i, one := range q.Updates {
		names[i] = one.To
	}
	named, err := r.peers(ctx, call, names)
	if err != nil {
		return nil, err
	}
	var results []result
	err = r.change(ctx, call, owner, nil, func(c *change) (err error) {
		c.news.except = call.Device
		results, err = c.updateAll(named, q.Updates)
		return err
	})
	if err != nil {
		return nil, err
	}
	return replyOf(results), nil
}

// updateAll changes friends. Each is changed wholly or not at all.
func (c *change) updateAll(named map[string]account.Account, updates []friendUpdate) ([]result, error) {
	owner := c.owner.ID
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	friends, err := friendsNamed(c.ctx, c.tx, owner, ids)
	if err != nil {
		return nil, err
	}
	groups, err := readGroups(c.ctx, c.tx, owner)
	if err != nil {
		return nil, err
	}
	var (
		results []result
		changed []*friend
	)
	for _, one := range updates {
		done := result{To: one.To}
		f := friends[named[one.To].ID]
		if f == nil {
			done.refuse(errNoFriend(one.To))
		} else if err := c.updateOne(f, groups, one); err == nil {
			changed = append(changed, f)
		} else if _, ok := im.Refusal(err); ok {
			done.refuse(err)
		} else {
			return nil, err
		}
		results = append(results, done)
	}
	return results, c.putFriends(distinct(changed))
}

// distinct leaves out repetitions: one statement must not write a row twice.
func distinct(all []*friend) []*friend {
	seen := map[im.AccountID]bool{}
	var kept []*friend
	for _, f := range all {
		if !seen[f.id] {
			seen[f.id] = true
			kept = append(kept, f)
		}
	}
	return kept
}

func errNoFriend(userID string) error {
	return im.Errorf(im.CodeRelationParameter, "%.40q is no friend", userID)
}

// updateOne reads a friend's new fields into f, all or none, and tells of them.
func (c *change) updateOne(f *friend, groups *groupNames, u friendUpdate) error {
	next, own := *f, customOf(f.custom)
	standard, custom := false, false
	told := friendChanged{Account: u.To}
	for _, field := range slices.SortedStableFunc(slices.Values(u.Fields), groupsLast) {
		value, err := c.readField(&next, own, groups, field)
		if err != nil {
			return err
		}
		standard, custom = standard || !isCustom(field.Tag), custom || isCustom(field.Tag)
		told.Fields = append(told.Fields, changedField{field.Tag, value})
	}
	if len(told.Fields) == 0 {
		return im.Errorf(im.CodeRelationParameter, "SnsItem names no field")
	}
	text, err := customText(own)
	if err != nil {
		return err
	}
	*f, f.custom = next, text
	if standard {
		c.book().standardSeq++
	}
	if custom {
		c.book().customSeq++
	}
	e := c.news.about(c.owner.ID, friendsChanged, "")
	told.FieldsLite = told.Fields
	e.Changed = append(e.Changed, told)
	return nil
}

// groupsLast orders fields so that groups are made when nothing else refuses the change.
func groupsLast(one, other Field) int {
	rank := map[bool]int{true: 1}
	return rank[one.Tag == tagGroup] - rank[other.Tag == tagGroup]
}

// readField reads one field into a friend, and gives its value as devices are told it.
func (c *change) readField(f *friend, own map[string]string, groups *groupNames, field Field) (any, error) {
	switch field.Tag {
	case tagRemark:
		if err := wire.Unmarshal(field.Value, &f.remark); err != nil || field.Value.Kind() != '"' {
			return nil, im.Errorf(im.CodeRelationParameter, "%s wants text", tagRemark)
		}
		f.remark = wire.Text(f.remark)
		return f.remark, checkText(tagRemark, f.remark, mostRemark)
	case tagGroup:
		return c.readGroupField(f, groups, field)
	}
	key, value, err := readCustom(customFields.Of(c.call.App), field)
	if err == nil {
		own[key] = value
	}
	return value, err
}

// readGroupField reads the groups that a friend is in from now on; those that do not exist are made.
func (c *change) readGroupField(f *friend, groups *groupNames, field Field) (any, error) {
	var names []string
	if err := wire.Unmarshal(field.Value, &names); err != nil || field.Value.Kind() != '[' {
		return nil, im.Errorf(im.CodeRelationParameter, "%s wants a list of names", tagGroup)
	}
	bits, err := c.groupBits(f.owner, groups, names...)
	if err != nil {
		return nil, err
	}
	f.groups = bits
	return groups.of(bits), nil
}
