// Package official is official accounts: accounts that an application's back end speaks through to all who subscribe to them.
//
// What an official account says is stored once for all its subscribers, in a chat of its own kind, and pushed to the audience that
// their devices are in. Each subscriber has a conversation with the official account from its subscription on, so history, sync,
// unread counts and the list of conversations are those of the rooms of messages and conversations.
package official

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/conversation"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

const service = "official_account_open_http_svc"

// Officials is the room's state.
type Officials struct {
	Parts
	line *send.Line[draft]
}

// Parts are what the room is built on.
type Parts struct {
	DB            *db.DB
	Chats         *chat.Chats
	Accounts      *account.Accounts
	Messages      *message.Messages
	Conversations *conversation.Conversations
	Router        *event.Router
	Hooks         *webhook.Webhooks
	Log           *slog.Logger
}

// New makes the room.
func New(p Parts) *Officials {
	o := &Officials{Parts: p}
	o.line = send.NewLine(send.Parts{DB: p.DB, Chats: p.Chats, Router: p.Router, Log: p.Log}, o.rules())
	return o
}

// Commands is the room's table of contents.
func (o *Officials) Commands() []command.Command {
	return []command.Command{
		o.createCommand(), o.destroyCommand(), o.editCommand(), o.infoCommand(),
		o.subscribeCommand(), o.unsubscribeCommand(), o.subscribersCommand(), o.editSubscriberCommand(), o.subscribedCommand(),
		o.sendCommand(), o.recallCommand(), o.historyCommand(),
	}
}

// family are the codes of the service that no rule of its own has: those of the group service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeGroupBadJSON, BadField: im.CodeGroupParameter, NoAccount: im.CodeGroupParameter,
		NotAdmin: im.CodeOfficialRights, Internal: im.CodeGroupInternal,
	}
}

// codes are those by which the service refuses what the elements of a message say.
func codes() command.Codes {
	own := map[im.Code]im.Code{
		im.CodeMessageBody: im.CodeGroupParameter, im.CodeMessageBodyArray: im.CodeGroupParameter,
		im.CodeMessageFormat: im.CodeGroupParameter,
	}
	return command.Codes{REST: own, Client: own}
}

// find finds the account of the official account that a request names.
func (o *Officials) find(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !account.IsOfficial(userID) {
		return account.Account{}, errUnknown(userID)
	}
	found, err := o.Accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, errUnknown(userID)
	}
	return found, err
}

func errUnknown(userID string) error {
	return im.Errorf(im.CodeOfficialUnknown, "there is no official account %.60q", userID)
}

// self is the account that a request is about: a client's is its own, whatever the request names.
func (o *Officials) self(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !call.Admin() {
		if userID != "" && userID != call.UserID {
			return account.Account{}, errOthers()
		}
		userID = call.UserID
	}
	found, err := o.Accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", userID)
	}
	return found, err
}

func errOthers() error {
	return im.Errorf(im.CodeOfficialRights, "a client subscribes, and reads subscriptions, for its own account only")
}

// record is the row of an official account.
type record struct {
	id, owner                          im.AccountID
	introduction, organization, custom string
	most, subscribers                  int64
	created                            int64 // unix milliseconds
	lastSaid                           int64 // a unix second; 0 is never
}

const recordColumns = `account_id, owner_id, introduction, organization, custom, max_subscribers, subscribers, created_at, last_said_at`

func scanRecord(row db.Scanner) (r record, err error) {
	return r, row(&r.id, &r.owner, &r.introduction, &r.organization, &r.custom, &r.most, &r.subscribers, &r.created, &r.lastSaid)
}

// hold reads an official account and keeps it from changing until the transaction ends; nil: it was destroyed.
func hold(tx *db.Tx, id im.AccountID) (found *record, err error) {
	err = tx.Returning(func(row db.Scanner) error {
		one, err := scanRecord(row)
		found = &one
		return err
	}, `UPDATE official_account SET subscribers = subscribers WHERE account_id = $1 RETURNING `+recordColumns, int64(id))
	return found, err
}

// records reads official accounts, by the numbers of their accounts.
func records(ctx context.Context, from db.Source, ids []im.AccountID) (map[im.AccountID]record, error) {
	found := map[im.AccountID]record{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		one, err := scanRecord(row)
		found[one.id] = one
		return err
	}, `SELECT `+recordColumns+` FROM official_account WHERE account_id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read official accounts: %w", err)
	}
	return found, nil
}

// chatOf is the id of an official account's chat.
func (o *Officials) chatOf(ctx context.Context, of account.Account) (int64, error) {
	return o.Chats.Find(ctx, chat.OfOfficial(of.ID))
}

// attempt notes a push that failed: it is a hint, and what it tells of is stored.
func (o *Officials) attempt(of im.AccountID, err error) {
	if err != nil {
		o.Log.Warn("push", telemetry.FieldAccount, of, telemetry.FieldError, err)
	}
}
