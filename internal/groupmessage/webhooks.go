package groupmessage

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// What this room asks and tells an application's back end.
var (
	beforeSend = webhook.NewBefore[askBody](webhook.Spec{
		Command: "Group.CallbackBeforeSendMsg", Doc: "somebody sends a message to a group",
		Section: "webhooks.md#groupcallbackbeforesendmsg",
		Refused: im.CodeGroupRefused, Unanswered: im.CodeCallbackFailed, Low: 10100, High: 10200, MaySilence: true,
	})
	afterSend = webhook.NewAfter[sentBody](webhook.Spec{
		Command: "Group.CallbackAfterSendMsg", Doc: "a message was sent to a group",
		Section: "webhooks.md#groupcallbackaftersendmsg",
	})
	afterRecall = webhook.NewAfter[recallBody](webhook.Spec{
		Command: "Group.CallbackAfterRecallMsg", Doc: "a message of a group was recalled",
		Section: "webhooks.md#groupcallbackafterrecallmsg",
	})
	afterExtension = webhook.NewAfter[extensionBody](webhook.Spec{
		Command: "Group.CallbackAfterGroupMsgExtension", Doc: "something was attached to a message of a group",
		Section: "webhooks.md#groupcallbackaftergroupmsgextension",
	})
	afterReceipt = webhook.NewAfter[receiptBody](webhook.Spec{
		Command: "Group.CallbackAfterReadReceipt", Doc: "a member has read messages that asked for receipts",
		Section: "webhooks.md#groupcallbackafterreadreceipt",
	})
)

// Webhooks lists the callbacks that the room fires.
func (g *GroupMessages) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{
		beforeSend.Declaration(), afterSend.Declaration(), afterRecall.Declaration(), afterReceipt.Declaration(),
		afterExtension.Declaration(),
		robotMentioned.Declaration(),
		sendException.Declaration(), afterEdit.Declaration(),
	}
}

// sentParts is what is known of a message before it is stored.
type sentParts struct {
	Group      string    `json:"GroupId"`
	Type       string    `json:"Type"`
	From       string    `json:"From_Account"`
	Operator   string    `json:"Operator_Account"`
	Random     int64     `json:"Random"`
	OnlineOnly wire.Bool `json:"OnlineOnlyFlag"`
	Body       wire.Raw  `json:"MsgBody"`
	CloudData  string    `json:"CloudCustomData"`
	Topic      string    `json:"TopicId"`
}

// askBody is what beforeSend asks. The message's id is that which it would have if it were stored at once.
type askBody struct {
	sentParts
	ID        string `json:"MsgId"`
	EventTime int64  `json:"EventTime"` // unix milliseconds
}

// sentBody is what afterSend tells.
type sentBody struct {
	sentParts
	Mentions mentions `json:"GroupAtInfo"`
	// Placed is left out of the callbacks that are made before the message is stored, and joined to them then.
	*Placed
}

// Placed is what is known of a message once it is stored.
type Placed struct {
	Sequence  int64  `json:"MsgSeq"` // 0 of a message for whoever is online
	Time      int64  `json:"MsgTime"`
	ID        string `json:"MsgId"`
	EventTime int64  `json:"EventTime"` // unix milliseconds
}

// json writes it by hand: this happens inside the commit for which everybody waits. Nothing in it needs escaping.
func (p *Placed) json() []byte {
	return fmt.Appendf(nil, `{"MsgSeq":%d,"MsgTime":%d,"MsgId":"%s","EventTime":%d}`, p.Sequence, p.Time, p.ID, p.EventTime)
}

func (d *Draft) placedAt(eventTime int64) *Placed {
	return &Placed{d.Message.Sequence, d.Message.Time, d.MessageID(d.Message.ClientTime), eventTime}
}

func (d *Draft) parts(by *command.Call) sentParts {
	return sentParts{
		Group: d.Group.GroupID, Type: d.Group.Type.String(), From: d.Sender.UserID, Operator: by.UserID, Random: d.Random,
		OnlineOnly: wire.Bool(d.OnlineOnly), Body: wire.Raw(d.Body), CloudData: d.CloudData,
	}
}

