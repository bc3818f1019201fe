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
	left, err := r.accountsOf(ctx, r.DB, ids)
	for _, one := range left {
		err = orElse(err, r.leave(ctx, one))
	}
	return err
}

// leave removes an account from others' lists, a bounded number of them in each transaction.
func (r *Relations) leave(ctx context.Context, of account.Account) error {
	for done := false; !done; {
		var told *news
		err := r.DB.Write(ctx, func(tx *db.Tx) (err error) {
			told = newNews(&command.Call{Actor: im.Actor{App: &im.App{ID: of.App}}})
			done, err = r.leaveSome(&change{ctx: ctx, tx: tx, call: told.call, owner: of, news: told})
			return err
		})
		if err != nil {
			return err
		}
		r.push(told)
	}
	return nil
}

// leaveSome removes the account from some lists, and reports whether it was in none any more. It holds the account's row of
// relation_leaving: when another node has ended the removal, the account may be back, and what its lists have now is to stay.
func (r *Relations) leaveSome(c *change) (done bool, err error) {
	held, err := c.tx.Exec(`UPDATE relation_leaving SET account_id = account_id WHERE account_id = $1`, int64(c.owner.ID))
	if err != nil || held == 0 {
		return true, err
	}
	ids, err := db.All(c.ctx, c.tx, db.Number, listsOf, int64(c.owner.ID), removeRows)
	if err != nil {
		return false, err
	}
	if len(ids) == 0 {
		_, err := c.tx.Exec(`DELETE FROM relation_leaving WHERE account_id = $1`, int64(c.owner.ID))
		return true, err
	}
	others, err := r.accountsOf(c.ctx, c.tx, ids)
	if err != nil {
		return false, err
	}
	return false, c.leaveLists(others)
}

// listsOf finds accounts that have another in their lists. Each list gives no more than are wanted, so that an account which is in
// very many of them is not looked for in all of them each time.
const listsOf = `SELECT id FROM (SELECT owner_id AS id FROM friend WHERE friend_id = $1 LIMIT $2) AS friends
	UNION SELECT id FROM (SELECT owner_id AS id FROM block WHERE blocked_id = $1 LIMIT $2) AS blocks
	UNION SELECT id FROM (SELECT from_id AS id FROM friend_request WHERE to_id = $1 LIMIT $2) AS asking
	UNION SELECT id FROM (SELECT to_id AS id FROM friend_request WHERE from_id = $1 LIMIT $2) AS asked
	UNION SELECT id FROM (SELECT follower_id AS id FROM follow WHERE followed_id = $1 LIMIT $2) AS followers
	UNION SELECT id FROM (SELECT followed_id AS id FROM follow WHERE follower_id = $1 LIMIT $2) AS followed LIMIT $2`

// leaveLists removes the owner from the lists of some others.
func (c *change) leaveLists(others []account.Account) error {
	if err := c.open(idsOf(others)); err != nil {
		return err
	}
	for _, step := range leavings() {
		gone, err := c.take(step.statement, c.owner.ID, idsOf(others))
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
}

// finishLeaving goes on with the removal of accounts that are back. Without it their new relations would go with the old ones.
func (r *Relations) finishLeaving(ctx context.Context, back []account.Account) error {
	for _, one := range back {
		if err := r.leave(ctx, one); err != nil {
			return fmt.Errorf("remove an account from others' lists: %w", err)
		}
	}
	return nil
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
