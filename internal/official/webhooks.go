package official

import (
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// The codes by which a back end may refuse with a code of its own.
const (
	lowCode  = 10100
	highCode = 10200
)

func blocking(name, doc, section string) webhook.Spec {
	return webhook.Spec{
		Command: name, Doc: doc, Section: section, Refused: im.CodeGroupRefused, Unanswered: im.CodeGroupRefused,
		Low: lowCode, High: highCode,
	}
}

func notifying(name, doc, section string) webhook.Spec {
	return webhook.Spec{Command: name, Doc: doc, Section: section}
}

// What this room asks and tells an application's back end.
var (
	beforeCreate = webhook.NewBefore[createAsk](blocking("OfficialAccount.CallbackBeforeCreateOfficialAccount",
		"an official account is about to be made", "webhooks.md#officialaccountcallbackbeforecreateofficialaccount"))
	afterCreate = webhook.NewAfter[createdBody](notifying("OfficialAccount.CallbackAfterCreateOfficialAccount",
		"an official account was made", "webhooks.md#officialaccountcallbackaftercreateofficialaccount"))
	afterEdit = webhook.NewAfter[editedBody](notifying("OfficialAccount.CallbackAfterOfficialAccountInfoChanged",
		"an official account's profile changed", "webhooks.md#officialaccountcallbackafterofficialaccountinfochanged"))
	afterDestroy = webhook.NewAfter[destroyedBody](notifying("OfficialAccount.CallbackAfterOfficialAccountDestroyed",
		"an official account was destroyed", "webhooks.md#officialaccountcallbackafterofficialaccountdestroyed"))
	beforeSubscribe = webhook.NewBefore[subscribersBody](blocking("OfficialAccount.CallbackBeforeAddSubscriber",
		"accounts are about to subscribe", "webhooks.md#officialaccountcallbackbeforeaddsubscriber"))
	afterSubscribe = webhook.NewAfter[subscribersBody](notifying("OfficialAccount.CallbackAfterAddSubscriber",
		"accounts subscribed", "webhooks.md#officialaccountcallbackafteraddsubscriber"))
	afterFull = webhook.NewAfter[fullBody](notifying("OfficialAccount.CallbackAfterOfficialAccountFull",
		"an official account has all the subscribers that it may have", "webhooks.md#officialaccountcallbackafterofficialaccountfull"))
	afterUnsubscribe = webhook.NewAfter[subscribersBody](notifying("OfficialAccount.CallbackAfterDeleteSubscriber",
		"accounts do not subscribe any more", "webhooks.md#officialaccountcallbackafterdeletesubscriber"))
	beforeSend = webhook.NewBefore[askBody](webhook.Spec{
		Command: "OfficialAccount.CallbackBeforeSendMsg", Doc: "an official account is about to say something",
		Section: "webhooks.md#officialaccountcallbackbeforesendmsg",
		Refused: im.CodeGroupRefused, Unanswered: im.CodeCallbackFailed, Low: lowCode, High: highCode, MaySilence: true,
	})
	afterSend = webhook.NewAfter[saidBody](notifying("OfficialAccount.CallbackAfterSendMsg",
		"an official account said something", "webhooks.md#officialaccountcallbackaftersendmsg"))
	afterRecall = webhook.NewAfter[recalledBody](notifying("OfficialAccount.CallbackAfterMsgWithDraw",
		"an official account took back what it said", "webhooks.md#officialaccountcallbackaftermsgwithdraw"))
)

// Webhooks lists the callbacks that the room fires.
func (*Officials) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{
		beforeCreate.Declaration(), afterCreate.Declaration(), afterEdit.Declaration(), afterDestroy.Declaration(),
		beforeSubscribe.Declaration(), afterSubscribe.Declaration(), afterFull.Declaration(), afterUnsubscribe.Declaration(),
		beforeSend.Declaration(), afterSend.Declaration(), afterRecall.Declaration(),
	}
}

// The EventTime of a body is in unix milliseconds.
type (
	createAsk struct {
		Operator  string `json:"Operator_Account"`
		Owner     string `json:"Owner_Account"`
		Name      string `json:"Name"`
		EventTime int64  `json:"EventTime"`
	}
	createdBody struct {
		Official  string `json:"Official_Account"`
		Operator  string `json:"Operator_Account"`
		Owner     string `json:"Owner_Account"`
		Name      string `json:"Name"`
		EventTime int64  `json:"EventTime"`
	}
	// editedBody has the fields that changed.
	editedBody struct {
		Official     string  `json:"Official_Account"`
		Operator     string  `json:"Operator_Account"`
		Name         *string `json:"Name,omitzero"`
		Introduction *string `json:"Introduction,omitzero"`
		FaceURL      *string `json:"FaceUrl,omitzero"`
		Organization *string `json:"Organization,omitzero"`
		EventTime    int64   `json:"EventTime"`
	}
	destroyedBody struct {
		Official  string `json:"Official_Account"`
		Owner     string `json:"Owner_Account"`
		Name      string `json:"Name"`
		EventTime int64  `json:"EventTime"`
	}
	subscribersBody struct {
		Official  string       `json:"Official_Account"`
		Operator  string       `json:"Operator_Account"`
		List      []subscriber `json:"SubscribeAccountList"`
		EventTime int64        `json:"EventTime"`
	}
	fullBody struct {
		Official  string `json:"Official_Account"`
		EventTime int64  `json:"EventTime"`
	}
	// askBody is also what is known of a message before it is stored.
	askBody struct {
		Official   string    `json:"Official_Account"`
		OnlineOnly wire.Bool `json:"OnlineOnlyFlag"`
		Body       wire.Raw  `json:"MsgBody"`
		CloudData  string    `json:"CloudCustomData"`
		EventTime  int64     `json:"EventTime"`
	}
	saidBody struct {
		askBody
		// Placed is left out of the callbacks that are made before the message is stored, and joined to them then.
		*Placed
	}
	recalledBody struct {
		Official  string     `json:"Official_Account"`
		List      []namedKey `json:"WithdrawMsgList"`
		EventTime int64      `json:"EventTime"`
	}
)

// Placed is what is known of a message once it is stored.
type Placed struct {
	Key  string `json:"MsgKey"`
	Time int64  `json:"MsgTime"`
}

// json writes it by hand: this happens inside the commit. Nothing in it needs escaping.
func (p *Placed) json() []byte {
	return fmt.Appendf(nil, `{"MsgKey":"%s","MsgTime":%d}`, p.Key, p.Time)
}

// subscriber is one in callbacks and requests.
type subscriber struct {
	UserID string `json:"Subscriber_Account"`
}

func subscribersOf(accounts []account.Account) []subscriber {
	all := make([]subscriber, len(accounts))
	for i, one := range accounts {
		all[i].UserID = one.UserID
	}
	return all
}

// eventTime is the transaction's time as callbacks have it.
func eventTime(tx *db.Tx) int64 { return tx.Now().UnixMilli() }