// ask lets the back end decide on the message and takes over what it rewrites. Until it has answered, later messages of
// the connection to the same group wait. A message that the back end lets pass may still be one too many for the group.
func (g *GroupMessages) ask(ctx context.Context, by *command.Call, d *Draft) (webhook.Answer, error) {
	answer, err := g.askBackEnd(ctx, by, d)
	if err != nil || answer.Silent {
		return answer, err
	}
	if most := rateOf(by.App, d.Group.Type); !g.rate.allow(d.Group.ID, g.db.Now().Unix(), most) {
		if d.remembered { // no transaction will look
			if err := g.maySend(ctx, by, d); err != nil {
				answer.Refused = true // at once, of which nobody is told
				return answer, err
			}
		}
		d.dropped = fmt.Sprintf("more than %d messages to this group in one second", most)
		answer.Silent = true
	}
	return answer, nil
}

func (g *GroupMessages) askBackEnd(ctx context.Context, by *command.Call, d *Draft) (webhook.Answer, error) {
	return beforeSend.Ask(ctx, by, g.hooks, webhook.Question[askBody]{
		Key: "group:" + d.Group.GroupID, Forbidden: d.Unasked,
		Use: func(answer *webhook.Answer) error { return d.TakeOver(by.App, answer) },
		Body: func() (askBody, error) {
			now := g.db.Now()
			return askBody{d.parts(by), d.MessageID(now.Unix()), now.UnixMilli()}, nil
		},
	})
}

// prepare makes the callbacks of a message that is about to be stored; tellSent completes them.
func (g *GroupMessages) prepare(by *command.Call, d *Draft) (err error) {
	if d.Callbacks, err = d.events(by, nil); err != nil {
		return err
	}
	if d.toRobots, err = d.robotEvents(by); err != nil {
		return err
	}
	if d.remembered { // its sender's first check is that of the transaction
		return nil
	}
	d.refusals, err = d.exceptionEvents(by)
	return err
}

func (d *Draft) events(by *command.Call, placed *Placed) ([]webhook.Callback, error) {
	if d.Untold {
		return nil, nil
	}
	return afterSend.Prepare(&by.Actor, d.callbackOrder(), func() (sentBody, error) {
		return sentBody{d.parts(by), d.Mentions, placed}, nil
	})
}

// tellSent stores what the messages tell that the transaction adds: callbacks, and notifications of members that hear of their group
// by them.
func (g *GroupMessages) tellSent(tx *db.Tx, drafts []*Draft) error {
	if err := g.wake(tx, drafts); err != nil {
		return err
	}
	var events []webhook.Callback
	for _, d := range drafts {
		if len(d.Callbacks)+len(d.toRobots) == 0 || d.Duplicate {
			continue
		}
		placed := d.placedAt(tx.Now().UnixMilli()).json()
		for _, c := range d.Callbacks {
			events = append(events, c.With(placed))
		}
		more, err := d.completeRobots(placed)
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	return g.hooks.Add(tx, events...)
}

// tellOnlineOnly stores the callbacks of a message for whoever is online, or of one that is refused.
func (g *GroupMessages) tellOnlineOnly(ctx context.Context, by *command.Call, d *Draft, refused error) error {
	if refused != nil {
		return g.tellRefused(ctx, by, d, refused)
	}
	placed := d.placedAt(g.db.Now().UnixMilli())
	events, err := d.events(by, placed)
	if err != nil {
		return err
	}
	if d.toRobots, err = d.robotEvents(by); err != nil {
		return err
	}
	more, err := d.completeRobots(placed.json())
	if err != nil {
		return err
	}
	return g.hooks.AddAlone(ctx, append(events, more...)...)
}

type recallBody struct {
	Group     string     `json:"GroupId"`
	Type      string     `json:"Type"`
	Operator  string     `json:"Operator_Account"`
	List      []sequence `json:"MsgSeqList"`
	Topic     string     `json:"TopicId"`
	EventTime int64      `json:"EventTime"` // unix milliseconds
}

// tellRecall stores the callback of a recall, in its transaction.
func (g *GroupMessages) tellRecall(tx *db.Tx, call *command.Call, of *group.Group, target *chat.Message) error {
	return afterRecall.Tell(tx, g.hooks, &call.Actor, of.ID, func() (recallBody, error) {
		return recallBody{
			Group: of.GroupID, Type: of.Type.String(), Operator: call.UserID, List: []sequence{{target.Sequence}},
			EventTime: tx.Now().UnixMilli(),
		}, nil
	})
}
