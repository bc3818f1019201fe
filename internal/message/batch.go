package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type batchSendRequest struct {
	SyncOtherMachine *int     `json:"SyncOtherMachine"`
	From             string   `json:"From_Account"`
	To               []string `json:"To_Account"`
	sendFields
}

type failedReceiver struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ErrorCode"`
}

type batchSendReply struct {
	MsgKey    string           `json:"MsgKey"`
	MsgID     string           `json:"MsgId"`
	ErrorList []failedReceiver `json:"ErrorList"`
}

// ActionStatus is "SomeError" when a part of the receivers does not exist.
func (r *batchSendReply) ActionStatus() string {
	if len(r.ErrorList) > 0 {
		return "SomeError"
	}
	return "OK"
}

func (m *Messages) batchSendCommand() command.Command {
	codes := sendCodes()
	codes.REST[im.CodeMessageTooLong] = im.CodeBatchTooLong // what this command documents
	return command.New(command.Spec{
		Service: service, Name: "batchsendmsg", By: command.Administrator, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: codes,
		Doc: "send one message to up to 500 accounts", Section: "rest.md#batchsendmsg",
	}, m.batchSend)
}

func (m *Messages) batchSend(ctx context.Context, call *command.Call, r *batchSendRequest) (*batchSendReply, error) {
	if r.From == "" {
		r.From = call.UserID
	}
	if len(r.To) == 0 {
		return nil, im.Errorf(im.CodeMessageReceiver, "To_Account names nobody")
	}
	if len(r.To) > maxReceivers {
		return nil, im.Errorf(im.CodeMessageReceivers, "%d receivers: want at most %d", len(r.To), maxReceivers)
	}
	sender, err := m.party(ctx, call.App, r.From, im.CodeMessageSender)
	if err != nil {
		return nil, err
	}
	found, err := m.accounts.FindMany(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	single := &sendRequest{SyncOtherMachine: r.SyncOtherMachine, sendFields: r.sendFields}
	model, err := single.draft(call, sender, sender, m.db.Now())
	if err != nil {
		return nil, err
	}
	copies, reply := r.copies(model, found)
	if len(copies) == 0 {
		return nil, im.Errorf(im.CodeMessageUnregistered, "none of the receivers exists")
	}
	if err := m.SendAll(ctx, call, copies); err != nil {
		return nil, err
	}
	first := copies[0].reply()
	reply.MsgKey, reply.MsgID = first.MsgKey, first.MsgID
	return reply, nil
}

// copies makes the message for the receivers that exist and lists the others; each receiver gets one copy, however often
// he is named.
func (r *batchSendRequest) copies(model *Draft, found map[string]account.Account) ([]*Draft, *batchSendReply) {
	var all []*Draft
	reply := &batchSendReply{}
	done := map[string]bool{}
	for _, userID := range r.To {
		if done[userID] {
			continue
		}
		done[userID] = true
		if receiver, ok := found[userID]; ok && !account.IsOfficial(userID) {
			all = append(all, model.to(receiver))
		} else {
			reply.ErrorList = append(reply.ErrorList, failedReceiver{userID, im.CodeAccountUnknown})
		}
	}
	return all, reply
}

// SendAll stores copies of one message for several receivers in one commit, all under one key and time, and pushes them.
// The back end is neither asked nor told.
func (m *Messages) SendAll(ctx context.Context, by *command.Call, copies []*Draft) error {
	if err := by.Store(len(copies), len(copies)*copies[0].BytesToStore()); err != nil {
		return err
	}
	now := m.db.Now().Unix()
	for _, d := range copies {
		d.SentAt = now
		d.Compose(now)
	}
	if !copies[0].OnlineOnly {
		if err := m.db.Write(ctx, func(tx *db.Tx) error { return m.line.Store(tx, copies) }); err != nil {
			return fmt.Errorf("store messages: %w", err)
		}
	}
	for _, d := range copies {
		if m.line.MustPush(&d.Draft) {
			m.pushNew(by, d)
		}
	}
	m.line.Flush()
	return nil
}
