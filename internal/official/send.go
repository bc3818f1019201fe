package official

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// draft is what an official account says before it is stored.
type draft struct {
	send.Draft
	official account.Account
}

// key is the MsgKey of what an official account said: its sequence and its time, with a 1 between, as the interface has it.
func key(m *chat.Message) string { return fmt.Sprintf("%d_1_%d", m.Sequence, m.Time) }

// readKey reads a MsgKey.
func readKey(text string) (sequence, second int64, err error) {
	first, rest, _ := strings.Cut(text, "_1_")
	sequence, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		second, err = strconv.ParseInt(rest, 10, 64)
	}
	if err != nil {
		return 0, 0, im.Errorf(im.CodeGroupParameter, "MsgKey is %.60q: want the one that send_official_account_msg answered", text)
	}
	return sequence, second, nil
}

type sendRequest struct {
	Official string `json:"Official_Account"`
	send.Fields
	Random *uint32 `json:"Random"`
}

type sendReply struct {
	Time int64  `json:"MsgTime"`
	Key  string `json:"MsgKey"`
}

func (o *Officials) sendCommand() command.Command {
	return command.NewDeferred(command.Spec{
		Service: service, Name: "send_official_account_msg", By: command.Administrator, Family: family(), Codes: codes(),
		Doc: "say something to all subscribers of an official account", Section: "rest.md#send_official_account_msg",
	}, o.send)
}

func (o *Officials) send(ctx context.Context, call *command.Call, r *sendRequest, answer func(*sendReply, error)) {
	d, err := o.draftOf(ctx, call, r)
	if err != nil {
		answer(nil, err)
		return
	}
	o.line.Submit(ctx, call, d, func(err error) {
		if err != nil {
			answer(nil, err)
			return
		}
		answer(&sendReply{d.Message.Time, key(&d.Message)}, nil)
	})
}

// repeatSeconds is for how long the same words with the same number are taken for a repeat.
const repeatSeconds = 300

func (o *Officials) draftOf(ctx context.Context, call *command.Call, r *sendRequest) (*draft, error) {
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	if r.Random == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Random is missing")
	}
	body, err := r.Parse(call)
	if err != nil {
		return nil, err
	}
	d := &draft{official: of}
	d.Draft.Draft = chat.Draft{
		App: of.App, Chat: chat.OfOfficial(of.ID), From: of.ID, Lifetime: im.MaxLifetimeSeconds, Body: body, Nick: of.Nick, FaceURL: of.FaceURL,
	}
	r.Into(&d.Draft, call)
	d.Random = int64(*r.Random)
	d.Recognise(o.DB.Now().Unix(), repeatSeconds)
	return d, nil
}

// rules are what official accounts add to the way of their drafts.
func (o *Officials) rules() send.Rules[draft] {
	return send.Rules[draft]{
		Of: func(d *draft) *send.Draft { return &d.Draft }, Ask: o.ask, Prepare: o.prepare, Admit: o.admit,
		Tell: o.tell, TellOnlineOnly: o.tellOnlineOnly, Push: o.push,
	}
}

func (d *draft) parts(eventTime int64) askBody {
	return askBody{d.official.UserID, wire.Bool(d.OnlineOnly), wire.Raw(d.Body), d.CloudData, eventTime}
}

func (d *draft) placed() *Placed { return &Placed{key(&d.Message), d.Message.Time} }

// ask lets the back end decide on what is said, and takes over what it rewrites.
func (o *Officials) ask(ctx context.Context, by *command.Call, d *draft) (webhook.Answer, error) {
	return beforeSend.Ask(ctx, by, o.Hooks, webhook.Question[askBody]{
		Key: "official:" + d.official.UserID, Forbidden: d.Unasked,
		Use:  func(answer *webhook.Answer) error { return d.TakeOver(by.App, answer) },
		Body: func() (askBody, error) { return d.parts(o.DB.Now().UnixMilli()), nil },
	})
}

func (o *Officials) prepare(by *command.Call, d *draft) (err error) {
	d.Callbacks, err = o.callbacks(by, d, nil)
	return err
}

func (o *Officials) callbacks(by *command.Call, d *draft, placed *Placed) ([]webhook.Callback, error) {
	if d.Untold {
		return nil, nil
	}
	return afterSend.Prepare(&by.Actor, int64(d.official.ID), func() (saidBody, error) {
		return saidBody{d.parts(o.DB.Now().UnixMilli()), placed}, nil
	})
}

// admit refuses what official accounts say that were destroyed meanwhile.
func (o *Officials) admit(tx *db.Tx, drafts []*draft) error {
	of := make([]im.AccountID, len(drafts))
	for i, d := range drafts {
		of[i] = d.official.ID
	}
	there, err := records(context.Background(), tx, of)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if _, ok := there[d.official.ID]; !ok {
			d.Refuse(errUnknown(d.official.UserID))
		}
	}
	return nil
}

// tell stores callbacks, and when the official accounts spoke last.
func (o *Officials) tell(tx *db.Tx, drafts []*draft) error {
	var (
		callbacks []webhook.Callback
		spoke     []im.AccountID
	)
	for _, d := range drafts {
		if d.Duplicate {
			continue
		}
		spoke = append(spoke, d.official.ID)
		for _, c := range d.Callbacks {
			callbacks = append(callbacks, c.With(d.placed().json()))
		}
	}
	if len(spoke) == 0 {
		return nil
	}
	_, err := tx.Exec(`UPDATE official_account SET last_said_at = $1 WHERE account_id IN ($2...)`, tx.Now().Unix(), db.Ints(spoke))
	if err != nil {
		return err
	}
	return o.Hooks.Add(tx, callbacks...)
}

// tellOnlineOnly stores the callback of what is said to whoever is online. Of what is refused nobody is told.
func (o *Officials) tellOnlineOnly(ctx context.Context, by *command.Call, d *draft, refused error) error {
	if refused != nil {
		return nil
	}
	callbacks, err := o.callbacks(by, d, d.placed())
	if err != nil {
		return err
	}
	return o.Hooks.AddAlone(ctx, callbacks...)
}

func (o *Officials) push(_ *command.Call, d *draft) {
	o.attempt(d.official.ID, o.Messages.PushOfficial(d.official, &d.Message, d.OnlineOnly))
}
