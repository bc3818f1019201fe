// Package conversation is an account's list of conversations, with others and in groups: what a client shows first, what its
// owner chooses for each of them, and what a back end may read and trim.
//
// The rooms chat and group keep what a message changes of a conversation. This one keeps its owner's choices.
package conversation

import (
	"context"
	"errors"
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

const service = "recentcontact"

// family is the codes of the conversation service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeConversationParameter, BadField: im.CodeConversationParameter, NoAccount: im.CodeConversationUnknown,
		NotAdmin: im.CodeConversationNotAdmin, Internal: im.CodeConversationInternal,
	}
}

// Conversations is the room's state.
type Conversations struct {
	db       *db.DB
	chats    *chat.Chats
	groups   *group.Groups
	accounts *account.Accounts
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger

	messages      *message.Messages
	groupMessages *groupmessage.GroupMessages
	remarks       Remarks
}

// Remarks knows what accounts call their friends. The relation room does.
type Remarks interface {
	// Remarks gives what an account calls others, in one statement; whom it calls nothing is not in the result.
	Remarks(ctx context.Context, from db.Source, owner im.AccountID, others []im.AccountID) (map[im.AccountID]string, error)
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Chats    *chat.Chats
	Groups   *group.Groups
	Accounts *account.Accounts
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger

	Messages      *message.Messages
	GroupMessages *groupmessage.GroupMessages
	Remarks       Remarks
}

// New makes the room.
func New(p Parts) *Conversations {
	return &Conversations{
		db: p.DB, chats: p.Chats, groups: p.Groups, accounts: p.Accounts, router: p.Router, hooks: p.Hooks, log: p.Log,
		messages: p.Messages, groupMessages: p.GroupMessages, remarks: p.Remarks,
	}
}

// Commands is the room's table of contents.
func (c *Conversations) Commands() []command.Command {
	return append([]command.Command{
		c.listCommand(), c.pageCommand(), c.deleteCommand(), c.deleteManyCommand(), c.clearCommand(), c.pinCommand(),
		c.markCommand(), c.makeFolderCommand(), c.editFolderCommand(), c.removeFolderCommand(), c.carriedCommand(), c.carriedOfCommand(),
		c.muteCommand(), c.mutedCommand(), c.readAllCommand(),
	}, c.disturbCommands()...)
}

// owner finds the account whose list is asked for: a client's own, or any for a back end.
func (c *Conversations) owner(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !call.Admin() {
		userID = call.UserID
	}
	found, err := c.accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, errAccount(userID)
	}
	return found, err
}

func errAccount(userID string) error {
	return im.Errorf(im.CodeConversationUnknown, "account %.40q does not exist", userID)
}

// push tells an account's other devices what one of them, or a back end, has changed of its conversations.
func (c *Conversations) push(call *command.Call, owner im.AccountID, e event.Event) {
	if err := c.router.Push(event.Devices(owner).Except(call.Device), e); err != nil {
		c.log.Warn("push", telemetry.FieldAccount, owner, telemetry.FieldError, err)
	}
}
