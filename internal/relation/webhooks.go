package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// The codes that a back end may choose itself when it refuses a friend.
const lowCode, highCode im.Code = 38000, 39000

func blocking(name, doc, section string) webhook.Spec {
	return webhook.Spec{
		Command: name, Doc: doc, Section: section, Refused: lowCode, Unanswered: im.CodeRelationInternal, Low: lowCode, High: highCode,
	}
}

// What this room asks and tells an application's back end.
var (
	beforeAdd = webhook.NewBefore[addAsk](blocking("Sns.CallbackPrevFriendAdd", "an account adds friends",
		"webhooks.md#snscallbackprevfriendadd"))
	beforeResponse = webhook.NewBefore[responseAsk](blocking("Sns.CallbackPrevFriendResponse", "an account answers requests to become friends",
		"webhooks.md#snscallbackprevfriendresponse"))
	afterAdd = webhook.NewAfter[addedBody](webhook.Spec{
		Command: "Sns.CallbackFriendAdd", Doc: "accounts have new friends", Section: "webhooks.md#snscallbackfriendadd",
	})
	afterDelete = webhook.NewAfter[pairsBody](webhook.Spec{
		Command: "Sns.CallbackFriendDelete", Doc: "accounts removed friends", Section: "webhooks.md#snscallbackfrienddelete",
	})
	afterBlock = webhook.NewAfter[pairsBody](webhook.Spec{
		Command: "Sns.CallbackBlackListAdd", Doc: "an account blocked others", Section: "webhooks.md#snscallbackblacklistadd",
	})
	afterUnblock = webhook.NewAfter[pairsBody](webhook.Spec{
		Command: "Sns.CallbackBlackListDelete", Doc: "an account took others off its blocklist",
		Section: "webhooks.md#snscallbackblacklistdelete",
	})
	afterFollow = webhook.NewAfter[followedBody](webhook.Spec{
		Command: "Follow.CallbackAfterFollowAdd", Doc: "an account follows others", Section: "webhooks.md#followcallbackafterfollowadd",
	})
	afterUnfollow = webhook.NewAfter[unfollowedBody](webhook.Spec{
		Command: "Follow.CallbackAfterFollowDelete", Doc: "an account follows others no more",
		Section: "webhooks.md#followcallbackafterfollowdelete",
	})
)

// Webhooks lists the callbacks that the room fires.
func (r *Relations) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{
		beforeAdd.Declaration(), beforeResponse.Declaration(), afterAdd.Declaration(), afterDelete.Declaration(),
		afterBlock.Declaration(), afterUnblock.Declaration(), afterFollow.Declaration(), afterUnfollow.Declaration(),
	}
}

// askedFriend is an account that somebody would have as a friend.
type askedFriend struct {
	To      string `json:"To_Account"`
	Remark  string `json:"Remark"`
	Group   string `json:"GroupName"`
	Source  string `json:"AddSource"`
	Wording string `json:"AddWording"`
}

type addAsk struct {
	Requester string        `json:"Requester_Account"`
	From      string        `json:"From_Account"`
	Type      string        `json:"AddType"`
	Force     int           `json:"ForceAddFlags"`
	Friends   []askedFriend `json:"FriendItem"`
	EventTime int64         `json:"EventTime"`
}

type responseAsk struct {
	Requester string     `json:"Requester_Account"`
	From      string     `json:"From_Account"`
	Responses []response `json:"ResponseFriendItem"`
	EventTime int64      `json:"EventTime"`
}

// pair is a row of the first account's list, or one that is not there any more.
type pair struct {
	From string `json:"From_Account"`
	To   string `json:"To_Account"`
}

type pairsBody struct {
	Pairs     []pair `json:"PairList"`
	EventTime int64  `json:"EventTime"`
}

// addedPair is a pair with who had the idea.
type addedPair struct {
	pair
	Initiator string `json:"Initiator_Account"`
}

type addedBody struct {
	Command   string      `json:"ClientCmd"`
	Admin     string      `json:"Admin_Account,omitempty"`
	Force     int         `json:"ForceFlag"`
	Pairs     []addedPair `json:"PairList"`
	EventTime int64       `json:"EventTime"`
}

type followedName struct {
	To string `json:"To_Account"`
}

type followedBody struct {
	From      string         `json:"From_Account"`
	Follows   []followedName `json:"FollowList"`
	EventTime int64          `json:"EventTime"`
}

type unfollowedBody struct {
	From      string   `json:"From_Account"`
	To        []string `json:"To_Account"`
	EventTime int64    `json:"EventTime"`
}

// verdicts are what a back end said of the accounts that it was asked about, by name. Who is not in it may pass.
type verdicts map[string]error

// read takes the verdicts from an answer.
func (v verdicts) read(answer *webhook.Answer) error {
	var said struct {
		Results []result `json:"ResultItem"`
	}
	err := answer.Read(&said)
	for _, one := range said.Results {
		if one.Code != im.CodeOK {
			v[one.To] = im.Errorf(one.Code, "%s", one.Info)
		}
	}
	return err
}

// orderKey keeps the order of what a connection does with its own relations.
const orderKey = "relations"

// askAdd lets the back end decide on new friends.
func (r *Relations) askAdd(ctx context.Context, call *command.Call, a *adding) (verdicts, error) {
	said := verdicts{}
	_, err := beforeAdd.Ask(ctx, call, r.Hooks, webhook.Question[addAsk]{
		Key: orderKey, Use: said.read,
		Body: func() (addAsk, error) {
			body := addAsk{Requester: call.UserID, From: a.owner.UserID, Type: a.kind(), Force: a.force, EventTime: r.DB.Now().UnixMilli()}
			for _, one := range a.asked {
				if one.ready {
					body.Friends = append(body.Friends, one.askedFriend)
				}
			}
			return body, nil
		},
	})
	return said, err
}

// askResponse lets the back end decide on answers to requests.
func (r *Relations) askResponse(ctx context.Context, call *command.Call, owner account.Account, responses []response) (verdicts, error) {
	said := verdicts{}
	_, err := beforeResponse.Ask(ctx, call, r.Hooks, webhook.Question[responseAsk]{
		Key: orderKey, Use: said.read,
		Body: func() (responseAsk, error) {
			return responseAsk{call.UserID, owner.UserID, responses, r.DB.Now().UnixMilli()}, nil
		},
	})
	return said, err
}

// tellAdded stores the callback of new friends.
func (r *Relations) tellAdded(c *change, clientCommand string, force int, pairs []addedPair) error {
	if len(pairs) == 0 {
		return nil
	}
	return afterAdd.Tell(c.tx, r.Hooks, &c.call.Actor, int64(c.owner.ID), func() (addedBody, error) {
		body := addedBody{Command: clientCommand, Force: force, Pairs: pairs, EventTime: c.tx.Now().UnixMilli()}
		if c.call.Admin() {
			body.Admin = c.call.UserID
		}
		return body, nil
	})
}

// tellPairs stores a callback of rows that came or went.
func (r *Relations) tellPairs(c *change, callback webhook.After[pairsBody], pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	return callback.Tell(c.tx, r.Hooks, &c.call.Actor, int64(c.owner.ID), func() (pairsBody, error) {
		return pairsBody{pairs, c.tx.Now().UnixMilli()}, nil
	})
}
