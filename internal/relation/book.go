package relation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// book is what an account's relations add up to.
type book struct {
	account                      im.AccountID
	friends, friendLast          int64
	standardSeq, customSeq       int64
	groupSeq                     int64
	requests, requestSeq         int64
	requestsReadAt               int64 // unix milliseconds
	blocked, blockLast           int64
	followers, following, mutual int64
}

const bookColumns = `account_id, friends, friend_last, standard_seq, custom_seq, group_seq, requests, request_seq, requests_read_at,
	blocked, block_last, followers, following, mutual`

func scanBook(row db.Scanner) (*book, error) {
	var b book
	err := row(&b.account, &b.friends, &b.friendLast, &b.standardSeq, &b.customSeq, &b.groupSeq, &b.requests, &b.requestSeq,
		&b.requestsReadAt, &b.blocked, &b.blockLast, &b.followers, &b.following, &b.mutual)
	return &b, err
}

// listed notes a change of the friend list.
func (b *book) listed(by int64) {
	b.friends += by
	b.standardSeq++
	b.customSeq++
}

// readBook reads an account's book; one without relations has an empty one.
func readBook(ctx context.Context, from db.Source, of im.AccountID) (*book, error) {
	b, err := db.One(ctx, from, scanBook, `SELECT `+bookColumns+` FROM relation WHERE account_id = $1`, int64(of))
	if errors.Is(err, db.ErrNotFound) {
		return &book{account: of}, nil
	}
	return b, err
}

// change is a change of relations under way. It locks the rows of all accounts that it names, so that changes of one account are
// made one after the other, and none is made of an account that is deleted meanwhile.
type change struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the transaction's function
	tx    *db.Tx
	call  *command.Call
	owner account.Account
	alive map[im.AccountID]int64
	books map[im.AccountID]*book
	kept  map[im.AccountID]book // as they were read
	news  *news
}

// maxBacks is how often a change begins again because an account was deleted and is back.
const maxBacks = 10

// change has the owner's relations changed, and those of the others with whom. When it returns, their devices are told. Of an account
// that was deleted and is back the old relations go first.
func (r *Relations) change(
	ctx context.Context, call *command.Call, owner account.Account, others []account.Account, do func(*change) error,
) error {
	all := append([]account.Account{owner}, others...)
	for range maxBacks {
		back, err := r.tryChange(ctx, call, all, do)
		if err != nil || len(back) == 0 {
			return err
		}
		if err := r.finishLeaving(ctx, back); err != nil {
			return err
		}
	}
	return im.Errorf(im.CodeRelationInternal, "accounts of this request are deleted and made again all the time")
}

// changeNamed is change with accounts that a request names: do gives what became of each.
func (r *Relations) changeNamed(
	ctx context.Context, call *command.Call, owner account.Account, named map[string]account.Account, do func(*change) ([]result, error),
) (*resultReply, error) {
	var results []result
	err := r.change(ctx, call, owner, slices.Collect(maps.Values(named)), func(c *change) (err error) {
		results, err = do(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return replyOf(results), nil
}

// tryChange changes the relations of accounts, the owner's first, unless some of them, which it returns, have old ones yet.
func (r *Relations) tryChange(
	ctx context.Context, call *command.Call, all []account.Account, do func(*change) error,
) ([]account.Account, error) {
	var (
		told    *news
		refused error
		back    []account.Account
	)
	err := r.DB.Write(ctx, func(tx *db.Tx) error {
		told, refused = newNews(call), nil
		c := &change{ctx: ctx, tx: tx, call: call, owner: all[0], news: told}
		err := c.open(idsOf(all))
		if err != nil {
			return err
		}
		if back, err = c.back(all); err != nil || len(back) > 0 {
			return err
		}
		if _, ok := c.alive[c.owner.ID]; !ok {
			refused = errUnknown(c.owner.UserID)
			return nil
		}
		if err := do(c); err != nil {
			return err
		}
		return c.close()
	})
	if _, ok := im.Refusal(err); ok {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("change relations: %w", err)
	}
	if refused == nil && len(back) == 0 {
		r.push(told)
	}
	return back, refused
}

// back are those of the accounts that were deleted, exist again, and still are in lists that they were in before.
func (c *change) back(all []account.Account) ([]account.Account, error) {
	leaving := map[im.AccountID]bool{}
	err := db.Each(c.ctx, c.tx, func(row db.Scanner) error {
		id, err := db.Number(row)
		leaving[im.AccountID(id)] = true
		return err
	}, `SELECT account_id FROM relation_leaving WHERE account_id IN ($1...)`, db.Ints(idsOf(all)))
	var back []account.Account
	for _, one := range all {
		if leaving[one.ID] && !c.gone(one.ID) {
			back = append(back, one)
		}
	}
	return back, err
}

// open locks the accounts and reads their books.
func (c *change) open(ids []im.AccountID) (err error) {
	if c.alive, err = account.Lock(c.tx, ids); err != nil {
		return err
	}
	c.books, c.kept = make(map[im.AccountID]*book, len(ids)), make(map[im.AccountID]book, len(ids))
	for _, id := range ids {
		c.books[id], c.kept[id] = &book{account: id}, book{account: id}
	}
	return db.Each(c.ctx, c.tx, func(row db.Scanner) error {
		b, err := scanBook(row)
		c.books[b.account], c.kept[b.account] = b, *b
		return err
	}, `SELECT `+bookColumns+` FROM relation WHERE account_id IN ($1...)`, db.Ints(ids))
}

// close writes the books that have changed, but those of deleted accounts, which have none any more.
func (c *change) close() error {
	const width = 15
	var written []*book
	for id, b := range c.books {
		if *b != c.kept[id] && !c.gone(id) {
			written = append(written, b)
		}
	}
	slices.SortFunc(written, func(x, y *book) int { return cmp.Compare(x.account, y.account) })
	return db.Chunks(c.tx, width, written, func(chunk []*book) error {
		args := make([]any, 0, width*len(chunk))
		for _, b := range chunk {
			args = append(args, int64(b.account), int64(c.call.App.ID), b.friends, b.friendLast, b.standardSeq, b.customSeq, b.groupSeq,
				b.requests, b.requestSeq, b.requestsReadAt, b.blocked, b.blockLast, b.followers, b.following, b.mutual)
		}
		_, err := c.tx.Exec(`INSERT INTO relation (account_id, app_id, friends, friend_last, standard_seq, custom_seq, group_seq, requests,
			request_seq, requests_read_at, blocked, block_last, followers, following, mutual)
			VALUES `+db.RowsOf(len(chunk), `(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`)+`
			ON CONFLICT (account_id) DO UPDATE SET friends = excluded.friends, friend_last = excluded.friend_last,
			standard_seq = excluded.standard_seq, custom_seq = excluded.custom_seq, group_seq = excluded.group_seq,
			requests = excluded.requests, request_seq = excluded.request_seq, requests_read_at = excluded.requests_read_at,
			blocked = excluded.blocked, block_last = excluded.block_last, followers = excluded.followers,
			following = excluded.following, mutual = excluded.mutual`, args...)
		return err
	})
}

// book is the owner's.
func (c *change) book() *book { return c.books[c.owner.ID] }

// gone reports whether the account was deleted.
func (c *change) gone(id im.AccountID) bool {
	_, alive := c.alive[id]
	return !alive
}

func idsOf(all []account.Account) []im.AccountID {
	ids := make([]im.AccountID, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	return ids
}
