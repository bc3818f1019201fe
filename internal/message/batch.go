package message

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type batchSendRequest struct {
	SyncOtherMachine *int     `json:"SyncOtherMachine"`
	From             string   `json:"From_Account"`
	To               []string `json:"To_Account"`
	content
}

type failedReceiver struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ErrorCode"`
}

type batchSendReply struct {
	MsgKey    string           `json:"MsgKey"`
	MsgID     string           `json:"MsgId"`
	ErrorList []failedReceiver `json:"ErrorList,omitempty"`
}

// ActionStatus is "SomeError" when a part of the receivers does not exist.
func (r *batchSendReply) ActionStatus() string {
	if len(r.ErrorList) > 0 {
		return "SomeError"
	}
	return "OK"
}

func (m *Messages) batchSendCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "batchsendmsg", By: command.Administrator, Family: im.FamilyMessage(), Fields: messageFields(),
		Doc: "send one message to up to 500 accounts", Section: "rest.md#batchsendmsg",
	}, m.batchSend)
}

// batchSend stores all copies in one commit, under one key.
func (m *Messages) batchSend(ctx context.Context, call *command.Call, r *batchSendRequest) (*batchSendReply, error) {
	if r.From == "" {
		r.From = call.UserID
	}
	if len(r.To) == 0 {
		return nil, im.Errorf(im.CodeMessageReceiver, "To_Account names nobody")
	}
	if len(r.To) > im.MaxReceivers {
		return nil, im.Errorf(im.CodeMessageReceivers, "%d receivers: want at most %d", len(r.To), im.MaxReceivers)
	}
	sender, err := m.party(ctx, call, r.From, im.CodeMessageSender)
	if err != nil {
		return nil, err
	}
	found, err := m.accounts.FindMany(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	copies, reply, err := r.copies(call, sender, found, m.db.Now())
	if err != nil {
		return nil, err
	}
	if !r.onlineOnly() {
		if err := m.storeAll(ctx, copies); err != nil {
			return nil, err
		}
	}
	to := (&sendRequest{SyncOtherMachine: r.SyncOtherMachine, content: r.content}).reach(call)
	for _, c := range copies {
		if m.mustPush(c.entry) {
			m.pushNew(call, sender, c.receiver, c.entry, to)
		}
	}
	m.flush(ctx)
	first := copies[0].entry.reply()
	reply.MsgKey, reply.MsgID = first.MsgKey, first.MsgID
	return reply, nil
}

// receiverCopy is one receiver's message of a batch.
type receiverCopy struct {
	receiver account.Account
	entry    *entry
}

// copies makes the entries for the receivers that exist and lists the others; each receiver gets one copy, however
// often he is named.
func (r *batchSendRequest) copies(
	call *command.Call, sender account.Account, found map[string]account.Account, now time.Time,
) ([]receiverCopy, *batchSendReply, error) {
	single := &sendRequest{SyncOtherMachine: r.SyncOtherMachine, content: r.content}
	model, err := single.entry(call, sender, sender, now)
	if err != nil {
		return nil, nil, batchCode(err)
	}
	model.sentAt, model.time, model.clock = now.Unix(), now.Unix(), now.Unix()
	var all []receiverCopy
	reply := &batchSendReply{}
	done := map[string]bool{}
	for _, userID := range r.To {
		if done[userID] {
			continue
		}
		done[userID] = true
		receiver, ok := found[userID]
		if !ok {
			reply.ErrorList = append(reply.ErrorList, failedReceiver{userID, im.CodeAccountUnknown})
			continue
		}
		one := *model
		one.to = receiver.ID
		all = append(all, receiverCopy{receiver, &one})
	}
	if len(all) == 0 {
		return nil, nil, im.Errorf(im.CodeMessageUnregistered, "none of the receivers exists")
	}
	return all, reply, nil
}

// batchCode gives an overlong message the code that this command documents.
func batchCode(err error) error {
	if refusal, ok := im.Refusal(err); ok && refusal.Code == im.CodeBodyTooLong {
		return im.Errorf(im.CodeBatchTooLong, "%s", refusal.Info)
	}
	return err
}

func (m *Messages) storeAll(ctx context.Context, copies []receiverCopy) error {
	entries := make([]*entry, len(copies))
	for i, c := range copies {
		entries[i] = c.entry
	}
	if err := m.db.Write(ctx, func(tx *db.Tx) error { return m.append(tx, entries) }); err != nil {
		return fmt.Errorf("store messages: %w", err)
	}
	for _, e := range entries {
		m.chats.put(pairOf(e.from, e.to), e.chat)
	}
	return nil
}
