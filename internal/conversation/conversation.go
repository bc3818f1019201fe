// Package conversation is an account's list of chats: what a client shows first, and what a back end may read and trim.
//
// The room chat writes the rows, in the commit that stores a message. This package reads them.
package conversation

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"

	"log/slog"
)

const service = "recentcontact"

// family is the codes of the conversation service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeConversationParameter, BadField: im.CodeConversationParameter, NoAccount: im.CodeConversationUnknown,
		NotAdmin: im.CodeConversationNotAdmin, Internal: im.CodeConversationInternal,
	}
}

// typeC2C is the Type of a chat of two; groups are 2.
const typeC2C = 1

// Conversations is the room's state.
type Conversations struct {
	db       *db.DB
	chats    *chat.Chats
	accounts *account.Accounts
	router   *event.Router
	log      *slog.Logger
}

// New makes the room.
func New(
	d *db.DB, chats *chat.Chats, accounts *account.Accounts, router *event.Router, log *slog.Logger,
) *Conversations {
	return &Conversations{db: d, chats: chats, accounts: accounts, router: router, log: log}
}

// Commands is the room's table of contents.
func (c *Conversations) Commands() []command.Command {
	return []command.Command{c.listCommand(), c.pageCommand(), c.deleteCommand(), c.deleteManyCommand()}
}

// owner finds the account whose list is asked for: a client's own, or any for a back end.
func (c *Conversations) owner(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !call.Admin() {
		userID = call.UserID
	}
	return c.party(ctx, call, userID)
}

func (c *Conversations) party(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	found, err := c.accounts.Find(ctx, call.App.ID, userID)
	if err == account.ErrUnknown { //nolint:errorlint // Find returns it bare
		return found, im.Errorf(im.CodeConversationUnknown, "account %.40q does not exist", userID)
	}
	return found, err
}

// peer finds the peer of a conversation, also a deleted account: an account's own conversation needs nobody else.
func (c *Conversations) peer(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	found, err := c.accounts.FindEver(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(im.CodeConversationUnknown, "there never was an account %.40q", userID)
	}
	return found, err
}

// peers finds the peers of the rows, deleted accounts too.
func (c *Conversations) peers(ctx context.Context, rows []chat.Listed) (map[im.AccountID]account.Account, error) {
	ids := make([]im.AccountID, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Peer)
	}
	return c.accounts.ByID(ctx, c.db, ids)
}
