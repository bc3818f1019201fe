package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// friendRequest is an account that asks another to become friends.
type friendRequest struct {
	from, to                       im.AccountID
	remark, source, wording, group string
	asked                          int64 // unix milliseconds
}

const requestColumns = `from_id, to_id, remark, source, wording, group_name, asked_at`

func scanRequest(row db.Scanner) (*friendRequest, error) {
	var q friendRequest
	err := row(&q.from, &q.to, &q.remark, &q.source, &q.wording, &q.group, &q.asked)
	return &q, err
}

// requestsBy reads an account's requests to some others.
func requestsBy(ctx context.Context, from db.Source, who im.AccountID, ids []im.AccountID) (map[im.AccountID]*friendRequest, error) {
	rows, err := db.All(ctx, from, scanRequest, `SELECT `+requestColumns+` FROM friend_request WHERE from_id = $1 AND to_id IN ($2...)`,
		int64(who), db.Ints(ids))
	found := make(map[im.AccountID]*friendRequest, len(rows))
	for _, one := range rows {
		found[one.to] = one
	}
	return found, err
}

// requestsTo reads the requests of some others to an account.
func requestsTo(ctx context.Context, from db.Source, who im.AccountID, ids []im.AccountID) (map[im.AccountID]*friendRequest, error) {
	rows, err := db.All(ctx, from, scanRequest, `SELECT `+requestColumns+` FROM friend_request WHERE to_id = $1 AND from_id IN ($2...)`,
		int64(who), db.Ints(ids))
	found := make(map[im.AccountID]*friendRequest, len(rows))
	for _, one := range rows {
		found[one.from] = one
	}
	return found, err
}

// counted notes a request in the books of both.
func (c *change) counted(q *friendRequest, fresh bool) {
	for _, b := range []*book{c.books[q.from], c.books[q.to]} {
		b.requestSeq++
		if fresh {
			b.requests++
		}
	}
}

func (c *change) putRequests(all []*friendRequest) error {
	const width = 7
	return db.Chunks(c.tx, width, all, func(chunk []*friendRequest) error {
		args := make([]any, 0, width*len(chunk))
		for _, q := range chunk {
			args = append(args, int64(q.from), int64(q.to), q.remark, q.source, q.wording, q.group, q.asked)
		}
		_, err := c.tx.Exec(`INSERT INTO friend_request (`+requestColumns+`) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?,?,?,?)`)+`
			ON CONFLICT (from_id, to_id) DO UPDATE SET remark = excluded.remark, source = excluded.source, wording = excluded.wording,
			group_name = excluded.group_name, asked_at = excluded.asked_at`, args...)
		return err
	})
}

// dropRequests removes requests between the owner and others.
func (c *change) dropRequests(all []*friendRequest) error {
	if len(all) == 0 {
		return nil
	}
	var froms, tos []im.AccountID
	for _, q := range all {
		for _, b := range []*book{c.books[q.from], c.books[q.to]} {
			b.requests--
			b.requestSeq++
		}
		if q.from == c.owner.ID {
			tos = append(tos, q.to)
		} else {
			froms = append(froms, q.from)
		}
	}
	owner := int64(c.owner.ID)
	if _, err := c.tx.Exec(`DELETE FROM friend_request WHERE from_id = $1 AND to_id IN ($2...)`, owner, db.Ints(tos)); err != nil {
		return err
	}
	_, err := c.tx.Exec(`DELETE FROM friend_request WHERE to_id = $1 AND from_id IN ($2...)`, owner, db.Ints(froms))
	return err
}

// The values of PendencyType: requests to an account, its own, and both.
const (
	kindReceived = "Pendency_Type_ComeIn"
	kindSent     = "Pendency_Type_SendOut"
	kindBoth     = "Pendency_Type_Both"
)

// asked tells both sides of a request.
func (n *news) asked(from, to account.Account, q *friendRequest) {
	tell := func(whom, about account.Account, kind string) {
		e := n.about(whom.ID, requestsMade, from.UserID)
		e.Requests = append(e.Requests, requestEvent{
			Account: about.UserID, Nick: about.Nick, Image: about.FaceURL, Time: q.asked / 1000, Source: q.source, Wording: q.wording, Kind: kind,
		})
	}
	tell(from, to, kindSent)
	tell(to, from, kindReceived)
}

// gone tells both sides that a request is not there any more.
func (n *news) gone(from, to account.Account) {
	mine := n.about(from.ID, requestsGone, from.UserID)
	mine.Gone = append(mine.Gone, to.UserID)
	theirs := n.about(to.ID, requestsGone, from.UserID)
	theirs.Gone = append(theirs.Gone, from.UserID)
}

type requestsRequest struct {
	Kind  string      `json:"PendencyType"`
	Start wire.Number `json:"StartTime"`
	Limit wire.Number `json:"MaxLimited"`
}

