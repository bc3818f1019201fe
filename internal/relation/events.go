package relation

import (
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// listChanged tells an account's devices of changes in its friends, requests and blocklist (docs/protocol/wire.md#friends).
var listChanged = event.Define[[]*listEvent](7, "FriendListMod")

// followChanged tells an account's devices of those whom it follows, or who follow it.
var followChanged = event.Define[[]followEvent](27, "FollowChangeList")

// Events lists what the room pushes.
func (r *Relations) Events() []event.Declared {
	return []event.Declared{listChanged.Declaration(), followChanged.Declaration()}
}

type followEvent struct {
	From    string       `json:"From_Account"` // the other account
	Nick    string       `json:"NickName"`
	FaceURL string       `json:"FaceUrl"`
	Changes []followDiff `json:"FollowDiffList"`
}

type followDiff struct {
	Add  wire.Bool `json:"IsAdd"`
	Kind int       `json:"FollowType"`
}

// The kinds of changes, PushType on the wire.
const (
	friendsAdded   = 1
	friendsRemoved = 2
	requestsMade   = 3
	requestsGone   = 4
	blocksAdded    = 5
	blocksRemoved  = 6
	requestsRead   = 7
	friendsChanged = 8
)

type listEvent struct {
	Kind      int             `json:"PushType"`
	From      string          `json:"From_Account,omitempty"` // of requests: who asks
	Added     []string        `json:"FriendAdd_Account,omitempty"`
	Removed   []string        `json:"FriendDel_Account,omitempty"`
	Requests  []requestEvent  `json:"PendencyAdd,omitempty"`
	Gone      []string        `json:"FrienPencydDel_Account,omitempty"` // as the wire spells it
	Blocked   []string        `json:"BlackListAdd_Account,omitempty"`
	Unblocked []string        `json:"BlackListDel_Account,omitempty"`
	ReadAt    int64           `json:"ReportTime,omitzero"`
	Changed   []friendChanged `json:"FriendUpInfo,omitempty"`
}

type requestEvent struct {
	Account string `json:"PendencyAdd_Account"`
	Nick    string `json:"ProfileImNick"`
	Image   string `json:"ProfileImImage"`
	Time    int64  `json:"AddTime"`
	Source  string `json:"AddSource"`
	Wording string `json:"AddWording"`
	Kind    string `json:"PendencyType"`
}

type friendChanged struct {
	Account    string         `json:"Friend_Account"`
	Fields     []changedField `json:"Sns"` // as the full web SDK reads it
	FieldsLite []changedField `json:"SNS"` // as the newer one does
}

// changedField is a field of a friend: a text, or the list of the friend's groups.
type changedField struct {
	Tag   string `json:"Tag"`
	Value any    `json:"ValueBytes"`
}

// news is what devices are told once a change is on disk: for each account, in the order in which it happened.
type news struct {
	call  *command.Call
	order []im.AccountID
	of    map[im.AccountID][]event.Event
	lists map[im.AccountID][]*listEvent
	// except is the device that asked, where its client applies the reply itself and would tell its application twice.
	except im.DeviceID
}

func newNews(call *command.Call) *news {
	return &news{call: call, of: map[im.AccountID][]event.Event{}, lists: map[im.AccountID][]*listEvent{}}
}

// about returns the account's event of a kind that it may add to, of those who ask of the same one. The newer web SDK reads the
// first of an event's list only, so each is an event of its own.
func (n *news) about(to im.AccountID, kind int, from string) *listEvent {
	all := n.lists[to]
	if i := slices.IndexFunc(all, func(e *listEvent) bool { return e.Kind == kind && e.From == from }); i >= 0 {
		return all[i]
	}
	e := &listEvent{Kind: kind, From: from}
	n.lists[to] = append(all, e)
	n.tell(to, listChanged.Of([]*listEvent{e}))
	return e
}

func (n *news) tell(to im.AccountID, e event.Event) {
	if len(n.of[to]) == 0 {
		n.order = append(n.order, to)
	}
	n.of[to] = append(n.of[to], e)
}

// followed tells of one who follows, or is followed, from now on (1) or no more (-1).
func (n *news) followed(to im.AccountID, other account.Account, kind int, by int64) {
	n.tell(to, followChanged.Of([]followEvent{{
		From: other.UserID, Nick: other.Nick, FaceURL: other.FaceURL, Changes: []followDiff{{by > 0, kind}},
	}}))
}

func (n *news) added(to im.AccountID, friend account.Account) {
	e := n.about(to, friendsAdded, "")
	e.Added = append(e.Added, friend.UserID)
}

func (n *news) removed(to im.AccountID, friend account.Account) {
	e := n.about(to, friendsRemoved, "")
	e.Removed = append(e.Removed, friend.UserID)
}

func (n *news) blocked(to im.AccountID, who account.Account) {
	e := n.about(to, blocksAdded, "")
	e.Blocked = append(e.Blocked, who.UserID)
}

func (n *news) unblocked(to im.AccountID, who account.Account) {
	e := n.about(to, blocksRemoved, "")
	e.Unblocked = append(e.Unblocked, who.UserID)
}

// push tells the devices. A client shows most changes by the event alone, so the asking device gets it too.
func (r *Relations) push(n *news) {
	except := n.except
	if n.call.Lite { // its kits wait for the event of what they did
		except = 0
	}
	for _, to := range n.order {
		if err := r.Router.Push(event.Devices(to).Except(except), n.of[to]...); err != nil {
			r.Log.Warn("push relations", telemetry.FieldAccount, to, telemetry.FieldError, err)
		}
	}
}
