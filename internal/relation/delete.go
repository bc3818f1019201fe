package relation

import (
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// The values of DeleteType.
const (
	deleteSingle = "Delete_Type_Single"
	deleteBoth   = "Delete_Type_Both"
)

type deleteRequest struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
	Type string   `json:"DeleteType"`
}

func (r *Relations) deleteCommand() command.Command {
	return command.New(spec("friend_delete", "remove friends", "rest.md#friend_delete", both), r.delete)
}

func (r *Relations) delete(ctx context.Context, call *command.Call, q *deleteRequest) (*resultReply, error) {
	if err := checkDelete(q.Type); err != nil {
		return nil, err
	}
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	named, err := r.peers(ctx, call, q.To)
	if err != nil {
		return nil, err
	}
	return r.changeNamed(ctx, call, owner, named, func(c *change) (results []result, err error) {
		removed, err := r.unfriend(c, slices.Collect(maps.Values(named)), q.Type == deleteBoth)
		for _, name := range each(q.To) {
			one := result{To: name}
			if peer, known := named[name]; !known || !removed[peer.ID] {
				one.refuse(im.Errorf(im.CodeFriendNotDeleted, "%.40q is no friend", name))
			}
			results = append(results, one)
		}
		return results, err
	})
}

func checkDelete(kind string) error {
	if kind != "" && kind != deleteSingle && kind != deleteBoth {
		return im.Errorf(im.CodeRelationParameter, "DeleteType is %.40q: want %s or %s", kind, deleteSingle, deleteBoth)
	}
	return nil
}

// unfriend removes accounts from the owner's list, and the owner from theirs. It tells of whom it removed a row.
func (r *Relations) unfriend(c *change, others []account.Account, both bool) (map[im.AccountID]bool, error) {
	owner, ids := c.owner.ID, idsOf(others)
	removed, err := c.take(`DELETE FROM friend WHERE owner_id = $1 AND friend_id IN ($2...) RETURNING friend_id`, owner, ids)
	if err != nil {
		return nil, err
	}
	lost := map[im.AccountID]bool{}
	if both {
		if lost, err = c.take(`DELETE FROM friend WHERE friend_id = $1 AND owner_id IN ($2...) RETURNING owner_id`, owner, ids); err != nil {
			return nil, err
		}
	}
	var pairs []pair
	for _, one := range others {
		if removed[one.ID] {
			c.book().listed(-1)
			c.news.removed(owner, one)
			pairs = append(pairs, pair{c.owner.UserID, one.UserID})
		}
		if lost[one.ID] {
			c.books[one.ID].listed(-1)
			c.news.removed(one.ID, c.owner)
			pairs = append(pairs, pair{one.UserID, c.owner.UserID})
		}
		removed[one.ID] = removed[one.ID] || lost[one.ID]
	}
	return removed, r.tellPairs(c, afterDelete, pairs)
}

// take runs a deletion of some rows between an account and others, and tells which others it was.
func (c *change) take(statement string, who im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	taken := map[im.AccountID]bool{}
	err := c.tx.Returning(func(row db.Scanner) error {
		id, err := db.Number(row)
		taken[im.AccountID(id)] = true
		return err
	}, statement, int64(who), db.Ints(ids))
	return taken, err
}

type deleteAllRequest struct {
	From string `json:"From_Account"`
	Type string `json:"DeleteType"`
}

func (r *Relations) deleteAllCommand() command.Command {
	return command.New(spec("friend_delete_all", "remove all friends of an account", "rest.md#friend_delete_all", command.Administrator), r.deleteAll)
}

// deleteAll removes a bounded number of friends in each transaction, so that nobody else's waits long.
func (r *Relations) deleteAll(ctx context.Context, call *command.Call, q *deleteAllRequest) (*command.None, error) {
	if err := checkDelete(q.Type); err != nil {
		return nil, err
	}
	owner, err := r.owner(ctx, call, q.From)
	for err == nil {
		var some []account.Account
		if some, err = r.some(ctx, owner); err != nil || len(some) == 0 {
			break
		}
		err = r.change(ctx, call, owner, some, func(c *change) error {
			_, err := r.unfriend(c, some, q.Type == deleteBoth)
			return err
		})
	}
	return nil, err
}

// removeRows is what one transaction of a removal takes away at most.
const removeRows = 500

// some are friends of an account, not more than one transaction removes.
func (r *Relations) some(ctx context.Context, owner account.Account) ([]account.Account, error) {
	ids, err := db.All(ctx, r.DB, db.Number, `SELECT friend_id FROM friend WHERE owner_id = $1 LIMIT $2`, int64(owner.ID), removeRows)
	if err != nil {
		return nil, err
	}
	return r.accountsOf(ctx, r.DB, ids)
}

// accountsOf finds accounts by their numbers, deleted ones too.
func (r *Relations) accountsOf(ctx context.Context, from db.Source, numbers []int64) ([]account.Account, error) {
	ids := make([]im.AccountID, len(numbers))
	for i, n := range numbers {
		ids[i] = im.AccountID(n)
	}
	found, err := r.Accounts.ByID(ctx, from, ids)
	all := make([]account.Account, 0, len(found))
	for _, id := range ids {
		if one, ok := found[id]; ok {
			all = append(all, one)
		}
	}
	return all, err
}
