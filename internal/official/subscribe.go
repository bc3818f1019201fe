package official

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// subscribersInCall bounds the subscribers that one call names.
const subscribersInCall = 100

type subscribeRequest struct {
	Official string       `json:"Official_Account"`
	List     []subscriber `json:"SubscriberList"`
}

// The values of Result.
const (
	resultFailed = 0
	resultDone   = 1
	resultBefore = 2 // it was so before
)

type subscribed struct {
	UserID string `json:"Subscriber_Account"`
	Result int    `json:"Result"`
}

type subscribeReply struct {
	List []subscribed `json:"SubscriberList"`
}

func (o *Officials) subscribeCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "add_subscriber", By: command.Administrator | command.Account, Family: family(),
		Doc: "have accounts subscribe to an official account", Section: "rest.md#add_subscriber",
	}, o.subscribe)
}

// subscribing is a change of who subscribes to an official account.
type subscribing struct {
	call     *command.Call
	official account.Account
	chat     int64
	names    []string // as the request has them, each once
	accounts map[string]account.Account
}

// subscribing checks a request. A client names nobody but itself, or nobody at all.
func (o *Officials) subscribing(ctx context.Context, call *command.Call, official string, names []string) (*subscribing, error) {
	if !call.Admin() && len(names) == 0 {
		names = []string{call.UserID}
	}
	switch {
	case len(names) == 0 || len(names) > subscribersInCall:
		return nil, im.Errorf(im.CodeGroupParameter, "SubscriberList: want 1 to %d accounts", subscribersInCall)
	case !call.Admin() && (len(names) > 1 || names[0] != call.UserID):
		return nil, errOthers()
	}
	of, err := o.find(ctx, call, official)
	if err != nil {
		return nil, err
	}
	s := &subscribing{call: call, official: of}
	for _, name := range names {
		if !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
		}
	}
	if s.accounts, err = o.Accounts.FindMany(ctx, call.App.ID, s.names); err != nil {
		return nil, err
	}
	maps.DeleteFunc(s.accounts, func(name string, _ account.Account) bool { return account.IsOfficial(name) })
	s.chat, err = o.chatOf(ctx, of)
	return s, err
}

// inOrder lists the accounts in the order of the request.
func (s *subscribing) inOrder() []account.Account {
	all := make([]account.Account, 0, len(s.accounts))
	for _, name := range s.names {
		if one, ok := s.accounts[name]; ok {
			all = append(all, one)
		}
	}
	return all
}

// reply tells what became of each name. before says how those are answered for whom nothing changed.
func (s *subscribing) reply(done []account.Account, unchanged map[im.AccountID]bool) *subscribeReply {
	reply := &subscribeReply{}
	for _, name := range s.names {
		one, result := s.accounts[name], resultFailed
		switch {
		case one.ID == 0:
		case unchanged[one.ID]:
			result = resultBefore
		case slices.Contains(done, one):
			result = resultDone
		}
		reply.List = append(reply.List, subscribed{name, result})
	}
	return reply
}

