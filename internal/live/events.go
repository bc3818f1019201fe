package live

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/wire"
)

// What this room pushes (docs/protocol/wire.md#push-catalogue). What is in the lists is encoded once, when it comes.
var (
	newMessages = event.Define[[]wire.Raw](eventMessage, "GroupMsgArray")
	newTips     = event.Define[[]wire.Raw](eventTip, "GroupTips")
	broadcasts  = event.Define[[]wire.Raw](eventBroadcast, "GroupMsgArray")
	notes       = event.Define[[]wire.Raw](eventSystem, "GroupTips")
)

// The numbers of events.
const (
	eventMessage = 3
	eventSystem  = 5
	eventTip     = 6
)

// system is the account in whose name the server speaks, and systemTinyID its number.
const (
	system       = "@TIM#SYSTEM"
	systemTinyID = "144115198244471703"
)

// groupInfo is what a client learns of the group by an event.
type groupInfo struct {
	Group   string `json:"GroupId"`
	Name    string `json:"GroupName"`
	Type    string `json:"GroupType"`
	From    string `json:"From_Account"`
	Nick    string `json:"From_AccountNick"`
	FaceURL string `json:"From_AccountHeadurl"`
}

// systemEvent is what the server itself says in a live room: a tip, or news of the room (docs/protocol/wire.md#group-tips).
type systemEvent struct {
	From       string    `json:"From_Account"`
	To         string    `json:"ToGroupId"`
	Group      string    `json:"GroupId"`
	Info       groupInfo `json:"GroupInfo"`
	Sequence   int64     `json:"MsgSeq"`
	Random     int64     `json:"MsgRandom"`
	Time       int64     `json:"MsgTimeStamp"`
	ClientTime int64     `json:"MsgClientTime"`
	TinyID     string    `json:"TinyId"`
	ClientSeq  int64     `json:"ClientSeq"`
	Body       any       `json:"MsgBody"`
	Event      int       `json:"Event"`
	System     wire.Bool `json:"IsSystemMsg"`
}

type person struct {
	UserID string `json:"UserId"`
	Nick   string `json:"NickName"`
	Avatar string `json:"ImageUrl"`
}

func personOf(a *account.Account) person { return person{a.UserID, a.Nick, a.FaceURL} }

type onlineInfo struct {
	Number  int64 `json:"OnlineMemberNum"`
	Expires int   `json:"ExpireTime"`
}

// onlineExpires is for how many seconds clients believe a count.
const onlineExpires = 10

// tipBody is the body of a tip about accounts.
type tipBody struct {
	Kind     int        `json:"OpType"`
	Operator string     `json:"Operator_Account"`
	Accounts []string   `json:"List_Account"`
	By       person     `json:"MsgOperatorMemberExtraInfo"`
	Members  []person   `json:"MsgMemberExtraInfo"`
	Number   int64      `json:"MemberNum"`
	JoinType int        `json:"GroupJoinType,omitzero"`
	Online   onlineInfo `json:"OnlineMemberInfo"`
}

// The kinds of tips.
const (
	tipJoined  = 1
	tipQuit    = 2
	tipProfile = 6
	tipBanned  = 10
)

// applied is the GroupJoinType of somebody who joined by himself.
const applied = 1

// Events lists what the room pushes.
func (l *Rooms) Events() []event.Declared {
	return []event.Declared{newMessages.Declaration(), newTips.Declaration(), broadcasts.Declaration(), notes.Declaration()}
}
