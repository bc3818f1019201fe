package message

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message/element"
	"github.com/magpie-im/magpie/internal/wire"
)

// Edit is a change of what a stored message says. The old content is gone then.
type Edit struct {
	Sender, Receiver account.Account
	Key              Key
	// Change gives the new content for the one that is stored, or refuses. It may run several times.
	Change func(old Content) (Content, error)
}

// Content is the part of a message that can be edited.
type Content struct {
	Body      wire.Raw
	CloudData string
	Version   int64 // how often the message was edited before; a change does not set it
}

// Edited is a message as it stands after an edit, or as it stood when the edit was refused.
type Edited struct {
	sender, receiver account.Account
	stored           stored
}

// Content is what the message says now.
func (e *Edited) Content() Content {
	return Content{wire.Raw(e.stored.body), e.stored.cloudData, e.stored.version}
}

// modifyRequest names the message by MsgKey at the REST door, and by its three numbers at the client door, where it also
// says which version the client has.
type modifyRequest struct {
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

// modifyReply is a client's: also beside CodeEditConflict, where it is what others made of the message.
type modifyReply struct {
	Body      wire.Raw `json:"MsgBody"`
	Version   int64    `json:"MsgVersion"`
	CloudData string   `json:"CloudCustomData"`
}

func (m *Messages) modifyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_c2c_msg", By: command.Administrator | command.Member, Family: im.FamilyMessage(), Fields: messageFields(),
		Doc: "edit a stored message", Section: "rest.md#modify_c2c_msg",
	}, m.modify)
}

// modify edits for a back end without a condition, and for either party of the chat if it has seen the latest version.
func (m *Messages) modify(ctx context.Context, call *command.Call, r *modifyRequest) (*modifyReply, error) {
	e, err := m.edit(ctx, call, r)
	if err != nil {
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
		m.Announce(done, call.Instance)
	}
	now := done.Content()
	return &modifyReply{now.Body, now.Version, now.CloudData}, err
}

// edit checks the request's own fields and the parties.
func (m *Messages) edit(ctx context.Context, call *command.Call, r *modifyRequest) (*Edit, error) {
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
		return nil, im.Errorf(im.CodeEditForbidden, "only sender and receiver edit a message")
	}
	if e.Sender, e.Receiver, err = m.parties(ctx, call, r.From, r.To); err != nil {
		return nil, peerCode(err)
	}
	e.Change, err = r.change(call)
	return e, err
}

// change makes the edit of a request: of body, cloud custom data or both, within the bounds of a sent message.
func (r *modifyRequest) change(call *command.Call) (func(Content) (Content, error), error) {
	most := call.App.Settings.MessageBytes
	withBody := len(r.Body) > 0 && r.Body.Kind() != 'n'
	if !withBody && r.CloudData == nil {
		return nil, im.Errorf(im.CodeMessageFormat, "neither MsgBody nor CloudCustomData is given")
	}
	var body wire.Raw
	if withBody {
		parsed, err := element.Parse(r.Body, most)
		if err != nil {
			return nil, (&content{}).tooLong(call, err)
		}
		body = parsed.JSON()
	}
	return func(next Content) (Content, error) {
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
			err := im.Errorf(im.CodeMessageTooLong, "MsgBody and CloudCustomData have %d bytes together, at most %d", size, most)
			return next, (&content{}).tooLong(call, err)
		}
		return next, nil
	}, nil
}

// Edit stores the change and pushes nothing; when it returns, the change is on disk. With a refusal it also gives the
// message, if there is one. Edits of one message that meet are made one after the other.
func (m *Messages) Edit(ctx context.Context, e Edit) (*Edited, error) {
	chat, err := m.chat(ctx, e.Sender, e.Receiver)
	if err != nil {
		return nil, err
	}
	done := &Edited{sender: e.Sender, receiver: e.Receiver}
	var refusal error
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		done.stored, refusal, err = m.rewrite(ctx, tx, chat, &e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("edit message: %w", err)
	}
	return done, refusal
}

// editAttempts bounds how often an edit starts anew because another node edited the message meanwhile.
const editAttempts = 8

// rewrite changes the message, and both views, so that a device that is away finds the edit when it comes back. A
// refusal is no error, so that it does not undo the writes that share the commit.
func (m *Messages) rewrite(ctx context.Context, tx *db.Tx, chat int64, e *Edit) (target stored, refusal, err error) {
	for range editAttempts {
		if target, err = m.byKey(ctx, tx, chat, e.Key); err != nil {
			return target, nil, err
		}
		if refusal = e.check(&target); refusal != nil {
			return target, refusal, nil
		}
		next, refusal := e.Change(Content{wire.Raw(target.body), target.cloudData, target.version})
		if refusal != nil {
			return target, refusal, nil
		}
		changed, err := tx.Exec(`UPDATE message SET body = $3, cloud_data = $4, version = version + 1, changed_at = $5
			WHERE id = $1 AND version = $2 AND (flags & $6) = 0`,
			target.id, target.version, string(next.Body), next.CloudData, tx.Now().UnixMilli(), int64(Recalled))
		if err != nil {
			return target, nil, err
		}
		if changed == 0 {
			continue
		}
		target.body, target.cloudData, target.version = string(next.Body), next.CloudData, target.version+1
		_, err = tx.Exec(`UPDATE conversation SET changed_at = $2 WHERE chat_id = $1 AND owner_id IN ($3, $4)`,
			chat, tx.Now().UnixMilli(), int64(e.Sender.ID), int64(e.Receiver.ID))
		return target, nil, err
	}
	return target, nil, errors.New("other nodes edit the same message all the time")
}

func (e *Edit) check(target *stored) error {
	switch {
	case target.id == 0 || target.from != e.Sender.ID:
		return im.Errorf(im.CodeMessageUnknown, "no message %s from %q to %q", e.Key, e.Sender.UserID, e.Receiver.UserID)
	case target.flags.Has(Recalled):
		return im.Errorf(im.CodeMessageRecalled, "message %s was recalled", e.Key)
	}
	return nil
}

// Announce tells the devices of both parties what the message says now, all but one. Devices pass over a version that
// is not newer than theirs, so the order of announcements does not matter.
func (m *Messages) Announce(e *Edited, except im.InstanceID) {
	frame, err := m.router.Frame(modifiedOf(e.sender, e.receiver, &e.stored))
	if err != nil {
		m.warn(e.receiver.ID, err)
		return
	}
	if e.stored.hidden&hiddenFromReceiver == 0 {
		m.sendFrame(event.Target{Account: e.receiver.ID, Except: except}, frame)
	}
	if e.stored.hidden&hiddenFromSender == 0 && e.sender.ID != e.receiver.ID {
		m.sendFrame(event.Target{Account: e.sender.ID, Except: except}, frame)
	}
}
