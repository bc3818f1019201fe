package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type importedFriend struct {
	To      string      `json:"To_Account"`
	Source  string      `json:"AddSource"`
	Remark  string      `json:"Remark"`
	Groups  []string    `json:"GroupName"`
	Wording string      `json:"AddWording"`
	Time    wire.Number `json:"AddTime"` // unix seconds; 0 is now
	Custom  []Field     `json:"CustomItem"`
}

type importRequest struct {
	From    string           `json:"From_Account"`
	Friends []importedFriend `json:"AddFriendItem"`
}

func (r *Relations) importCommand() command.Command {
	return command.New(spec("friend_import", "write friends into an account's list", "rest.md#friend_import", command.Administrator), r.importAll)
}

// importAll writes one list: nobody is asked, and no callback tells of it. A friend that is there already is written anew.
func (r *Relations) importAll(ctx context.Context, call *command.Call, q *importRequest) (*resultReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(q.Friends))
	for i, one := range q.Friends {
		names[i] = one.To
	}
	if err := checkCount(len(names)); err != nil {
		return nil, err
	}
	named, err := r.Accounts.FindMany(ctx, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	return r.changeNamed(ctx, call, owner, named, func(c *change) ([]result, error) { return c.importAll(named, q.Friends) })
}

func (c *change) importAll(named map[string]account.Account, friends []importedFriend) ([]result, error) {
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	has, err := friendsNamed(c.ctx, c.tx, c.owner.ID, ids)
	if err != nil {
		return nil, err
	}
	groups, err := readGroups(c.ctx, c.tx, c.owner.ID)
	if err != nil {
		return nil, err
	}
	var (
		results []result
		written []*friend
	)
	for _, one := range friends {
		done := result{To: one.To}
		f, err := c.imported(named, has, groups, one)
		if _, refused := im.Refusal(err); err != nil && !refused {
			return nil, err
		}
		if done.refuse(err); err == nil {
			written = append(written, f)
		}
		results = append(results, done)
	}
	return results, c.putFriends(distinct(written))
}

// imported makes one friend, or refuses.
func (c *change) imported(named map[string]account.Account, has map[im.AccountID]*friend, groups *groupNames, one importedFriend) (*friend, error) {
	who, known := named[one.To]
	switch most := int64(maxFriends.Of(c.call.App)); {
	case !known || c.gone(who.ID) && who.ID != c.owner.ID:
		return nil, errUnknown(one.To)
	case who.ID == c.owner.ID:
		return nil, im.Errorf(im.CodeRelationParameter, "nobody is a friend of himself")
	case has[who.ID] == nil && c.book().friends >= most:
		return nil, im.Errorf(im.CodeFriendsFull, "the account has its %d friends", most)
	}
	f := friend{
		owner: c.owner.ID, id: who.ID, remark: wire.Text(one.Remark), source: one.Source, wording: wire.Text(one.Wording), added: int64(one.Time),
	}
	if now := c.tx.Now().Unix(); f.added <= 0 || f.added > now {
		f.added = now
	}
	if err := c.readImported(&f, groups, one); err != nil {
		return nil, err
	}
	if kept := has[who.ID]; kept != nil {
		f.number = kept.number
		c.book().listed(0)
		*kept = f
		return kept, nil
	}
	c.number(&f)
	has[who.ID] = &f
	c.news.added(c.owner.ID, who)
	return &f, nil
}

func (c *change) readImported(f *friend, groups *groupNames, one importedFriend) error {
	err := checkSource(f.source)
	err = orElse(err, checkText("Remark", f.remark, mostRemark))
	if err = orElse(err, checkText("AddWording", f.wording, mostWording)); err != nil {
		return err
	}
	own := map[string]string{}
	for _, field := range one.Custom {
		key, value, err := readCustom(customFields.Of(c.call.App), field)
		if err != nil {
			return err
		}
		own[key] = value
	}
	if f.custom, err = customText(own); err != nil {
		return err
	}
	f.groups, err = c.groupBits(f.owner, groups, one.Groups...)
	return err
}
