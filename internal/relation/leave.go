package relation

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// OnDelete removes a deleted account's own lists, which have bounds. In others' lists, which are any number, it stands until they
// are gone through after the deletion. It is an [account.Participant].
func (r *Relations) OnDelete(ctx context.Context, tx *db.Tx, of account.Account) (func(), error) {
	for _, statement := range []string{
		`DELETE FROM friend WHERE owner_id = $1`,
		`DELETE FROM friend_group WHERE owner_id = $1`,
		`DELETE FROM block WHERE owner_id = $1`,
		`DELETE FROM relation WHERE account_id = $1`,
		`INSERT INTO relation_leaving (account_id) VALUES ($1) ON CONFLICT (account_id) DO NOTHING`,
	} {
		if _, err := tx.Exec(statement, int64(of.ID)); err != nil {
			return nil, err
		}
	}
	return func() {
		if err := r.leave(context.WithoutCancel(ctx), of); err != nil {
			r.Log.ErrorContext(ctx, "remove a deleted account from others' lists", telemetry.FieldAccount, of.ID, telemetry.FieldError, err)
		}
	}, nil
}

// FinishLeaving goes on with deleted accounts that a node which stopped has left in others' lists. It is called before the node
// serves.
func (r *Relations) FinishLeaving(ctx context.Context) error {
	ids, err := db.All(ctx, r.DB, db.Number, `SELECT account_id FROM relation_leaving`)
	if err != nil {
		return fmt.Errorf("find deleted accounts in others' lists: %w", err)
	}
	left, err := r.accountsOf(ctx, ids)
	for _, one := range left {
		err = orElse(err, r.leave(ctx, one))
	}
	return err
}

// leave removes an account from others' lists, a bounded number of them in each transaction.
func (r *Relations) leave(ctx context.Context, of account.Account) error {
	for {
		ids, err := db.All(ctx, r.DB, db.Number, `SELECT owner_id FROM friend WHERE friend_id = $1
			UNION SELECT owner_id FROM block WHERE blocked_id = $1
			UNION SELECT from_id FROM friend_request WHERE to_id = $1
			UNION SELECT to_id FROM friend_request WHERE from_id = $1
			UNION SELECT follower_id FROM follow WHERE followed_id = $1
			UNION SELECT followed_id FROM follow WHERE follower_id = $1 LIMIT $2`, int64(of.ID), removeRows)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return r.DB.Write(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(`DELETE FROM relation_leaving WHERE account_id = $1`, int64(of.ID))
				return err
			})
		}
		others, err := r.accountsOf(ctx, ids)
		if err == nil {
			err = r.leaveLists(ctx, of, others)
		}
		if err != nil {
			return err
		}
	}
}

// leaveLists removes an account from the lists of some others, and tells them.
func (r *Relations) leaveLists(ctx context.Context, of account.Account, others []account.Account) error {
	var told *news
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		call := &command.Call{Actor: im.Actor{App: &im.App{ID: of.App}}}
		told = newNews(call)
		c := &change{ctx: ctx, tx: tx, call: call, owner: of, news: told}
		if err := c.open(idsOf(others)); err != nil {
			return err
		}
		for _, step := range leavings() {
			gone, err := c.take(step.statement, of.ID, idsOf(others))
			if err != nil {
				return err
			}
			for _, other := range others {
				if gone[other.ID] {
					step.note(c, c.books[other.ID], other)
				}
			}
		}
		return c.close()
	})
	if err == nil {
		r.push(told)
	}
	return err
}

// leaving removes an account from one kind of others' lists: the statement gives whose lists had it, and note says so in their
// books.
type leaving struct {
	statement string
	note      func(c *change, theirs *book, other account.Account)
}

func leavings() []leaving {
	return []leaving{
		{`DELETE FROM friend WHERE friend_id = $1 AND owner_id IN ($2...) RETURNING owner_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.listed(-1)
				c.news.removed(other.ID, c.owner)
			}},
		{`DELETE FROM block WHERE blocked_id = $1 AND owner_id IN ($2...) RETURNING owner_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.blocked--
				theirs.blockLast++
				c.news.unblocked(other.ID, c.owner)
			}},
		{`DELETE FROM friend_request WHERE from_id = $1 AND to_id IN ($2...) RETURNING to_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.requests--
				theirs.requestSeq++
				c.news.gone(c.owner, other)
			}},
		{`DELETE FROM friend_request WHERE to_id = $1 AND from_id IN ($2...) RETURNING from_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.requests--
				theirs.requestSeq++
				c.news.gone(other, c.owner)
			}},
		{`DELETE FROM follow WHERE followed_id = $1 AND follower_id IN ($2...) AND mutual RETURNING follower_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.following--
				theirs.mutual--
				c.news.followed(other.ID, c.owner, following, -1)
				c.news.followed(other.ID, c.owner, mutually, -1)
			}},
		{`DELETE FROM follow WHERE followed_id = $1 AND follower_id IN ($2...) RETURNING follower_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.following--
				c.news.followed(other.ID, c.owner, following, -1)
			}},
		{`DELETE FROM follow WHERE follower_id = $1 AND followed_id IN ($2...) RETURNING followed_id`,
			func(c *change, theirs *book, other account.Account) {
				theirs.followers--
				c.news.followed(other.ID, c.owner, followers, -1)
			}},
	}
}

// RemoveOf removes relations of accounts that are removed with their application. It is an [account.RemovePart].
func (r *Relations) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (removed int64, err error) {
	for _, statement := range []string{
		`DELETE FROM friend WHERE (owner_id, friend_id) IN
			(SELECT owner_id, friend_id FROM friend WHERE owner_id IN ($1...) LIMIT $2)`,
		`DELETE FROM friend_group WHERE (owner_id, slot) IN
			(SELECT owner_id, slot FROM friend_group WHERE owner_id IN ($1...) LIMIT $2)`,
		`DELETE FROM friend_request WHERE (from_id, to_id) IN
			(SELECT from_id, to_id FROM friend_request WHERE from_id IN ($1...) LIMIT $2)`,
		`DELETE FROM block WHERE (owner_id, blocked_id) IN
			(SELECT owner_id, blocked_id FROM block WHERE owner_id IN ($1...) LIMIT $2)`,
		`DELETE FROM follow WHERE (follower_id, followed_id) IN
			(SELECT follower_id, followed_id FROM follow WHERE follower_id IN ($1...) LIMIT $2)`,
		`DELETE FROM relation WHERE account_id IN (SELECT account_id FROM relation WHERE account_id IN ($1...) LIMIT $2)`,
		`DELETE FROM relation_leaving WHERE account_id IN
			(SELECT account_id FROM relation_leaving WHERE account_id IN ($1...) LIMIT $2)`,
	} {
		some, err := tx.Exec(statement, db.Ints(of), most-removed)
		if removed += some; err != nil || removed >= most {
			return removed, err
		}
	}
	return removed, nil
}
