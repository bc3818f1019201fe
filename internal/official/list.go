package official

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// mostListed bounds a page of either list.
const mostListed = 200

type subscribersRequest struct {
	Official string      `json:"Official_Account"`
	Limit    wire.Number `json:"Limit"`
	Next     string      `json:"Next"`
}

type subscriberInfo struct {
	UserID string `json:"Subscriber_Account"`
	Time   int64  `json:"SubscribeTime"` // a unix second
	Custom string `json:"CustomString"`
	// Hears is how the subscriber hears of what the official account says.
	Hears string `json:"MsgFlag"`
	// LastSaid is when the subscriber wrote to the official account, which nobody does: 0.
	LastSaid int64 `json:"LastSendMsgTime"`
}

type subscribersReply struct {
	Number int64            `json:"SubscriberNum"`
	List   []subscriberInfo `json:"SubscriberList"`
	Next   string           `json:"Next"`
}

// subscription is a row.
type subscription struct {
	who    im.AccountID // the other side of it: who subscribes, or to whom
	number int64
	time   int64 // a unix second
	custom string
}

func scanSubscription(row db.Scanner) (s subscription, err error) {
	return s, row(&s.who, &s.number, &s.time, &s.custom)
}

func (o *Officials) subscribersCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_subscriber_info", By: command.Administrator, Family: family(),
		Doc: "list an official account's subscribers", Section: "rest.md#get_subscriber_info",
	}, o.subscribers)
}

func (o *Officials) subscribers(ctx context.Context, call *command.Call, r *subscribersRequest) (*subscribersReply, error) {
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	behind := int64(0)
	if r.Next != "" {
		if behind, err = strconv.ParseInt(r.Next, 10, 64); err != nil {
			return nil, im.Errorf(im.CodeGroupParameter, "Next is %.40q: want the one of the page before", r.Next)
		}
	}
	there, err := records(ctx, o.DB, []im.AccountID{of.ID})
	if err != nil {
		return nil, err
	}
	limit := limitOf(r.Limit)
	list, err := db.All(ctx, o.DB, scanSubscription, `SELECT subscriber_id, number, subscribed_at, custom FROM subscription
		WHERE official_id = $1 AND number > $2 ORDER BY number LIMIT $3`, int64(of.ID), behind, limit+1)
	if err != nil {
		return nil, fmt.Errorf("list subscribers: %w", err)
	}
	reply := &subscribersReply{Number: there[of.ID].subscribers, List: []subscriberInfo{}}
	if len(list) > limit {
		list = list[:limit]
		reply.Next = strconv.FormatInt(list[limit-1].number, 10)
	}
	return reply, o.addSubscribers(ctx, reply, of, list)
}

// limitOf is how many a page has; none given, or 0, is the most.
func limitOf(given wire.Number) int {
	if given <= 0 {
		return mostListed
	}
	return min(int(given), mostListed)
}

func (o *Officials) addSubscribers(ctx context.Context, reply *subscribersReply, of account.Account, list []subscription) error {
	who := make([]im.AccountID, len(list))
	for i, one := range list {
		who[i] = one.who
	}
	named, err := o.Accounts.ByID(ctx, o.DB, who)
	if err != nil {
		return err
	}
	hearing, err := o.Conversations.Hearing(ctx, o.DB, of.ID, who)
	if err != nil {
		return err
	}
	for _, one := range list {
		how, chosen := hearing[one.who]
		if !chosen {
			how = group.AcceptAndNotify
		}
		reply.List = append(reply.List, subscriberInfo{
			UserID: named[one.who].UserID, Time: one.time, Custom: one.custom, Hears: how.String(),
		})
	}
	return nil
}

type editSubscriberRequest struct {
	Official   string `json:"Official_Account"`
	Subscriber string `json:"Subscriber_Account"`
	Custom     string `json:"CustomString"`
}

func (o *Officials) editSubscriberCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_subscriber_info", By: command.Administrator, Family: family(),
		Doc: "change what a subscription carries", Section: "rest.md#modify_subscriber_info",
	}, o.editSubscriber)
}

