package relation

import (
	"context"
	"math"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The kinds of follows, FollowType on the wire.
const (
	followers = 1
	following = 2
	mutually  = 3
)

type followsRequest struct {
	From   string      `json:"From_Account"`
	Kind   wire.Number `json:"FollowType"`
	Cursor string      `json:"StartCursor"`
	Want   wire.Number `json:"WantNum"`
}

type listedFollow struct {
	To      string  `json:"To_Account"`
	Time    int64   `json:"FollowTime"`
	Profile []Field `json:"ProfileItem"`
}

type followsReply struct {
	Follows []listedFollow `json:"FollowItem"`
	Next    string         `json:"NextCursor"`
}

// followPage is a stretch of one kind of follows: below the cursor, the newest first.
type followPage struct {
	kind         int64
	below, limit int64
}

func (q *followsRequest) page() (followPage, error) {
	const usual, most = 100, 1000
	p := followPage{kind: int64(q.Kind), below: math.MaxInt64, limit: usual}
	if q.Kind < followers || q.Kind > mutually {
		return p, im.Errorf(im.CodeRelationParameter, "FollowType is %d: want 1 to 3", q.Kind)
	}
	if q.Want > 0 {
		p.limit = min(int64(q.Want), most)
	}
	if q.Cursor == "" {
		return p, nil
	}
	below, err := strconv.ParseInt(q.Cursor, 10, 64)
	if p.below = below; err != nil {
		return p, im.Errorf(im.CodeRelationParameter, "StartCursor is %.40q: want a NextCursor", q.Cursor)
	}
	return p, nil
}

// read gives the page's rows, one more than it may have.
func (p followPage) read(ctx context.Context, from db.Source, who im.AccountID) (numbers, ids, times []int64, err error) {
	query := map[int64]string{
		followers: `SELECT number, follower_id, followed_at FROM follow WHERE followed_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3`,
		following: `SELECT number, followed_id, followed_at FROM follow WHERE follower_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3`,
		mutually:  `SELECT number, followed_id, followed_at FROM follow WHERE follower_id = $1 AND mutual AND number < $2 ORDER BY number DESC LIMIT $3`,
	}[p.kind]
	err = db.Each(ctx, from, func(row db.Scanner) error {
		var number, id, at int64
		err := row(&number, &id, &at)
		numbers, ids, times = append(numbers, number), append(ids, id), append(times, at)
		return err
	}, query, int64(who), p.below, p.limit+1)
	return numbers, ids, times, err
}

func (r *Relations) follows(ctx context.Context, call *command.Call, q *followsRequest) (*followsReply, error) {
	owner, err := r.follower(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	p, err := q.page()
	if err != nil {
		return nil, err
	}
	numbers, ids, times, err := p.read(ctx, r.DB, owner.ID)
	if err != nil {
		return nil, err
	}
	reply := &followsReply{Follows: []listedFollow{}}
	if int64(len(ids)) > p.limit {
		ids, reply.Next = ids[:p.limit], strconv.FormatInt(numbers[p.limit-1], 10)
	}
	return reply, r.addFollows(ctx, call, reply, ids, times)
}

func (r *Relations) addFollows(ctx context.Context, call *command.Call, reply *followsReply, ids, times []int64) error {
	named, err := r.accountsOf(ctx, r.DB, ids)
	if err != nil {
		return err
	}
	byID := make(map[im.AccountID]account.Account, len(named))
	for _, one := range named {
		byID[one.ID] = one
	}
	profiles, err := r.Profiles.Read(ctx, call, r.DB, byID)
	if err != nil {
		return err
	}
	for i, id := range ids {
		one, ok := byID[im.AccountID(id)]
		if !ok {
			continue
		}
		listed := listedFollow{To: one.UserID, Time: times[i], Profile: []Field{}}
		for _, field := range profiles[one.ID] {
			listed.Profile = append(listed.Profile, Field(field))
		}
		reply.Follows = append(reply.Follows, listed)
	}
	return nil
}

type followChecked struct {
	result
	Kind int `json:"FollowType"` // 0: neither follows the other; 1: the other follows; 2: the account follows; 3: both
}

type followCheckReply struct {
	Checked []followChecked `json:"ResultItem"`
}

func (r *Relations) followCheck(ctx context.Context, call *command.Call, q *unfollowRequest) (*followCheckReply, error) {
	const most = 100
	owner, err := r.follower(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	named, err := r.followed(ctx, call, q.To, most)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	mine, err := flags(ctx, r.DB, followingQuery, owner.ID, ids)
	if err != nil {
		return nil, err
	}
	theirs, err := flags(ctx, r.DB, followersQuery, owner.ID, ids)
	reply := &followCheckReply{}
	for _, name := range each(q.To) {
		one, known := named[name]
		checked := followChecked{result: result{To: name}}
		if !known {
			checked.refuse(errUnknown(name))
		}
		if theirs[one.ID] {
			checked.Kind |= followers
		}
		if mine[one.ID] {
			checked.Kind |= following
		}
		reply.Checked = append(reply.Checked, checked)
	}
	return reply, err
}

type followCount struct {
	To        string  `json:"To_Account"`
	Followers int64   `json:"FollowerCount"`
	Following int64   `json:"FollowingCount"`
	Mutual    int64   `json:"MutualFollowingCount"`
	Code      im.Code `json:"ResultCode"`
	Info      string  `json:"ResultInfo"`
}

type followCountsReply struct {
	Counts []followCount `json:"FollowInfo"`
}

func (r *Relations) followCounts(ctx context.Context, call *command.Call, q *unfollowRequest) (*followCountsReply, error) {
	if !call.Admin() || q.From != "" {
		if _, err := r.follower(ctx, call, q.From); err != nil {
			return nil, err
		}
	}
	named, err := r.followed(ctx, call, q.To, mostFollowed)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	rows, err := db.All(ctx, r.DB, scanBook, `SELECT `+bookColumns+` FROM relation WHERE account_id IN ($1...)`, db.Ints(ids))
	books := make(map[im.AccountID]*book, len(rows))
	for _, b := range rows {
		books[b.account] = b
	}
	reply := &followCountsReply{}
	for _, name := range each(q.To) {
		count := followCount{To: name}
		one, known := named[name]
		if b := books[one.ID]; b != nil {
			count.Followers, count.Following, count.Mutual = b.followers, b.following, b.mutual
		}
		if !known {
			why := errUnknown(name)
			count.Code, count.Info = why.Code, why.Info
		}
		reply.Counts = append(reply.Counts, count)
	}
	return reply, err
}