func (o *Officials) subscribe(ctx context.Context, call *command.Call, r *subscribeRequest) (*subscribeReply, error) {
	s, err := o.subscribing(ctx, call, r.Official, userIDs(r.List))
	if err != nil {
		return nil, err
	}
	if err := o.askSubscribe(ctx, s); err != nil {
		return nil, err
	}
	var (
		fresh   []account.Account
		before  map[im.AccountID]bool
		refused error
	)
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		fresh, before, refused, err = o.add(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	if refused != nil {
		return nil, refused
	}
	for _, one := range fresh {
		o.attempt(one.ID, o.Router.Join(int64(s.official.ID), one.ID))
	}
	return s.reply(fresh, before), nil
}

// add stores subscriptions. Those for whom there is no room are left out; if there is room for none, all are refused.
func (o *Officials) add(
	ctx context.Context, tx *db.Tx, s *subscribing,
) (fresh []account.Account, before map[im.AccountID]bool, refused, err error) {
	all := s.inOrder()
	alive, err := account.Lock(tx, ids(all))
	if err != nil {
		return nil, nil, nil, err
	}
	all = slices.DeleteFunc(all, func(one account.Account) bool { _, ok := alive[one.ID]; return !ok })
	of, err := hold(tx, s.official.ID)
	if err != nil || of == nil {
		return nil, nil, errUnknown(s.official.UserID), err
	}
	if before, err = subscribersAmong(ctx, tx, of.id, ids(all)); err != nil {
		return nil, nil, nil, err
	}
	fresh = slices.DeleteFunc(all, func(one account.Account) bool { return before[one.ID] })
	fresh, refused, err = admit(ctx, tx, s.call, of, fresh)
	if err != nil || refused != nil || len(fresh) == 0 {
		return nil, before, refused, err
	}
	if err := o.insertSubscriptions(tx, s, fresh); err != nil {
		return nil, nil, nil, err
	}
	return fresh, before, nil, o.tellSubscribed(tx, s, of, fresh)
}

// admit leaves out those for whom there is no room: the official account is full, or they subscribe to too many.
func admit(ctx context.Context, tx *db.Tx, call *command.Call, of *record, fresh []account.Account) (admitted []account.Account, refused, err error) {
	counts := map[im.AccountID]int64{}
	err = db.Each(ctx, tx, func(row db.Scanner) error {
		var (
			who im.AccountID
			n   int64
		)
		err := row(&who, &n)
		counts[who] = n
		return err
	}, `SELECT subscriber_id, COUNT(*) FROM subscription WHERE subscriber_id IN ($1...) GROUP BY subscriber_id`, db.Ints(ids(fresh)))
	if err != nil {
		return nil, nil, err
	}
	most := maxSubscribed.Of(call.App)
	for _, one := range fresh {
		switch {
		case counts[one.ID] >= int64(most):
			refused = im.Errorf(im.CodeOfficialTooMany, "%q subscribes to %d official accounts already (the setting official.max_subscribed)", one.UserID, most)
		case of.subscribers+int64(len(admitted)) >= of.most:
			refused = im.Errorf(im.CodeOfficialFull, "the official account has its %d subscribers already", of.most)
		default:
			admitted = append(admitted, one)
		}
	}
	if len(admitted) > 0 {
		refused = nil
	}
	return admitted, refused, nil
}

func (o *Officials) insertSubscriptions(tx *db.Tx, s *subscribing, fresh []account.Account) error {
	const width = 5
	err := db.Chunks(tx, width, fresh, func(chunk []account.Account) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, int64(s.official.ID), int64(one.ID), tx.NextID(), tx.Now().Unix(), "")
		}
		_, err := tx.Exec(`INSERT INTO subscription (official_id, subscriber_id, number, subscribed_at, custom) VALUES `+
			db.Rows(len(chunk), width, false), args...)
		return err
	})
	if err != nil {
		return err
	}
	if err := count(tx, s.official.ID, int64(len(fresh))); err != nil {
		return err
	}
	return o.Chats.Subscribe(tx, s.chat, s.official.ID, ids(fresh))
}

// count moves how many subscribers an official account has.
func count(tx *db.Tx, official im.AccountID, by int64) error {
	_, err := tx.Exec(`UPDATE official_account SET subscribers = subscribers + $2 WHERE account_id = $1`, int64(official), by)
	return err
}

func (o *Officials) tellSubscribed(tx *db.Tx, s *subscribing, of *record, fresh []account.Account) error {
	err := afterSubscribe.Tell(tx, o.Hooks, &s.call.Actor, int64(of.id), func() (subscribersBody, error) {
		return subscribersBody{s.official.UserID, s.call.UserID, subscribersOf(fresh), eventTime(tx)}, nil
	})
	if err != nil || of.subscribers+int64(len(fresh)) < of.most {
		return err
	}
	return afterFull.Tell(tx, o.Hooks, &s.call.Actor, int64(of.id), func() (fullBody, error) {
		return fullBody{s.official.UserID, eventTime(tx)}, nil
	})
}

