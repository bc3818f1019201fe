// Package message is one-to-one chat: sending, editing and recall, history, sync of a device that was away, read marks.
//
// Every capability is written once and named at both doors in Commands. A message is acknowledged when the commit that
// holds it is on disk; what is pushed afterwards is a hint. The package does not know doors or connections; the list of
// conversations is the conversation room's, which reads what append.go keeps up to date.
package message

import (
	"context"
	"errors"
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

const service = "openim"

// Messages is the room's state.
type Messages struct {
	db       *db.DB
	accounts *account.Accounts
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger
	chats    *chatCache
	appends  *db.Batch[entry]
}

// New makes the room.
func New(
	d *db.DB, accounts *account.Accounts, router *event.Router, hooks *webhook.Webhooks, log *slog.Logger,
) *Messages {
	m := &Messages{db: d, accounts: accounts, router: router, hooks: hooks, log: log, chats: newChatCache()}
	m.appends = db.NewBatch(d, m.append)
	return m
}

// Commands is the room's table of contents.
func (m *Messages) Commands() []command.Command {
	return []command.Command{
		m.sendCommand(), m.batchSendCommand(), m.importCommand(),
		m.adminHistoryCommand(), m.historyCommand(), m.syncCommand(),
		m.adminRecallCommand(), m.recallCommand(), m.modifyCommand(),
		m.adminReadCommand(), m.readCommand(), m.peerReadTimeCommand(), m.unreadCommand(),
	}
}

// Flags are the properties of a stored message that are only yes or no.
type Flags int64

// The flags. Their numbers are stored.
const (
	NeedReceipt Flags = 1 << iota // the sender asked for a read receipt of this message
	Extensible                    // key-value extensions may be attached
	NoUnread                      // not counted as unread
	NoLast                        // does not move the conversation list
	Relayed                       // a merged message, forwarded
	Recalled                      // taken back; all see that it was there
)

// Has reports whether all of the given flags are set.
func (f Flags) Has(all Flags) bool { return f&all == all }

// The numbers of message.hidden.
const (
	hiddenFromSender   = 1
	hiddenFromReceiver = 2
)

// parties finds sender and receiver of a request, with the codes of the message service for those that are missing.
func (m *Messages) parties(ctx context.Context, call *command.Call, from, to string) (account.Account, account.Account, error) {
	if to == "" {
		return account.Account{}, account.Account{}, im.Errorf(im.CodeMessageReceiver, "To_Account is missing")
	}
	sender, err := m.party(ctx, call, from, im.CodeMessageSender)
	if err != nil {
		return sender, account.Account{}, err
	}
	receiver, err := m.party(ctx, call, to, im.CodeMessageUnregistered)
	return sender, receiver, err
}

// peerCode gives an unknown peer the code that the pages of the reading commands name.
func peerCode(err error) error {
	if refusal, ok := im.Refusal(err); ok && refusal.Code == im.CodeMessageUnregistered {
		return im.Errorf(im.CodeMessageReceiver, "%s", refusal.Info)
	}
	return err
}

// party finds one account; a client is told in its own code that there is none.
func (m *Messages) party(ctx context.Context, call *command.Call, userID string, code im.Code) (account.Account, error) {
	found, err := m.accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		if !call.Admin() {
			code = im.CodeMessageParty
		}
		return found, im.Errorf(code, "account %.40q does not exist", userID)
	}
	return found, err
}
