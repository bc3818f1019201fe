package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// What this room asks and tells an application's back end.
var (
	beforeSend = webhook.NewBefore[askBody](webhook.Spec{
		Command: "C2C.CallbackBeforeSendMsg", Doc: "somebody sends a message", Section: "webhooks.md#c2ccallbackbeforesendmsg",
		Refused: im.CodeMessageRefused, Unanswered: im.CodeCallbackFailed, Low: 120001, High: 130000, MaySilence: true,
	})
	afterSend = webhook.NewAfter[sentBody](webhook.Spec{
		Command: "C2C.CallbackAfterSendMsg", Doc: "a message was sent, or could not be",
		Section: "webhooks.md#c2ccallbackaftersendmsg",
	})
	robotAddressed = webhook.NewAfter[sentBody](webhook.Spec{
		Command: "Bot.OnC2CMessage", Doc: "somebody wrote to a robot", Section: "webhooks.md#botonc2cmessage",
	})
	afterRead = webhook.NewAfter[readBody](webhook.Spec{
		Command: "C2C.CallbackAfterMsgReport", Doc: "an account has read a conversation",
		Section: "webhooks.md#c2ccallbackaftermsgreport",
	})
	afterRecall = webhook.NewAfter[recallBody](webhook.Spec{
		Command: "C2C.CallbackAfterMsgWithDraw", Doc: "a message was recalled",
		Section: "webhooks.md#c2ccallbackaftermsgwithdraw",
	})
	afterExtension = webhook.NewAfter[extensionBody](webhook.Spec{
		Command: "C2C.CallbackAfterC2CMsgExtension", Doc: "something was attached to a message",
		Section: "webhooks.md#c2ccallbackafterc2cmsgextension",
	})
	afterReceipt = webhook.NewAfter[receiptBody](webhook.Spec{
		Command: "C2C.CallbackAfterMsgReadReceipt", Doc: "an account has read messages that asked for receipts",
		Section: "webhooks.md#c2ccallbackaftermsgreadreceipt",
	})
)

// Webhooks lists the callbacks that the room fires.
func (m *Messages) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{
		beforeSend.Declaration(), afterSend.Declaration(), robotAddressed.Declaration(),
		afterRead.Declaration(), afterRecall.Declaration(), afterReceipt.Declaration(), afterExtension.Declaration(),
		afterEdit.Declaration(),
	}
}

// sentParts is what is known of a message before it is stored.
type sentParts struct {
	From       string    `json:"From_Account"`
	To         string    `json:"To_Account"`
	Seq        int64     `json:"MsgSeq"`
	Random     int64     `json:"MsgRandom"`
	OnlineOnly wire.Bool `json:"OnlineOnlyFlag"`
	Body       wire.Raw  `json:"MsgBody"`
	CloudData  string    `json:"CloudCustomData"`
}

// askBody is what beforeSend asks. Time and key are those that the message would have if it were stored at once.
type askBody struct {
	sentParts
	Time      int64  `json:"MsgTime"`
	Key       string `json:"MsgKey"`
	ID        string `json:"MsgId"`
	EventTime int64  `json:"EventTime"`
}

// sentBody is what afterSend and robotAddressed tell.
type sentBody struct {
	sentParts
	Result im.Code `json:"SendMsgResult"`
	Info   string  `json:"ErrorInfo"`
	// Placed is left out of the callbacks that are made before the message is stored, and joined to them then.
	*Placed
}

// Placed is what is known of a message once it is stored.
type Placed struct {
	Time      int64  `json:"MsgTime"`
	Key       string `json:"MsgKey"`
	ID        string `json:"MsgId"`
	Unread    int64  `json:"UnreadMsgNum"` // of the receiver, in all conversations; -1 of a message that was refused
	EventTime int64  `json:"EventTime"`
}

