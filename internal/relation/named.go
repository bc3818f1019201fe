package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type namedRequest struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
	Tags []string `json:"TagList"`
}

// namedFriend is a friend that a call names.
type namedFriend struct {
	To     string  `json:"To_Account"`
	Fields []Field `json:"SnsProfileItem"`
	Code   im.Code `json:"ResultCode"`
	Info   string  `json:"ResultInfo"`
}

type namedReply struct {
	Friends      []namedFriend `json:"InfoItem"`
	Failed       []string      `json:"Fail_Account,omitempty"`
	ErrorDisplay string        `json:"ErrorDisplay"`
}

func (r *Relations) namedCommand() command.Command {
	return command.New(spec("friend_get_list", "read friends by name", "rest.md#friend_get_list", command.Administrator),
		func(ctx context.Context, call *command.Call, q *namedRequest) (*namedReply, error) {
			if len(q.Tags) == 0 {
				return nil, im.Errorf(im.CodeRelationParameter, "TagList names no field")
			}
			return r.named(ctx, call, q, func(tag string) bool { return slices.Contains(q.Tags, tag) })
		})
}

func (r *Relations) specifiedCommand() command.Command {
	return command.New(spec("friend_get_specified", "read friends by name, with all fields", "wire.md#friends", command.Account),
		func(ctx context.Context, call *command.Call, q *namedRequest) (*namedReply, error) {
			return r.named(ctx, call, q, func(string) bool { return true })
		})
}

func (r *Relations) named(ctx context.Context, call *command.Call, q *namedRequest, wanted func(tag string) bool) (*namedReply, error) {
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, err
	}
	named, err := r.peers(ctx, call, q.To)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	friends, err := friendsNamed(ctx, r.DB, owner.ID, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]*friend, 0, len(friends))
	for _, f := range friends {
		rows = append(rows, f)
	}
	described, err := r.described(ctx, &reading{call, r.DB, owner, wanted}, rows)
	if err != nil {
		return nil, err
	}
	byName := make(map[string][]Field, len(described))
	for _, one := range described {
		byName[one.To] = one.Fields
	}
	return namedOf(each(q.To), byName), nil
}

func namedOf(names []string, fields map[string][]Field) *namedReply {
	reply := &namedReply{Friends: []namedFriend{}}
	for _, name := range names {
		if has, ok := fields[name]; ok {
			reply.Friends = append(reply.Friends, namedFriend{To: name, Fields: has})
			continue
		}
		reply.Failed = append(reply.Failed, name)
		reply.Friends = append(reply.Friends, namedFriend{
			To: name, Fields: []Field{}, Code: im.CodeRelationParameter, Info: "the account is no friend",
		})
	}
	return reply
}
