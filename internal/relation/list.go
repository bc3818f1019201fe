package relation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/profile"
	"github.com/magpie-im/magpie/internal/wire"
)

type listRequest struct {
	From     string      `json:"From_Account"`
	Start    wire.Number `json:"StartIndex"`
	Standard wire.Number `json:"StandardSequence"`
	Custom   wire.Number `json:"CustomSequence"`
}

// listedFriend is a friend with what the account calls it, and what it says of itself.
type listedFriend struct {
	To     string  `json:"To_Account"`
	Fields []Field `json:"ValueItem"`
}

type listReply struct {
	Friends      []listedFriend `json:"UserDataItem"`
	Standard     int64          `json:"StandardSequence"`
	Custom       int64          `json:"CustomSequence"`
	Number       int64          `json:"FriendNum"`
	Complete     wire.Bool      `json:"CompleteFlag"`
	Next         int64          `json:"NextStartIndex"`
	ErrorDisplay string         `json:"ErrorDisplay"`
}

func (r *Relations) listCommand() command.Command {
	return command.New(spec("friend_get", "page through an account's friends", "rest.md#friend_get", both), r.list)
}

// pageSize is how many friends one reply holds.
const pageSize = 500

// list gives the friends in the order in which they came. Whoever has the newest sequences already is spared the list: that is so on
// its first page only, because clients bring the sequences of one page along to the next.
func (r *Relations) list(ctx context.Context, call *command.Call, q *listRequest) (*listReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	reply := &listReply{Friends: []listedFriend{}, Complete: true}
	err = r.DB.InSnapshot(ctx, func(from *db.Snapshot) error {
		sums, err := readBook(ctx, from, owner.ID)
		if err != nil {
			return err
		}
		reply.Standard, reply.Custom, reply.Number = sums.standardSeq, sums.customSeq, sums.friends
		noStandard := q.Start == 0 && q.Standard > 0 && int64(q.Standard) == sums.standardSeq
		noCustom := q.Start == 0 && q.Custom > 0 && int64(q.Custom) == sums.customSeq
		if noStandard && noCustom {
			return nil
		}
		return r.page(ctx, &reading{call, from, owner, func(tag string) bool {
			return isCustom(tag) && !noCustom || !isCustom(tag) && !noStandard
		}}, int64(q.Start), reply)
	})
	if err != nil {
		return nil, fmt.Errorf("list friends: %w", err)
	}
	return reply, nil
}

// reading is how friends are read: for whom, of whom, and which fields.
type reading struct {
	call   *command.Call
	from   db.Source
	owner  account.Account
	wanted func(tag string) bool
}

func (r *Relations) page(ctx context.Context, as *reading, start int64, reply *listReply) error {
	rows, err := db.All(ctx, as.from, scanFriend, `SELECT `+friendColumns+` FROM friend WHERE owner_id = $1 AND number > $2
		ORDER BY number LIMIT $3`, int64(as.owner.ID), start, pageSize+1)
	if err != nil {
		return err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		reply.Complete, reply.Next = false, rows[pageSize-1].number
	}
	reply.Friends, err = r.described(ctx, as, rows)
	return err
}

// described writes friends with their fields and those of their profiles.
func (r *Relations) described(ctx context.Context, as *reading, rows []*friend) ([]listedFriend, error) {
	ids := make([]im.AccountID, len(rows))
	for i, f := range rows {
		ids[i] = f.id
	}
	accounts, err := r.Accounts.ByID(ctx, as.from, ids)
	if err != nil {
		return nil, err
	}
	profiles, err := r.Profiles.Read(ctx, as.call, as.from, accounts)
	if err != nil {
		return nil, err
	}
	groups, err := readGroups(ctx, as.from, as.owner.ID)
	if err != nil {
		return nil, err
	}
	all := make([]listedFriend, 0, len(rows))
	for _, f := range rows {
		fields, err := f.fields(groups, customFields.Of(as.call.App))
		if err != nil {
			return nil, err
		}
		for _, one := range profiles[f.id] {
			fields = append(fields, Field(one))
		}
		all = append(all, listedFriend{accounts[f.id].UserID, slices.DeleteFunc(fields, func(one Field) bool { return !as.wanted(one.Tag) })})
	}
	return all, nil
}

func isCustom(tag string) bool {
	return strings.HasPrefix(tag, tagCustom) || strings.HasPrefix(tag, profile.TagCustom)
}
