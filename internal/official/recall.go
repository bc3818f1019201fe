package official

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type recallRequest struct {
	Official string   `json:"Official_Account"`
	Keys     []string `json:"MsgKeyList"`
	Reason   string   `json:"Reason"`
}

type namedKey struct {
	Key string `json:"MsgKey"`
}

type recallResult struct {
	Key  string  `json:"MsgKey"`
	Code im.Code `json:"RetCode"`
}

type recallReply struct {
	List []recallResult `json:"RecallRetList"`
}

// The bounds of a recall.
const (
	recallsInCall  = 10
	maxReasonBytes = 100
)

func (o *Officials) recallCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "official_account_msg_recall", By: command.Administrator, Family: family(),
		Doc: "recall what an official account said", Section: "rest.md#official_account_msg_recall",
	}, o.recall)
}

// recall takes back each message for itself: what cannot be taken back has its code in the reply.
func (o *Officials) recall(ctx context.Context, call *command.Call, r *recallRequest) (*recallReply, error) {
	switch {
	case len(r.Keys) == 0 || len(r.Keys) > recallsInCall:
		return nil, im.Errorf(im.CodeGroupParameter, "MsgKeyList: want 1 to %d keys", recallsInCall)
	case len(r.Reason) > maxReasonBytes:
		return nil, im.Errorf(im.CodeGroupParameter, "Reason has %d bytes: want at most %d", len(r.Reason), maxReasonBytes)
	}
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	reply := &recallReply{}
	for _, one := range r.Keys {
		done, err := o.recallOne(ctx, call, of, one, wire.Text(r.Reason))
		refused, isRefusal := im.Refusal(err)
		if err != nil && !isRefusal {
			return nil, err
		}
		result := recallResult{Key: one}
		if isRefusal {
			result.Code = refused.Code
		} else {
			o.attempt(of.ID, o.Messages.PushOfficialRecall(of, done))
		}
		reply.List = append(reply.List, result)
	}
	return reply, nil
}

// recallOne refuses a key that names nothing, or what was recalled before. Subscribers who have not read the message count it as
// unread until they read: nothing is written for one of them.
func (o *Officials) recallOne(ctx context.Context, call *command.Call, of account.Account, text, reason string) (done *chat.Message, err error) {
	found, err := o.said(ctx, of, text)
	if err != nil {
		return nil, err
	}
	err = o.DB.Write(ctx, func(tx *db.Tx) error {
		var err error
		done, err = o.Chats.Recall(ctx, tx, found.Chat, chat.Recall{
			Chat: chat.OfOfficial(of.ID), Key: found.Key(), From: of.ID, By: call.UserID, Reason: reason,
		})
		if err != nil {
			return err
		}
		return afterRecall.Tell(tx, o.Hooks, &call.Actor, int64(of.ID), func() (recalledBody, error) {
			return recalledBody{of.UserID, []namedKey{{text}}, eventTime(tx)}, nil
		})
	})
	if errors.Is(err, chat.ErrUnknown) || errors.Is(err, chat.ErrRecalled) {
		return nil, im.Errorf(im.CodeGroupNoMessage, "%v", err)
	}
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	return done, nil
}

// said finds what an official account said by its key.
func (o *Officials) said(ctx context.Context, of account.Account, text string) (*chat.Message, error) {
	sequence, second, err := readKey(text)
	if err != nil {
		return nil, err
	}
	id, err := o.chatOf(ctx, of)
	if err != nil {
		return nil, err
	}
	found, err := o.Chats.Said(ctx, o.DB, id, second, sequence)
	if err == nil && found == nil {
		err = im.Errorf(im.CodeGroupNoMessage, "there is no message %.60q", text)
	}
	return found, err
}