// askSubscribe lets the back end decide whether accounts subscribe.
func (o *Officials) askSubscribe(ctx context.Context, s *subscribing) error {
	_, err := beforeSubscribe.Ask(ctx, s.call, o.Hooks, webhook.Question[subscribersBody]{
		Key: "official:" + s.official.UserID,
		Body: func() (subscribersBody, error) {
			return subscribersBody{s.official.UserID, s.call.UserID, subscribersOf(s.inOrder()), o.DB.Now().UnixMilli()}, nil
		},
	})
	return err
}

// unsubscribeRequest names the subscribers as either of two client libraries does.
type unsubscribeRequest struct {
	Official string       `json:"Official_Account"`
	UserIDs  []string     `json:"SubscriberToDel_Account"`
	List     []subscriber `json:"SubscriberList"`
}

func (o *Officials) unsubscribeCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_subscriber", By: command.Administrator | command.Account, Family: family(),
		Doc: "end accounts' subscriptions to an official account", Section: "rest.md#delete_subscriber",
	}, o.unsubscribe)
}

func (o *Officials) unsubscribe(ctx context.Context, call *command.Call, r *unsubscribeRequest) (*subscribeReply, error) {
	s, err := o.subscribing(ctx, call, r.Official, slices.Concat(r.UserIDs, userIDs(r.List)))
	if err != nil {
		return nil, err
	}
	var (
		gone []account.Account
		not  map[im.AccountID]bool
	)
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		gone, not, err = o.takeOut(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("end subscriptions: %w", err)
	}
	o.attempt(s.official.ID, o.Router.Leave(int64(s.official.ID), ids(gone)...))
	for _, one := range gone {
		o.attempt(one.ID, o.Router.LeaveOwn(int64(s.official.ID), one.ID))
	}
	return s.reply(gone, not), nil
}

func (o *Officials) takeOut(ctx context.Context, tx *db.Tx, s *subscribing) (gone []account.Account, not map[im.AccountID]bool, err error) {
	if _, err := hold(tx, s.official.ID); err != nil {
		return nil, nil, err
	}
	all, not := s.inOrder(), map[im.AccountID]bool{}
	there, err := subscribersAmong(ctx, tx, s.official.ID, ids(all))
	if err != nil {
		return nil, nil, err
	}
	for _, one := range all {
		if there[one.ID] {
			gone = append(gone, one)
		} else {
			not[one.ID] = true
		}
	}
	if len(gone) == 0 {
		return nil, not, nil
	}
	if err := o.remove(tx, s.official.ID, s.chat, ids(gone)); err != nil {
		return nil, nil, err
	}
	if err := count(tx, s.official.ID, -int64(len(gone))); err != nil {
		return nil, nil, err
	}
	return gone, not, afterUnsubscribe.Tell(tx, o.Hooks, &s.call.Actor, int64(s.official.ID), func() (subscribersBody, error) {
		return subscribersBody{s.official.UserID, s.call.UserID, subscribersOf(gone), eventTime(tx)}, nil
	})
}

// subscribersAmong tells which of the accounts subscribe.
func subscribersAmong(ctx context.Context, from db.Source, official im.AccountID, who []im.AccountID) (map[im.AccountID]bool, error) {
	there := map[im.AccountID]bool{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var one im.AccountID
		err := row(&one)
		there[one] = true
		return err
	}, `SELECT subscriber_id FROM subscription WHERE official_id = $1 AND subscriber_id IN ($2...)`, int64(official), db.Ints(who))
	return there, err
}

func ids(accounts []account.Account) []im.AccountID {
	all := make([]im.AccountID, len(accounts))
	for i, one := range accounts {
		all[i] = one.ID
	}
	return all
}

func userIDs(list []subscriber) []string {
	all := make([]string, len(list))
	for i, one := range list {
		all[i] = one.UserID
	}
	return all
}
