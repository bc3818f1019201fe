package relation

import (
	"cmp"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/profile"
)

// between is what stands between an account and those whom it adds, in the transaction that adds them.
type between struct {
	mine              map[im.AccountID]*friend // those in the owner's list
	theirs            map[im.AccountID]bool    // those who have the owner in theirs
	blocked, blocking map[im.AccountID]bool    // on the owner's blocklist; those who have the owner on theirs
	allow             map[im.AccountID]string
	asked, asking     map[im.AccountID]*friendRequest // requests of the owner, and to it
	forbidden         bool                            // the owner may not ask anybody
	groups            map[im.AccountID]*groupNames
}

func (r *Relations) between(c *change, ids []im.AccountID) (*between, error) {
	var b between
	owner := c.owner.ID
	if err := b.readLists(c, ids); err != nil {
		return nil, err
	}
	var err error
	if b.asked, err = requestsBy(c.ctx, c.tx, owner, ids); err != nil {
		return nil, err
	}
	if b.asking, err = requestsTo(c.ctx, c.tx, owner, ids); err != nil {
		return nil, err
	}
	if b.allow, err = r.Profiles.Texts(c.ctx, c.tx, profile.TagAllowType, ids); err != nil {
		return nil, err
	}
	forbid, err := r.Profiles.Texts(c.ctx, c.tx, profile.TagAdminForbid, []im.AccountID{owner})
	b.forbidden = forbid[owner] == "AdminForbid_Type_SendOut"
	return &b, err
}

// readLists reads who is in whose list.
func (b *between) readLists(c *change, ids []im.AccountID) (err error) {
	owner := c.owner.ID
	if b.mine, err = friendsNamed(c.ctx, c.tx, owner, ids); err != nil {
		return err
	}
	if b.theirs, err = ownersOf(c.ctx, c.tx, owner, ids); err != nil {
		return err
	}
	if b.blocked, err = blockedBy(c.ctx, c.tx, owner, ids); err != nil {
		return err
	}
	if b.blocking, err = blockersOf(c.ctx, c.tx, owner, ids); err != nil {
		return err
	}
	b.groups, err = groupsOf(c.ctx, c.tx, append([]im.AccountID{owner}, ids...))
	return err
}

// addAll adds those whom nothing speaks against, or asks them.
func (r *Relations) addAll(c *change, a *adding) error {
	with, err := r.between(c, idsOf(a.ready()))
	if err != nil {
		return err
	}
	a.pairs = nil
	var (
		made     []*friend
		requests []*friendRequest
		settled  []*friendRequest
	)
	for _, one := range a.asked {
		if !one.ready {
			continue
		}
		one.outcome = result{To: one.To}
		why := with.against(c, a, one)
		if why == nil {
			var some []*friend
			some, why = with.befriend(c, a, one)
			made = append(made, some...)
			for _, known := range with.settled(some) {
				settled = append(settled, known)
				c.news.settled(a.owner, one.who, known)
			}
		}
		if refusal, ok := im.Refusal(why); ok && refusal.Code == im.CodeFriendPending {
			requests = append(requests, with.request(c, one))
		} else if why != nil && !ok {
			return why
		}
		one.outcome.refuse(why)
	}
	err = c.putFriends(made)
	err = orElse(err, c.dropRequests(settled))
	err = orElse(err, c.putRequests(requests))
	return orElse(err, r.tellAdded(c, "friend_add", a.force, a.pairs))
}

