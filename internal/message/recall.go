package message

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

// recall takes a message back for everybody.
type recall struct {
	sender, receiver account.Account
	key              Key
	reason           string
	within           time.Duration // how long after sending; 0 is without bound
}

type adminRecallRequest struct {
	From   string `json:"From_Account"`
	To     string `json:"To_Account"`
	Key    string `json:"MsgKey"`
	Reason string `json:"Reason"`
}

func (m *Messages) adminRecallCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "admin_msgwithdraw", By: command.Administrator, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: peerCodes(),
		Doc: "recall a message", Section: "rest.md#admin_msgwithdraw",
	}, m.adminRecall)
}

func (m *Messages) adminRecall(ctx context.Context, call *command.Call, r *adminRecallRequest) (*command.None, error) {
	key, err := ParseKey(r.Key)
	if err != nil {
		return nil, err
	}
	if r.From == "" {
		return nil, im.Errorf(im.CodeMessageSender, "From_Account is missing")
	}
	sender, receiver, err := m.messageParties(ctx, call.App, r.From, r.To)
	if err != nil {
		return nil, err
	}
	return nil, m.recall(ctx, call, recall{sender: sender, receiver: receiver, key: key, reason: r.Reason})
}

type recallRequest struct {
	Info struct {
		From   string `json:"From_Account"`
		To     string `json:"To_Account"`
		Time   int64  `json:"MsgTimeStamp"`
		Seq    int64  `json:"MsgSeq"`
		Random int64  `json:"MsgRandom"`
		Reason string `json:"Reason"`
	} `json:"MsgInfo"`
}

func (m *Messages) recallCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "msgwithdraw", By: command.Account, Family: im.FamilyMessage(), Codes: sendCodes(),
		Doc: "recall one's own message", Section: "wire.md#recall",
	}, m.ownRecall)
}

// ownRecall recalls a message that the asking account sent, within the application's window.
func (m *Messages) ownRecall(ctx context.Context, call *command.Call, r *recallRequest) (*command.None, error) {
	if r.Info.From != call.UserID {
		return nil, im.Errorf(im.CodeMessageFormat, "only the author recalls a message")
	}
	sender, receiver, err := m.ownParties(ctx, call.App, call.UserID, r.Info.To)
	if err != nil {
		return nil, err
	}
	return nil, m.recall(ctx, call, recall{
		sender: sender, receiver: receiver, key: Key{r.Info.Seq, r.Info.Random, r.Info.Time}, reason: r.Info.Reason,
		within: time.Duration(send.RecallSeconds(call.App)) * time.Second,
	})
}

func (m *Messages) recall(ctx context.Context, call *command.Call, r recall) error {
	name := chat.Between(r.sender.ID, r.receiver.ID)
	id, err := m.chats.Find(ctx, name)
	if err != nil {
		return err
	}
	var target *chat.Message
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		target, err = m.chats.Recall(ctx, tx, id, chat.Recall{
			Chat: name, Key: chat.Key(r.key), From: r.sender.ID, By: call.UserID, Reason: wire.Text(r.reason),
			Check: func(found *chat.Message) error { return r.check(found, tx.Now()) },
		})
		if err != nil {
			return err
		}
		if _, err := m.attached.Recalled(ctx, tx, id, []int64{target.ID}); err != nil {
			return err
		}
		return m.tellRecall(ctx, tx, call, &r)
	})
	if err != nil {
		return r.refusal(err)
	}
	m.pushRecall(call, &r, target)
	return nil
}

func (r *recall) check(found *chat.Message, now time.Time) error {
	if r.within != 0 && now.Sub(time.Unix(found.Time, 0)) > r.within {
		return im.Errorf(im.CodeRecallWindow, "message %s is older than %v", r.key, r.within)
	}
	return nil
}

func (r *recall) refusal(err error) error {
	if _, refused := im.Refusal(err); refused {
		return err
	}
	switch {
	case errors.Is(err, chat.ErrUnknown):
		return noMessage(r.key, r.sender, r.receiver)
	case errors.Is(err, chat.ErrRecalled):
		return im.Errorf(im.CodeMessageRecalled, "message %s was recalled already", r.key)
	}
	return fmt.Errorf("recall: %w", err)
}

func noMessage(key Key, sender, receiver account.Account) error {
	return im.Errorf(im.CodeMessageUnknown, "no message %s from %q to %q", key, sender.UserID, receiver.UserID)
}
