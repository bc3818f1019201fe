package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	blockedQuery  = `SELECT blocked_id FROM block WHERE owner_id = $1 AND blocked_id IN ($2...)`
	blockersQuery = `SELECT owner_id FROM block WHERE blocked_id = $1 AND owner_id IN ($2...)`
)

// blockedBy tells which of the accounts are on an account's blocklist.
func blockedBy(ctx context.Context, from db.Source, owner im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	return flags(ctx, from, blockedQuery, owner, ids)
}

// blockersOf tells which of the accounts have an account on their blocklists.
func blockersOf(ctx context.Context, from db.Source, who im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	return flags(ctx, from, blockersQuery, who, ids)
}

type blockRequest struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
}

func (r *Relations) blockCommand() command.Command {
	return command.New(spec("black_list_add", "put accounts on a blocklist", "rest.md#black_list_add", both), r.block)
}

// block puts accounts on a blocklist. They are friends no more, and neither side's request waits any longer.
func (r *Relations) block(ctx context.Context, call *command.Call, q *blockRequest) (*resultReply, error) {
	r.uses.begin(call.App.ID)
	return r.onBlocklist(ctx, call, q, func(c *change, named map[string]account.Account) ([]result, error) {
		results, fresh, err := c.block(named, each(q.To))
		if err != nil || len(fresh) == 0 {
			return results, err
		}
		if err := r.part(c, fresh); err != nil {
			return nil, err
		}
		return results, r.tellPairs(c, afterBlock, pairsWith(c.owner, fresh))
	})
}

// onBlocklist changes a blocklist by the accounts that a request names.
func (r *Relations) onBlocklist(
	ctx context.Context, call *command.Call, q *blockRequest, do func(*change, map[string]account.Account) ([]result, error),
) (*resultReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	named, err := r.peers(ctx, call, q.To)
	if err != nil {
		return nil, err
	}
	return r.changeNamed(ctx, call, owner, named, func(c *change) ([]result, error) { return do(c, named) })
}

// block writes the rows that are missing, and returns whose they are.
func (c *change) block(named map[string]account.Account, names []string) (results []result, fresh []account.Account, err error) {
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	has, err := blockedBy(c.ctx, c.tx, c.owner.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		one, done := named[name], result{To: name}
		switch most := int64(maxBlocked.Of(c.call.App)); {
		case c.gone(one.ID):
			done.refuse(errUnknown(name))
		case one.ID == c.owner.ID:
			done.refuse(im.Errorf(im.CodeRelationParameter, "nobody blocks himself"))
		case has[one.ID]:
		case c.book().blocked >= most:
			done.refuse(im.Errorf(im.CodeBlocklistFull, "the blocklist has its %d accounts", most))
		default:
			c.book().blocked++
			fresh = append(fresh, one)
			c.news.blocked(c.owner.ID, one)
		}
		results = append(results, done)
	}
	return results, fresh, c.putBlocks(fresh)
}

func (c *change) putBlocks(fresh []account.Account) error {
	const width = 4
	return db.Chunks(c.tx, width, fresh, func(chunk []account.Account) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			c.book().blockLast++
			args = append(args, int64(c.owner.ID), int64(one.ID), c.book().blockLast, c.tx.Now().Unix())
		}
		_, err := c.tx.Exec(`INSERT INTO block (owner_id, blocked_id, number, added_at) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?)`), args...)
		return err
	})
}

// part ends friendships with accounts, and requests on either side.
func (r *Relations) part(c *change, others []account.Account) error {
	if _, err := r.unfriend(c, others, true); err != nil {
		return err
	}
	ids := idsOf(others)
	asked, err := requestsBy(c.ctx, c.tx, c.owner.ID, ids)
	if err != nil {
		return err
	}
	asking, err := requestsTo(c.ctx, c.tx, c.owner.ID, ids)
	if err != nil {
		return err
	}
	var gone []*friendRequest
	for _, one := range others {
		for _, q := range []*friendRequest{asked[one.ID], asking[one.ID]} {
			if q != nil {
				gone = append(gone, q)
				c.news.settled(c.owner, one, q)
			}
		}
	}
	return c.dropRequests(gone)
}

func pairsWith(owner account.Account, others []account.Account) []pair {
	pairs := make([]pair, len(others))
	for i, one := range others {
		pairs[i] = pair{owner.UserID, one.UserID}
	}
	return pairs
}