// against says what speaks against a new friend, or that the other has to be asked first.
func (b *between) against(c *change, a *adding, one *asking) error {
	id := one.who.ID
	switch {
	case c.gone(id):
		return errUnknown(one.who.UserID)
	case b.forbidden && a.force == 0:
		return im.Errorf(im.CodeFriendForbidden, "an administrator has forbidden the account to add friends")
	case b.blocked[id]:
		return im.Errorf(im.CodeFriendBlocked, "the account is on the own blocklist")
	case b.blocking[id]:
		return im.Errorf(im.CodeFriendBlocking, "the account has blocked this one")
	case b.mine[id] != nil && (!a.both || b.theirs[id]):
		return im.Errorf(im.CodeFriendAlready, "the account is a friend already")
	}
	if err := b.full(c, a, id); err != nil || a.force == 1 || b.asking[id] != nil { // who asked himself has agreed
		return err
	}
	switch cmp.Or(b.allow[id], allowType.Of(c.call.App)) {
	case denyAny:
		return im.Errorf(im.CodeFriendDenied, "the account takes no friends")
	case needConfirm:
		return b.pending(c, id)
	}
	return nil
}

// full refuses what a friend list has no room for.
func (b *between) full(c *change, a *adding, id im.AccountID) error {
	most := int64(maxFriends.Of(c.call.App))
	if b.mine[id] == nil && c.book().friends >= most {
		return im.Errorf(im.CodeFriendsFull, "the account has its %d friends", most)
	}
	if a.both && !b.theirs[id] && c.books[id].friends >= most {
		return im.Errorf(im.CodeFriendsPeerFull, "the other has his %d friends", most)
	}
	return nil
}

// pending says that the other has to be asked, unless too many requests wait.
func (b *between) pending(c *change, id im.AccountID) error {
	most := int64(maxRequests.Of(c.call.App))
	if b.asked[id] == nil && (c.book().requests >= most || c.books[id].requests >= most) {
		return im.Errorf(im.CodeFriendRequests, "%d requests wait for an answer", most)
	}
	return im.Errorf(im.CodeFriendPending, "the account was asked")
}

// befriend makes the rows of a new friendship that are missing.
func (b *between) befriend(c *change, a *adding, one *asking) ([]*friend, error) {
	var made []*friend
	if b.mine[one.who.ID] == nil {
		mine := &friend{
			owner: a.owner.ID, id: one.who.ID, remark: one.Remark, source: one.Source, wording: one.Wording, custom: "{}", added: c.tx.Now().Unix(),
		}
		if one.Group != "" {
			bit, err := c.groupBits(a.owner.ID, b.groups[a.owner.ID], one.Group)
			if err != nil {
				return nil, err
			}
			mine.groups = bit
		}
		b.mine[one.who.ID] = mine
		made = append(made, mine)
		a.pairs = append(a.pairs, addedPair{pair{a.owner.UserID, one.who.UserID}, a.owner.UserID})
		c.news.added(a.owner.ID, one.who)
	}
	if a.both && !b.theirs[one.who.ID] {
		b.theirs[one.who.ID] = true
		made = append(made, &friend{
			owner: one.who.ID, id: a.owner.ID, source: one.Source, wording: one.Wording, custom: "{}", added: c.tx.Now().Unix(),
		})
		a.pairs = append(a.pairs, addedPair{pair{one.who.UserID, a.owner.UserID}, a.owner.UserID})
		c.news.added(one.who.ID, a.owner)
	}
	for _, f := range made {
		c.number(f)
	}
	return made, nil
}

// settled are the requests that new friends make needless: whoever has somebody in his list need not ask him any more.
func (b *between) settled(made []*friend) []*friendRequest {
	var all []*friendRequest
	for _, f := range made {
		for _, known := range []*friendRequest{b.asked[f.id], b.asking[f.owner]} {
			if known != nil && known.from == f.owner && known.to == f.id {
				all = append(all, known)
			}
		}
	}
	return all
}

// request makes the owner's request to somebody, or has it ask anew.
func (b *between) request(c *change, one *asking) *friendRequest {
	asked := &friendRequest{
		from: c.owner.ID, to: one.who.ID, remark: one.Remark, source: one.Source, wording: one.Wording, group: one.Group,
		asked: c.tx.Now().UnixMilli(),
	}
	c.counted(asked, b.asked[one.who.ID] == nil)
	b.asked[one.who.ID] = asked
	c.news.asked(c.owner, one.who, asked)
	return asked
}