func (o *Officials) editSubscriber(ctx context.Context, call *command.Call, r *editSubscriberRequest) (*command.None, error) {
	if len(r.Custom) > maxCustom {
		return nil, im.Errorf(im.CodeGroupParameter, "CustomString has %d bytes: want at most %d", len(r.Custom), maxCustom)
	}
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	who, err := o.self(ctx, call, r.Subscriber)
	if err != nil {
		return nil, err
	}
	var changed int64
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		changed, err = tx.Exec(`UPDATE subscription SET custom = $3 WHERE official_id = $1 AND subscriber_id = $2`,
			int64(of.ID), int64(who.ID), wire.Text(r.Custom))
		return err
	})
	if err == nil && changed == 0 {
		return nil, im.Errorf(im.CodeOfficialSubscriber, "%q does not subscribe to %q", who.UserID, of.UserID)
	}
	return nil, err
}

type subscribedRequest struct {
	Subscriber string      `json:"Subscriber_Account"`
	Limit      wire.Number `json:"Limit"`
	Offset     wire.Number `json:"Offset"`
	Filter     filter      `json:"ResponseFilter"`
}

type subscribedReply struct {
	List     []info    `json:"OfficialAccountInfoList"`
	Total    int64     `json:"TotalCount"`
	Complete wire.Bool `json:"CompleteFlag"`
	Next     int       `json:"Next"`
}

// selfInfo is what a subscriber has of a subscription. What was not wanted is nil.
type selfInfo struct {
	Time   *int64  `json:"SubscribeTime,omitzero"`
	Custom *string `json:"CustomString,omitzero"`
}

func (s *subscription) self(wanted []string) *selfInfo {
	it := &selfInfo{&s.time, &s.custom}
	if len(wanted) > 0 && !slices.Contains(wanted, "SubscribeTime") {
		it.Time = nil
	}
	if len(wanted) > 0 && !slices.Contains(wanted, "CustomString") {
		it.Custom = nil
	}
	return it
}

func (o *Officials) subscribedCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_subscribed_official_account_list", By: command.Administrator | command.Account, Family: family(),
		Doc: "list the official accounts that an account subscribes to", Section: "rest.md#get_subscribed_official_account_list",
	}, o.subscribed)
}

func (o *Officials) subscribed(ctx context.Context, call *command.Call, r *subscribedRequest) (*subscribedReply, error) {
	who, err := o.self(ctx, call, r.Subscriber)
	if err != nil {
		return nil, err
	}
	all, err := db.All(ctx, o.DB, scanSubscription, `SELECT s.official_id, s.number, s.subscribed_at, s.custom FROM subscription s
		JOIN official_account o ON o.account_id = s.official_id WHERE s.subscriber_id = $1 ORDER BY s.number`, int64(who.ID))
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	from := int(min(max(r.Offset, 0), wire.Number(len(all))))
	upTo := min(from+limitOf(r.Limit), len(all))
	reply := &subscribedReply{List: []info{}, Total: int64(len(all)), Complete: wire.Bool(upTo == len(all)), Next: upTo}
	return reply, o.addSubscribed(ctx, reply, all[from:upTo], r.Filter)
}

func (o *Officials) addSubscribed(ctx context.Context, reply *subscribedReply, list []subscription, wanted filter) error {
	numbers := make([]im.AccountID, len(list))
	for i, one := range list {
		numbers[i] = one.who
	}
	accounts, err := o.Accounts.ByID(ctx, o.DB, numbers)
	if err != nil {
		return err
	}
	named := make(map[string]account.Account, len(accounts))
	for _, one := range accounts {
		named[one.UserID] = one
	}
	described, err := o.describe(ctx, named, wanted)
	if err != nil {
		return err
	}
	for i := range list {
		if one, ok := described[list[i].who]; ok {
			one.Self = list[i].self(wanted.Self)
			reply.List = append(reply.List, one)
		}
	}
	return nil
}