func (r *Relations) unblockCommand() command.Command {
	return command.New(spec("black_list_delete", "take accounts off a blocklist", "rest.md#black_list_delete", both), r.unblock)
}

func (r *Relations) unblock(ctx context.Context, call *command.Call, q *blockRequest) (*resultReply, error) {
	return r.onBlocklist(ctx, call, q, func(c *change, named map[string]account.Account) ([]result, error) {
		ids := make([]im.AccountID, 0, len(named))
		for _, one := range named {
			ids = append(ids, one.ID)
		}
		taken, err := c.take(`DELETE FROM block WHERE owner_id = $1 AND blocked_id IN ($2...) RETURNING blocked_id`, c.owner.ID, ids)
		if err != nil {
			return nil, err
		}
		var (
			results []result
			freed   []account.Account
		)
		for _, name := range each(q.To) {
			one, known := named[name]
			done := result{To: name}
			switch {
			case !known:
				done.refuse(errUnknown(name))
			case taken[one.ID]:
				c.book().blocked--
				c.book().blockLast++
				freed = append(freed, one)
				c.news.unblocked(c.owner.ID, one)
			}
			results = append(results, done)
		}
		return results, r.tellPairs(c, afterUnblock, pairsWith(c.owner, freed))
	})
}

type blocklistRequest struct {
	From  string      `json:"From_Account"`
	Start wire.Number `json:"StartIndex"`
	Limit wire.Number `json:"MaxLimited"`
}

type blocked struct {
	To    string `json:"To_Account"`
	Added int64  `json:"AddBlackTimeStamp"`
}

type blocklistReply struct {
	Blocked      []blocked `json:"BlackListItem"`
	Next         int64     `json:"StartIndex"`
	Sequence     int64     `json:"CurruentSequence"` // as the wire spells it
	ErrorDisplay string    `json:"ErrorDisplay"`
}

func (r *Relations) blocklistCommand() command.Command {
	return command.New(spec("black_list_get", "page through a blocklist", "rest.md#black_list_get", both), r.blocklist)
}

// blocklist lists who was blocked, in the order in which it happened.
func (r *Relations) blocklist(ctx context.Context, call *command.Call, q *blocklistRequest) (*blocklistReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	sums, err := readBook(ctx, r.DB, owner.ID)
	if err != nil {
		return nil, err
	}
	limit := int64(maxNamed)
	if q.Limit > 0 {
		limit = min(int64(q.Limit), limit)
	}
	var numbers, ids, added []int64
	err = db.Each(ctx, r.DB, func(row db.Scanner) error {
		var number, id, at int64
		err := row(&number, &id, &at)
		numbers, ids, added = append(numbers, number), append(ids, id), append(added, at)
		return err
	}, `SELECT number, blocked_id, added_at FROM block WHERE owner_id = $1 AND number > $2 ORDER BY number LIMIT $3`,
		int64(owner.ID), int64(q.Start), limit+1)
	if err != nil {
		return nil, err
	}
	reply := &blocklistReply{Blocked: []blocked{}, Sequence: sums.blockLast}
	if int64(len(ids)) > limit {
		ids, reply.Next = ids[:limit], numbers[limit-1]
	}
	named, err := r.accountsOf(ctx, r.DB, ids)
	for i, one := range named {
		reply.Blocked = append(reply.Blocked, blocked{one.UserID, added[i]})
	}
	return reply, err
}

type blockCheckReply struct {
	Checked      []checked `json:"BlackListCheckItem"`
	Failed       []string  `json:"Fail_Account,omitempty"`
	ErrorDisplay string    `json:"ErrorDisplay"`
}

func (r *Relations) blockCheckCommand() command.Command {
	return command.New(spec("black_list_check", "tell who has blocked whom", "rest.md#black_list_check", command.Administrator), r.blockCheck)
}

func (r *Relations) blockCheck(ctx context.Context, call *command.Call, q *checkRequest) (*blockCheckReply, error) {
	all, failed, err := r.compare(ctx, call, q, comparing{
		prefix: "BlackCheckResult_Type_", none: "NO", mine: blockedQuery, theirs: blockersQuery,
	})
	return &blockCheckReply{Checked: all, Failed: failed}, err
}
