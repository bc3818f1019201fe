// Package message is one-to-one chat: who may write to whom, what a message is on the wire, what is asked, told and
// pushed when one is sent, edited, recalled or read, and the sync of a device that was away.
//
// Every capability is written once and named at both doors in Commands. A message is acknowledged when the commit that
// holds it is on disk; what is pushed afterwards is a hint. What is stored is the chat room's; the list of conversations
// is the conversation room's. The package does not know doors or connections.
package message

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
)

const service = "openim"

// Messages is the room's state.
type Messages struct {
	db       *db.DB
	chats    *chat.Chats
	accounts *account.Accounts
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger
	told     Notified
	gate     Gate
	line     *send.Line[Draft]
	attached *annotate.Annotations
}

// Notified is what accounts were told beside messages, and is kept for devices that were not there. A higher room has it.
type Notified interface {
	// Kept gives what the account was told since a moment, oldest first.
	Kept(ctx context.Context, from db.Source, of account.Account, since time.Time) ([]event.Event, error)
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Chats    *chat.Chats
	Attached *annotate.Annotations
	Accounts *account.Accounts
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
	Notified Notified
	Gate     Gate
	// Mutes is nil where nobody is muted.
	Mutes send.Mutes
	// Bundles is nil where there are none.
	Bundles send.Bundles
}

// New makes the room.
func New(p Parts) *Messages {
	m := &Messages{
		db: p.DB, chats: p.Chats, accounts: p.Accounts, router: p.Router, hooks: p.Hooks, log: p.Log, told: p.Notified, gate: p.Gate,
		attached: p.Attached,
	}
	m.line = send.NewLine(send.Parts{DB: p.DB, Chats: p.Chats, Router: p.Router, Log: p.Log, Mutes: p.Mutes, Bundles: p.Bundles}, m.rules())
	return m
}

// Commands is the room's table of contents.
func (m *Messages) Commands() []command.Command {
	return []command.Command{
		m.sendCommand(), m.batchSendCommand(), m.importCommand(),
		m.adminHistoryCommand(), m.historyCommand(), m.syncCommand(),
		m.adminRecallCommand(), m.recallCommand(), m.editCommand(),
		m.deleteCommand(), m.adminReadCommand(), m.readCommand(), m.peerReadTimeCommand(), m.unreadCommand(),
		m.receiptCommand(),
	}
}

// The codes for accounts that are missing. A client is told in its own code; of a back end's commands those that read
// have another one for the peer than those that send.
func sendCodes() command.Codes {
	return command.Codes{
		REST:   map[im.Code]im.Code{im.CodeMessageTooLong: im.CodeBodyTooLong},
		Client: map[im.Code]im.Code{im.CodeMessageSender: im.CodeMessageParty, im.CodeMessageUnregistered: im.CodeMessageParty},
	}
}

func peerCodes() command.Codes {
	codes := sendCodes()
	codes.REST[im.CodeMessageUnregistered] = im.CodeMessageReceiver
	return codes
}

// parties finds sender and receiver of a request.
func (m *Messages) parties(ctx context.Context, app *im.App, from, to string) (account.Account, account.Account, error) {
	if to == "" {
		return account.Account{}, account.Account{}, im.Errorf(im.CodeMessageReceiver, "To_Account is missing")
	}
	sender, err := m.party(ctx, app, from, im.CodeMessageSender)
	if err != nil {
		return sender, account.Account{}, err
	}
	receiver, err := m.party(ctx, app, to, im.CodeMessageUnregistered)
	return sender, receiver, err
}

// ownParties is parties for an account that reads or changes its own conversation: that needs nobody else, so the peer
// may be deleted.
func (m *Messages) ownParties(ctx context.Context, app *im.App, owner, peer string) (account.Account, account.Account, error) {
	if peer == "" {
		return account.Account{}, account.Account{}, im.Errorf(im.CodeMessageReceiver, "the other party's account is missing")
	}
	own, err := m.party(ctx, app, owner, im.CodeMessageSender)
	if err != nil {
		return own, account.Account{}, err
	}
	other, err := m.formerParty(ctx, app, peer, im.CodeMessageUnregistered)
	return own, other, err
}

// messageParties is parties of a message that is stored: either may be deleted.
func (m *Messages) messageParties(ctx context.Context, app *im.App, from, to string) (account.Account, account.Account, error) {
	if to == "" {
		return account.Account{}, account.Account{}, im.Errorf(im.CodeMessageReceiver, "To_Account is missing")
	}
	sender, err := m.formerParty(ctx, app, from, im.CodeMessageSender)
	if err != nil {
		return sender, account.Account{}, err
	}
	receiver, err := m.formerParty(ctx, app, to, im.CodeMessageUnregistered)
	return sender, receiver, err
}

// formerParty is party of an account that may be deleted.
func (m *Messages) formerParty(ctx context.Context, app *im.App, userID string, code im.Code) (account.Account, error) {
	found, err := m.accounts.FindEver(ctx, app.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(code, "account %.40q does not exist", userID)
	}
	return found, err
}

// party finds one account, or refuses with the code.
func (m *Messages) party(ctx context.Context, app *im.App, userID string, code im.Code) (account.Account, error) {
	found, err := m.accounts.Find(ctx, app.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(code, "account %.40q does not exist", userID)
	}
	return found, err
}
