package message

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// Edit is a change of a message's body or cloud custom data.
type Edit struct {
	Sender, Receiver account.Account
	Key              Key
	// Change gives the new content for the one that is stored, or refuses. It may run several times.
	Change func(old chat.Editable) (chat.Editable, error)
	// Then is called in the transaction of the change, perhaps several times, and may refuse it; nil is nothing.
	Then func(tx *db.Tx, changed *chat.Message) error
}

// Edited is a message as it stands after an edit, or as it stood when the edit was refused.
type Edited struct {
	*chat.Message
	sender, receiver account.Account
}

// editRequest names the message by MsgKey at the REST door, and by its three numbers at the client door, where it also
// says which version the client has.
type editRequest struct {
	From   string `json:"From_Account"`
	To     string `json:"To_Account"`
	Key    string `json:"MsgKey"`
	Seq    int64  `json:"MsgSeq"`
	Random int64  `json:"MsgRandom"`
	Time   int64  `json:"MsgTime"`
	send.Change
}

func (m *Messages) editCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_c2c_msg", By: command.Administrator | command.Account, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: peerCodes(),
		Doc: "edit a stored message", Section: "rest.md#modify_c2c_msg",
	}, m.edit)
}

// edit edits for a back end without a condition, and for either party of the chat if it has seen the latest version.
func (m *Messages) edit(ctx context.Context, call *command.Call, r *editRequest) (*send.Changed, error) {
	e, err := m.requested(ctx, call, r)
	if err != nil {
		return nil, err
	}
	if err := m.line.MayEdit(ctx, m.db, call); err != nil {
		return nil, err
	}
	if err := call.Store(1, r.Size()); err != nil {
		return nil, err
	}
	done, err := m.Edit(ctx, *e)
	if call.Admin() {
		if err == nil {
			m.Announce(done, 0)
		}
		return nil, err
	}
	if refusal, ok := im.Refusal(err); err != nil && (!ok || refusal.Code != im.CodeEditConflict) {
		return nil, err
	}
	if err == nil {
		m.Announce(done, call.Device)
	}
	return send.ChangedTo(done.Message), err
}

// requested checks the request's own fields and the parties.
func (m *Messages) requested(ctx context.Context, call *command.Call, r *editRequest) (*Edit, error) {
	e := &Edit{Key: Key{r.Seq, r.Random, r.Time}}
	e.Then = func(tx *db.Tx, changed *chat.Message) error {
		if err := m.line.MayEdit(ctx, tx, call); err != nil {
			return err
		}
		return m.tellEdit(tx, call, e, changed)
	}
	var err error
	switch {
	case call.Admin():
		if e.Key, err = ParseKey(r.Key); err != nil {
			return nil, err
		}
		if r.From == "" {
			return nil, im.Errorf(im.CodeMessageSender, "From_Account is missing")
		}
	case call.UserID != r.From && call.UserID != r.To:
		return nil, im.Errorf(im.CodeMessageParty, "only sender and receiver edit a message")
	}
	if e.Sender, e.Receiver, err = m.messageParties(ctx, call.App, r.From, r.To); err != nil {
		return nil, err
	}
	e.Change, err = r.Rewrite(call)
	return e, err
}

// Edit stores the change and pushes nothing; when it returns, the change is on disk. With a refusal it also gives the
// message, if there is one. Edits of one message that meet are made one after the other.
func (m *Messages) Edit(ctx context.Context, e Edit) (*Edited, error) {
	found, err := m.chats.Edit(ctx, chat.Edit{
		Chat: chat.Between(e.Sender.ID, e.Receiver.ID), Key: chat.Key(e.Key), From: e.Sender.ID, Change: e.Change,
		Then: func(tx *db.Tx, changed *chat.Message) error {
			if err := m.line.KeepBundles(ctx, tx, changed.Body); err != nil || e.Then == nil {
				return err
			}
			return e.Then(tx, changed)
		},
	})
	switch {
	case errors.Is(err, chat.ErrUnknown):
		err = noMessage(e.Key, e.Sender, e.Receiver)
	case errors.Is(err, chat.ErrRecalled):
		err = im.Errorf(im.CodeMessageRecalled, "message %s was recalled", e.Key)
	}
	return &Edited{found, e.Sender, e.Receiver}, err
}

var afterEdit = webhook.NewAfter[editBody](webhook.Spec{
	Command: "C2C.CallbackAfterModifyMsg", Doc: "a message was edited", Section: "webhooks.md#c2ccallbackaftermodifymsg",
})

type editBody struct {
	Operator  string   `json:"Operator_Account"`
	From      string   `json:"From_Account"`
	To        string   `json:"To_Account"`
	Seq       int64    `json:"MsgSeq"`
	Random    int64    `json:"MsgRandom"`
	Time      int64    `json:"MsgTime"`
	Key       string   `json:"MsgKey"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData string   `json:"CloudCustomData"`
	EventTime int64    `json:"EventTime"` // unix milliseconds
}

// tellEdit stores the callback of an edit that somebody asked for, in its transaction.
func (m *Messages) tellEdit(tx *db.Tx, call *command.Call, e *Edit, changed *chat.Message) error {
	return afterEdit.Tell(tx, m.hooks, &call.Actor, callbackOrder(e.Sender.ID, e.Receiver.ID), func() (editBody, error) {
		return editBody{
			Operator: call.UserID, From: e.Sender.UserID, To: e.Receiver.UserID,
			Seq: changed.Seq, Random: changed.Random, Time: changed.Time, Key: Key(changed.Key()).String(),
			Body: wire.Raw(changed.Body), CloudData: changed.CloudData, EventTime: tx.Now().UnixMilli(),
		}, nil
	})
}

// Announce tells the devices of both parties what the message says now, all but one. Devices pass over a version that
// is not newer than theirs, so the order of announcements does not matter.
func (m *Messages) Announce(e *Edited, except im.DeviceID) {
	m.pushParties(e.sender, e.receiver, e.Message, except, modifiedOf(e.sender, e.receiver, e.Message))
}