// json writes it by hand: this happens inside the commit for which everybody waits. Nothing in it needs escaping.
func (p *Placed) json() []byte {
	return fmt.Appendf(nil, `{"MsgTime":%d,"MsgKey":"%s","MsgId":"%s","UnreadMsgNum":%d,"EventTime":%d}`,
		p.Time, p.Key, p.ID, p.Unread, p.EventTime)
}

type readBody struct {
	Reader    string `json:"Report_Account"`
	Peer      string `json:"Peer_Account"`
	Time      int64  `json:"LastReadTime"`
	Unread    int64  `json:"UnreadMsgNum"` // of the reader, in all conversations
	EventTime int64  `json:"EventTime"`
}

type recallBody struct {
	From      string `json:"From_Account"`
	To        string `json:"To_Account"`
	Key       string `json:"MsgKey"`
	Unread    int64  `json:"UnreadMsgNum"` // of the receiver, in all conversations
	EventTime int64  `json:"EventTime"`
}

// callbackOrder names the order of the callbacks of one chat, whichever of the two accounts caused them.
func callbackOrder(x, y im.AccountID) int64 {
	of := chat.Between(x, y)
	return of.Low*31 + of.High
}

func (d *Draft) parts() sentParts {
	return sentParts{
		From: d.Sender.UserID, To: d.Receiver.UserID, Seq: d.Seq, Random: d.Random,
		OnlineOnly: wire.Bool(d.OnlineOnly), Body: wire.Raw(d.Body), CloudData: d.CloudData,
	}
}

// ask lets the back end decide on the message and takes over the body that it answers with. Until it has answered, later
// messages of the session to the same receiver wait, so that they are stored in the order in which they came; others do not.
// What the gate refuses, or keeps from the receiver, nobody is asked about.
func (m *Messages) ask(ctx context.Context, by *command.Call, d *Draft) (webhook.Answer, error) {
	if err := m.judge(ctx, d); err != nil {
		return webhook.Answer{}, err
	}
	forbidden := d.Unasked || d.unheard()
	answer, err := beforeSend.Ask(ctx, by, m.hooks, webhook.Question[askBody]{
		Key: "c2c:" + d.Receiver.UserID, Forbidden: forbidden,
		Use: func(answer *webhook.Answer) error { return d.TakeOver(by.App, answer) },
		Body: func() (askBody, error) {
			now := m.db.Now()
			return askBody{
				sentParts: d.parts(), Time: now.Unix(), Key: Key{d.Seq, d.Random, now.Unix()}.String(),
				ID: d.MessageID(now.Unix()), EventTime: now.UnixMilli(),
			}, nil
		},
	})
	if err == nil && d.OnlineOnly && !forbidden && beforeSend.Wanted(by.App) { // it is not stored, so this is the last look
		err = m.judge(ctx, d)
	}
	answer.Silent = answer.Silent || d.OnlineOnly && d.unheard()
	return answer, err
}

// prepare makes the callbacks of a message that is about to be stored; tellSent completes them.
func (m *Messages) prepare(by *command.Call, d *Draft) error {
	callbacks, err := d.callbacksOf(by, sentBody{sentParts: d.parts(), Info: "send msg succeed"})
	d.Callbacks = callbacks
	return err
}

func (d *Draft) callbacksOf(by *command.Call, body sentBody) ([]webhook.Callback, error) {
	var callbacks []webhook.Callback
	if !d.Untold {
		some, err := d.callbackOf(by, afterSend, body)
		if err != nil {
			return nil, err
		}
		callbacks = some
	}
	toRobot := account.IsRobot(d.Receiver.UserID) && !account.IsRobot(d.Sender.UserID)
	if toRobot && body.Result == im.CodeOK {
		some, err := d.callbackOf(by, robotAddressed, body)
		if err != nil {
			return nil, err
		}
		callbacks = append(callbacks, some...)
	}
	return callbacks, nil
}

func (d *Draft) callbackOf(by *command.Call, callback webhook.After[sentBody], body sentBody) ([]webhook.Callback, error) {
	order := callbackOrder(d.Sender.ID, d.Receiver.ID)
	return callback.Prepare(&by.Actor, order, func() (sentBody, error) { return body, nil })
}

