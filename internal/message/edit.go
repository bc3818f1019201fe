package message

import (
	"bytes"
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Edit is a change of a message's body or cloud custom data.
type Edit struct {
	Sender, Receiver account.Account
	Key              Key
	// Change gives the new content for the one that is stored, or refuses. It may run several times.
	Change func(old chat.Editable) (chat.Editable, error)
}

// Edited is a message as it stands after an edit, or as it stood when the edit was refused.
type Edited struct {
	*chat.Message
	sender, receiver account.Account
}

// editRequest names the message by MsgKey at the REST door, and by its three numbers at the client door, where it also
// says which version the client has.
type editRequest struct {
	From      string   `json:"From_Account"`
	To        string   `json:"To_Account"`
	Key       string   `json:"MsgKey"`
	Seq       int64    `json:"MsgSeq"`
	Random    int64    `json:"MsgRandom"`
	Time      int64    `json:"MsgTime"`
	Version   int64    `json:"MsgVersion"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData *string  `json:"CloudCustomData"`
}

// editReply is a client's: also beside CodeEditConflict, where it is the message as others have edited it.
type editReply struct {
	Body      wire.Raw `json:"MsgBody"`
	Version   int64    `json:"MsgVersion"`
	CloudData string   `json:"CloudCustomData"`
}

func (m *Messages) editCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_c2c_msg", By: command.Administrator | command.Account, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: peerCodes(),
		Doc: "edit a stored message", Section: "rest.md#modify_c2c_msg",
	}, m.edit)
}

// edit edits for a back end without a condition, and for either party of the chat if it has seen the latest version.
func (m *Messages) edit(ctx context.Context, call *command.Call, r *editRequest) (*editReply, error) {
	e, err := m.requested(ctx, call, r)
	if err != nil {
		return nil, err
	}
	size := len(r.Body)
	if r.CloudData != nil {
		size += len(*r.CloudData)
	}
	if err := call.Store(1, size); err != nil {
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
	return &editReply{wire.Raw(done.Body), done.Version, done.CloudData}, err
}

// requested checks the request's own fields and the parties.
func (m *Messages) requested(ctx context.Context, call *command.Call, r *editRequest) (*Edit, error) {
	e := &Edit{Key: Key{r.Seq, r.Random, r.Time}}
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
	e.Change, err = r.change(call)
	return e, err
}

// change makes the edit of a request: of body, cloud custom data or both, within the bounds of a sent message.
func (r *editRequest) change(call *command.Call) (func(chat.Editable) (chat.Editable, error), error) {
	most := maxBytes.Of(call.App)
	withBody := given(r.Body, r.CloudData)
	if call.Admin() && r.CloudData != nil && *r.CloudData == "" {
		r.CloudData = nil // a typed language's back end that edits the body alone
	}
	if !withBody && r.CloudData == nil {
		return nil, im.Errorf(im.CodeMessageFormat, "neither MsgBody nor CloudCustomData is given")
	}
	var body []byte
	if withBody {
		parsed, err := element.Parse(r.Body, most)
		if err != nil {
			return nil, err
		}
		body = parsed.JSON()
	}
	return func(next chat.Editable) (chat.Editable, error) {
		if !call.Admin() && r.Version != next.Version {
			return next, im.Errorf(im.CodeEditConflict, "the message has version %d by now, not %d", next.Version, r.Version)
		}
		if withBody {
			next.Body = body
		}
		if r.CloudData != nil {
			next.CloudData = wire.Text(*r.CloudData)
		}
		if size := len(next.Body) + len(next.CloudData); size > most {
			return next, im.Errorf(im.CodeMessageTooLong, "MsgBody and CloudCustomData have %d bytes together, at most %d", size, most)
		}
		return next, nil
	}, nil
}

// given reports whether a body is there. Typed languages also write an empty list beside cloud data that is to change alone.
func given(body wire.Raw, cloudData *string) bool {
	switch {
	case len(body) == 0, body.Kind() == 'n':
		return false
	case body.Kind() == '[' && cloudData != nil:
		return len(bytes.TrimSpace(body[1:len(body)-1])) > 0
	}
	return true
}

// Edit stores the change and pushes nothing; when it returns, the change is on disk. With a refusal it also gives the
// message, if there is one. Edits of one message that meet are made one after the other.
func (m *Messages) Edit(ctx context.Context, e Edit) (*Edited, error) {
	found, err := m.chats.Edit(ctx, chat.Edit{
		Chat: chat.Between(e.Sender.ID, e.Receiver.ID), Key: chat.Key(e.Key), From: e.Sender.ID, Change: e.Change,
	})
	switch {
	case errors.Is(err, chat.ErrUnknown):
		err = noMessage(e.Key, e.Sender, e.Receiver)
	case errors.Is(err, chat.ErrRecalled):
		err = im.Errorf(im.CodeMessageRecalled, "message %s was recalled", e.Key)
	}
	return &Edited{found, e.Sender, e.Receiver}, err
}

// Announce tells the devices of both parties what the message says now, all but one. Devices pass over a version that
// is not newer than theirs, so the order of announcements does not matter.
func (m *Messages) Announce(e *Edited, except im.DeviceID) {
	m.pushParties(e.sender, e.receiver, e.Message, except, modifiedOf(e.sender, e.receiver, e.Message))
}