type listedRequest struct {
	To      string `json:"To_Account"`
	Nick    string `json:"Nick"`
	Image   string `json:"Image"`
	Time    int64  `json:"AddTime"`
	Source  string `json:"AddSource"`
	Wording string `json:"AddWording"`
	Kind    string `json:"PendencyType"`
}

type requestsReply struct {
	Requests []listedRequest `json:"PendencyItem"`
	Unread   int             `json:"UnreadPendencyCount"`
	Next     int64           `json:"StartTime"`
	Sequence int64           `json:"CurrentSequence"`
}

func (r *Relations) requestsCommand() command.Command {
	return command.New(spec("pendency_get", "list requests to become friends", "wire.md#friends", command.Account), r.requests)
}

// requests lists the newest first. StartTime is a unix second: the page has requests from before it, and 0 begins with the newest.
// A page ends where the second changes, as the next one begins before it. The client replaces its list by what it is given, so
// LastSequence never shortens it.
func (r *Relations) requests(ctx context.Context, call *command.Call, q *requestsRequest) (*requestsReply, error) {
	if q.Kind != kindReceived && q.Kind != kindSent && q.Kind != kindBoth {
		return nil, im.Errorf(im.CodeRelationParameter, "PendencyType is %.40q: want %s, %s or %s", q.Kind, kindReceived, kindSent, kindBoth)
	}
	sums, err := readBook(ctx, r.DB, call.Account)
	if err != nil {
		return nil, err
	}
	all, err := r.waiting(ctx, call.Account)
	if err != nil {
		return nil, err
	}
	reply := &requestsReply{Requests: []listedRequest{}, Sequence: sums.requestSeq}
	for _, one := range all {
		if one.to == call.Account && one.asked > sums.requestsReadAt {
			reply.Unread++
		}
	}
	shown := q.page(all, call.Account, reply)
	return reply, r.addRequests(ctx, call, reply, shown)
}

// waiting reads all requests of an account and to it, the newest first. Their number is bounded when they are made.
func (r *Relations) waiting(ctx context.Context, who im.AccountID) ([]*friendRequest, error) {
	return db.All(ctx, r.DB, scanRequest, `SELECT `+requestColumns+` FROM friend_request WHERE to_id = $1
		UNION ALL SELECT `+requestColumns+` FROM friend_request WHERE from_id = $1 ORDER BY asked_at DESC, from_id, to_id`, int64(who))
}

// page cuts a page out of the requests.
func (q *requestsRequest) page(all []*friendRequest, who im.AccountID, reply *requestsReply) (shown []*friendRequest) {
	const most = 100
	limit := most
	if q.Limit > 0 {
		limit = int(min(int64(q.Limit), most))
	}
	all = slices.DeleteFunc(all, func(one *friendRequest) bool {
		return q.Start > 0 && one.asked/1000 >= int64(q.Start) || q.Kind == kindReceived && one.to != who || q.Kind == kindSent && one.from != who
	})
	for i, one := range all {
		if i >= limit && one.asked/1000 != all[i-1].asked/1000 {
			reply.Next = all[i-1].asked / 1000
			break
		}
		shown = append(shown, one)
	}
	return shown
}

func (r *Relations) addRequests(ctx context.Context, call *command.Call, reply *requestsReply, shown []*friendRequest) error {
	ids := make([]im.AccountID, 0, len(shown))
	for _, one := range shown {
		ids = append(ids, one.from, one.to)
	}
	names, err := r.Accounts.ByID(ctx, r.DB, ids)
	for _, one := range shown {
		peer, kind := names[one.from], kindReceived
		if one.from == call.Account {
			peer, kind = names[one.to], kindSent
		}
		reply.Requests = append(reply.Requests, listedRequest{
			To: peer.UserID, Nick: peer.Nick, Image: peer.FaceURL, Time: one.asked / 1000, Source: one.source, Wording: one.wording, Kind: kind,
		})
	}
	return err
}

type readRequest struct {
	Until wire.Number `json:"LatestPendencyTimeStamp"` // unix seconds
}

func (r *Relations) readRequestsCommand() command.Command {
	return command.New(spec("pendency_report", "mark requests to become friends as read", "wire.md#friends", command.Account), r.readRequests)
}

// readRequests moves the read mark of requests. It covers what was asked in the given second, but nothing that is asked from now on.
func (r *Relations) readRequests(ctx context.Context, call *command.Call, q *readRequest) (*command.None, error) {
	owner, err := r.owner(ctx, call, "")
	if err != nil {
		return nil, err
	}
	return nil, r.change(ctx, call, owner, nil, func(c *change) error {
		const second = 1000
		until := min(max(int64(q.Until), 0), c.tx.Now().Unix())
		mark := min(until*second+second-1, c.tx.Now().UnixMilli())
		if b := c.book(); mark > b.requestsReadAt {
			b.requestsReadAt = mark
		}
		c.news.about(owner.ID, requestsRead, "").ReadAt = max(until, 1)
		return nil
	})
}