// tellSent stores the callbacks of the messages that the transaction adds.
func (m *Messages) tellSent(tx *db.Tx, drafts []*Draft) error {
	told := make([]*Draft, 0, len(drafts))
	receivers := make([]im.AccountID, 0, len(drafts))
	for _, d := range drafts {
		if len(d.Callbacks) > 0 && !d.Duplicate && !d.unheard() {
			told = append(told, d)
			receivers = append(receivers, d.Receiver.ID)
		}
	}
	if len(told) == 0 {
		return nil
	}
	unread, err := m.chats.Unread(context.Background(), tx, receivers)
	if err != nil {
		return err
	}
	callbacks := make([]webhook.Callback, 0, len(told))
	for _, d := range told {
		placed := d.placed(unread[d.Receiver.ID], tx.Now().UnixMilli()).json()
		for _, c := range d.Callbacks {
			callbacks = append(callbacks, c.With(placed))
		}
	}
	return m.hooks.Add(tx, callbacks...)
}

func (d *Draft) placed(unread, eventTime int64) *Placed {
	return &Placed{
		Time: d.Message.Time, Key: Key(d.Message.Key()).String(), ID: d.MessageID(d.Message.ClientTime),
		Unread: unread, EventTime: eventTime,
	}
}

// tellOnlineOnly stores the callbacks of a message that is not stored itself: the back end did not answer, and its policy
// is to refuse, or the message is online-only.
func (m *Messages) tellOnlineOnly(ctx context.Context, by *command.Call, d *Draft, refused error) error {
	body := sentBody{sentParts: d.parts(), Info: "send msg succeed"}
	unread := int64(-1)
	if refusal, ok := im.Refusal(refused); ok {
		body.Result, body.Info = refusal.Code, refusal.Info
	} else if afterSend.Wanted(by.App) || robotAddressed.Wanted(by.App) {
		counts, err := m.chats.Unread(ctx, m.db, []im.AccountID{d.Receiver.ID})
		if err != nil {
			return err
		}
		unread = counts[d.Receiver.ID]
	}
	now := m.db.Now()
	if d.Message.Time == 0 {
		d.Message.Seq, d.Message.Random, d.Message.Time, d.Message.ClientTime = d.Seq, d.Random, now.Unix(), now.Unix()
	}
	body.Placed = d.placed(unread, now.UnixMilli())
	callbacks, err := d.callbacksOf(by, body)
	if err != nil {
		return err
	}
	return m.hooks.AddAlone(ctx, callbacks...)
}

// tellRead stores the callback of a moved read mark, in the transaction that moves it.
func (m *Messages) tellRead(ctx context.Context, tx *db.Tx, call *command.Call, r *readMark) error {
	return afterRead.Tell(tx, m.hooks, &call.Actor, callbackOrder(r.reader.ID, r.peer.ID), func() (readBody, error) {
		unread, err := m.chats.Unread(ctx, tx, []im.AccountID{r.reader.ID})
		return readBody{
			Reader: r.reader.UserID, Peer: r.peer.UserID, Time: r.until, Unread: unread[r.reader.ID], EventTime: tx.Now().UnixMilli(),
		}, err
	})
}

// tellRecall stores the callback of a recall, in its transaction.
func (m *Messages) tellRecall(ctx context.Context, tx *db.Tx, call *command.Call, r *recall) error {
	return afterRecall.Tell(tx, m.hooks, &call.Actor, callbackOrder(r.sender.ID, r.receiver.ID), func() (recallBody, error) {
		unread, err := m.chats.Unread(ctx, tx, []im.AccountID{r.receiver.ID})
		return recallBody{
			From: r.sender.UserID, To: r.receiver.UserID, Key: r.key.String(), Unread: unread[r.receiver.ID],
			EventTime: tx.Now().UnixMilli(),
		}, err
	})
}
