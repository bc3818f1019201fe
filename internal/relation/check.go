package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type checkRequest struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
	Type string   `json:"CheckType"`
}

// checked is how one account stands to another.
type checked struct {
	To       string  `json:"To_Account"`
	Relation string  `json:"Relation"`
	Code     im.Code `json:"ResultCode"`
	Info     string  `json:"ResultInfo"`
}

type checkReply struct {
	Checked      []checked `json:"InfoItem"`
	Failed       []string  `json:"Fail_Account,omitempty"`
	ErrorDisplay string    `json:"ErrorDisplay"`
}

func (r *Relations) checkCommand() command.Command {
	return command.New(spec("friend_check", "tell who is a friend of whom", "rest.md#friend_check", both), r.check)
}

func (r *Relations) check(ctx context.Context, call *command.Call, q *checkRequest) (*checkReply, error) {
	all, failed, err := r.compare(ctx, call, q, comparing{
		prefix: "CheckResult_Type_", none: "NoRelation",
		mine:   `SELECT friend_id FROM friend WHERE owner_id = $1 AND friend_id IN ($2...)`,
		theirs: `SELECT owner_id FROM friend WHERE friend_id = $1 AND owner_id IN ($2...)`,
	})
	return &checkReply{Checked: all, Failed: failed}, err
}

// comparing is how two lists are held against each other: the words of the interface, and the queries of who is in the account's
// list, and in whose it is.
type comparing struct{ prefix, none, mine, theirs string }

// word names a relation as the account A sees it.
func (k *comparing) word(mine, theirs bool) string {
	switch {
	case mine && theirs:
		return k.prefix + "BothWay"
	case mine:
		return k.prefix + "AWithB"
	case theirs:
		return k.prefix + "BWithA"
	}
	return k.prefix + k.none
}

func (r *Relations) compare(ctx context.Context, call *command.Call, q *checkRequest, k comparing) ([]checked, []string, error) {
	single := q.Type == k.prefix+"Single"
	if !single && q.Type != k.prefix+"Both" {
		return nil, nil, im.Errorf(im.CodeRelationParameter, "CheckType is %.40q: want %[2]sSingle or %[2]sBoth", q.Type, k.prefix)
	}
	owner, err := r.owner(ctx, call, q.From)
	if err != nil {
		return nil, nil, err
	}
	if err := checkCount(len(q.To)); err != nil {
		return nil, nil, err
	}
	named, err := r.Accounts.FindMany(ctx, call.App.ID, q.To)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	mine, err := flags(ctx, r.DB, k.mine, owner.ID, ids)
	theirs := map[im.AccountID]bool{}
	if err == nil && !single {
		theirs, err = flags(ctx, r.DB, k.theirs, owner.ID, ids)
	}
	if err != nil {
		return nil, nil, err
	}
	all, failed := []checked{}, []string(nil)
	for _, name := range each(q.To) {
		one, known := named[name]
		if !known {
			why := errUnknown(name)
			all = append(all, checked{name, k.word(false, false), why.Code, why.Info})
			failed = append(failed, name)
			continue
		}
		all = append(all, checked{To: name, Relation: k.word(mine[one.ID], theirs[one.ID])})
	}
	return all, failed, nil
}
