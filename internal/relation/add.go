package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The values of AddType.
const (
	addSingle = "Add_Type_Single"
	addBoth   = "Add_Type_Both"
)

type addRequest struct {
	From    string        `json:"From_Account"`
	Friends []askedFriend `json:"AddFriendItem"`
	Type    string        `json:"AddType"`
	Force   wire.Number   `json:"ForceAddFlags"`
}

func (r *Relations) addCommand() command.Command {
	return command.New(spec("friend_add", "add friends, or ask to", "rest.md#friend_add", both), r.add)
}

// adding is an account that adds friends.
type adding struct {
	owner account.Account
	both  bool
	force int // 1: an administrator does not ask those who are added
	asked []*asking
	named map[string]account.Account
	pairs []addedPair
}

// asking is one who is added, and what becomes of it.
type asking struct {
	askedFriend
	outcome result
	who     account.Account
	// ready says that nothing spoke against it before the transaction.
	ready bool
}

func (a *adding) kind() string {
	if a.both {
		return addBoth
	}
	return addSingle
}

func (r *Relations) add(ctx context.Context, call *command.Call, q *addRequest) (*resultReply, error) {
	a, err := r.adding(ctx, call, q)
	if err != nil {
		return nil, err
	}
	said, err := r.askAdd(ctx, call, a)
	if err != nil {
		return nil, err
	}
	for _, one := range a.asked {
		if why := said[one.To]; why != nil && one.ready {
			one.ready = false
			one.outcome.refuse(why)
		}
	}
	wanted := a.ready()
	if len(wanted) > 0 {
		err = r.change(ctx, call, a.owner, wanted, func(c *change) error { return r.addAll(c, a) })
	}
	return replyOf(a.results()), err
}

// adding checks a request.
func (r *Relations) adding(ctx context.Context, call *command.Call, q *addRequest) (*adding, error) {
	if q.Type != "" && q.Type != addSingle && q.Type != addBoth {
		return nil, im.Errorf(im.CodeRelationParameter, "AddType is %.40q: want %s or %s", q.Type, addSingle, addBoth)
	}
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	a := &adding{owner: owner, both: q.Type != addSingle}
	if call.Admin() && q.Force == 1 {
		a.force = 1
	}
	names := make([]string, len(q.Friends))
	for i, one := range q.Friends {
		names[i] = one.To
	}
	if err := checkCount(len(names)); err != nil {
		return nil, err
	}
	if a.named, err = r.Accounts.FindMany(ctx, call.App.ID, names); err != nil {
		return nil, err
	}
	for _, one := range q.Friends {
		a.ask(one)
	}
	return a, nil
}

// ask checks one who is added. Somebody who is named twice is added once.
func (a *adding) ask(one askedFriend) {
	for _, text := range []*string{&one.Remark, &one.Group, &one.Wording} {
		*text = wire.Text(*text)
	}
	if slices.ContainsFunc(a.asked, func(other *asking) bool { return other.To == one.To }) {
		return
	}
	who, known := a.named[one.To]
	asked := &asking{askedFriend: one, outcome: result{To: one.To}, who: who}
	asked.outcome.refuse(a.check(&one, known))
	asked.ready = asked.outcome.Code == im.CodeOK
	a.asked = append(a.asked, asked)
}

func (a *adding) check(one *askedFriend, known bool) error {
	switch {
	case !known:
		return errUnknown(one.To)
	case one.To == a.owner.UserID:
		return im.Errorf(im.CodeRelationParameter, "nobody is a friend of himself")
	}
	err := checkSource(one.Source)
	err = orElse(err, checkText("Remark", one.Remark, mostRemark))
	err = orElse(err, checkText("AddWording", one.Wording, mostWording))
	return orElse(err, checkText("GroupName", one.Group, mostGroup))
}

// ready are those whom nothing speaks against before the transaction.
func (a *adding) ready() []account.Account {
	var all []account.Account
	for _, one := range a.asked {
		if one.ready {
			all = append(all, one.who)
		}
	}
	return all
}

func (a *adding) results() []result {
	all := make([]result, len(a.asked))
	for i, one := range a.asked {
		all[i] = one.outcome
	}
	return all
}
