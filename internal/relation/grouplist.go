package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type listedGroup struct {
	Name    string   `json:"GroupName"`
	Number  int      `json:"FriendNumber"`
	Friends []string `json:"To_Account,omitempty"`
}

type groupListReply struct {
	Groups       []listedGroup `json:"ResultItem"`
	Sequence     int64         `json:"CurrentSequence"`
	ErrorDisplay string        `json:"ErrorDisplay"`
}

// listGroups lists all groups, with their friends if that is wanted, or those that are named, always with their friends.
func (r *Relations) listGroups(ctx context.Context, call *command.Call, q *groupsRequest) (*groupListReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	if len(q.Groups) > 0 {
		if err := checkGroups(q.Groups); err != nil {
			return nil, err
		}
	}
	sums, err := readBook(ctx, r.DB, owner.ID)
	if err != nil {
		return nil, err
	}
	reply := &groupListReply{Groups: []listedGroup{}, Sequence: sums.groupSeq}
	names, err := readGroups(ctx, r.DB, owner.ID)
	if err != nil {
		return nil, err
	}
	rows, err := db.All(ctx, r.DB, scanFriend, `SELECT `+friendColumns+` FROM friend WHERE owner_id = $1 AND group_bits <> 0
		ORDER BY number`, int64(owner.ID))
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, len(rows))
	for i, f := range rows {
		ids[i] = f.id
	}
	accounts, err := r.Accounts.ByID(ctx, r.DB, ids)
	for slot, name := range names {
		if name == "" || len(q.Groups) > 0 && !slices.Contains(q.Groups, name) {
			continue
		}
		one := listedGroup{Name: name}
		for _, f := range rows {
			if f.groups&(1<<slot) != 0 {
				one.Friends = append(one.Friends, accounts[f.id].UserID)
			}
		}
		one.Number = len(one.Friends)
		if len(q.Groups) == 0 && q.Need != "Need_Friend_Type_Yes" {
			one.Friends = nil
		}
		reply.Groups = append(reply.Groups, one)
	}
	return reply, err
}
