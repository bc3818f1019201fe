package message

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// recall takes a message back for everybody. It stays in history, marked, with who did it and why.
type recall struct {
	sender, receiver account.Account
	key              Key
	by               string
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
		Service: service, Name: "admin_msgwithdraw", By: command.Administrator, Family: im.FamilyMessage(), Fields: messageFields(),
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
	sender, receiver, err := m.parties(ctx, call, r.From, r.To)
	if err != nil {
		return nil, peerCode(err)
	}
	return nil, m.recall(ctx, call, recall{sender: sender, receiver: receiver, key: key, by: call.UserID, reason: r.Reason})
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
		Service: service, Name: "msgwithdraw", By: command.Member, Family: im.FamilyMessage(),
		Doc: "recall one's own message", Section: "wire.md#recall",
	}, m.ownRecall)
}

// ownRecall recalls a message that the asking account sent, within the application's window.
func (m *Messages) ownRecall(ctx context.Context, call *command.Call, r *recallRequest) (*command.None, error) {
	if r.Info.From != call.UserID {
		return nil, im.Errorf(im.CodeMessageFormat, "only the author recalls a message")
	}
	sender, receiver, err := m.parties(ctx, call, call.UserID, r.Info.To)
	if err != nil {
		return nil, err
	}
	return nil, m.recall(ctx, call, recall{
		sender: sender, receiver: receiver, key: Key{r.Info.Seq, r.Info.Random, r.Info.Time},
		by: call.UserID, reason: r.Info.Reason,
		within: time.Duration(call.App.Settings.RecallSeconds) * time.Second,
	})
}

func (m *Messages) recall(ctx context.Context, call *command.Call, r recall) error {
	chat, err := m.chat(ctx, r.sender, r.receiver)
	if err != nil {
		return err
	}
	var target stored
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		if target, err = m.byKey(ctx, tx, chat, r.key); err != nil {
			return err
		}
		if err := r.check(&target, tx.Now()); err != nil {
			return err
		}
		target.revoker, target.reason = r.by, wire.Text(r.reason)
		if err := m.markRecalled(tx, &target, r.receiver); err != nil {
			return err
		}
		return m.tellRecall(ctx, tx, call, &r)
	})
	if err != nil {
		if _, refused := im.Refusal(err); refused {
			return err
		}
		return fmt.Errorf("recall: %w", err)
	}
	item := recalled.Of([]recallNotice{recallOf(r.sender, r.receiver, &target)})
	m.push(r.receiver, 0, item)
	if r.sender.ID != r.receiver.ID {
		m.push(r.sender, call.Instance, item)
	}
	return nil
}

func (r *recall) check(target *stored, now time.Time) error {
	switch {
	case target.id == 0 || target.from != r.sender.ID:
		return im.Errorf(im.CodeMessageUnknown, "no message %s from %q to %q", r.key, r.sender.UserID, r.receiver.UserID)
	case target.flags.Has(Recalled):
		return im.Errorf(im.CodeMessageRecalled, "message %s was recalled already", r.key)
	case r.within != 0 && now.Sub(time.Unix(target.time, 0)) > r.within:
		return im.Errorf(im.CodeRecallWindow, "message %s is older than %v", r.key, r.within)
	}
	return nil
}

// markRecalled marks the message and takes it out of the receiver's unread count, if it was still in it. Both views
// change, so that a device that is away finds the recall when it comes back.
func (m *Messages) markRecalled(tx *db.Tx, target *stored, receiver account.Account) error {
	now := tx.Now().UnixMilli()
	_, err := tx.Exec(`UPDATE message SET flags = flags | $2, revoker = $3, revoke_reason = $4, changed_at = $5 WHERE id = $1`,
		target.id, int64(Recalled), target.revoker, target.reason, now)
	if err != nil {
		return err
	}
	counted := 0
	if !target.flags.Has(NoUnread) && receiver.ID != target.from {
		counted = 1
	}
	_, err = tx.Exec(`UPDATE conversation SET changed_at = $2, unread =
		CASE WHEN owner_id = $3 AND unread > 0 AND read_time < $4 AND uncounted < $5 THEN unread - $6 ELSE unread END
		WHERE chat_id = $1 AND owner_id IN ($3, $7)`,
		target.chat, now, int64(receiver.ID), target.time, target.sequence, counted, int64(target.from))
	return err
}
