// Package groupmessage is what is said in groups: who may speak, what a group's message is on the wire, what is asked, told
// and pushed when one is sent, recalled or edited, and a group's history.
//
// A message is stored once for all members, and nothing is written for one of them. Groups and members are the group
// room's, what is stored is the chat room's, and the way there is the send room's.
package groupmessage

import (
	"context"
	"errors"
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/webhook"
)

const (
	service   = "group_open_http_svc"
	community = "million_group_open_http_svc" // the same for communities
)

// GroupMessages is the room's state.
type GroupMessages struct {
	db       *db.DB
	chats    *chat.Chats
	groups   *group.Groups
	accounts *account.Accounts
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger
	line     *send.Line[Draft]
	rate     rate
	heard    heard
	attached *annotate.Annotations
	live     Live
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Chats    *chat.Chats
	Groups   *group.Groups
	Attached *annotate.Annotations
	Accounts *account.Accounts
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
	// Mutes is nil where nobody is muted.
	Mutes send.Mutes
	// Bundles is nil where there are none.
	Bundles send.Bundles
}

// New makes the room.
func New(p Parts) *GroupMessages {
	g := &GroupMessages{
		db: p.DB, chats: p.Chats, groups: p.Groups, accounts: p.Accounts, router: p.Router, hooks: p.Hooks, log: p.Log,
		attached: p.Attached, live: nowhere{},
	}
	g.line = send.NewLine(send.Parts{DB: p.DB, Chats: p.Chats, Router: p.Router, Log: p.Log, Mutes: p.Mutes, Bundles: p.Bundles}, send.Rules[Draft]{
		Of: func(d *Draft) *send.Draft { return &d.Draft }, Ask: g.ask, Prepare: g.prepare, Admit: g.admit,
		Tell: g.tellSent, TellOnlineOnly: g.tellOnlineOnly, Push: g.pushNew,
	})
	return g
}

// Commands is the room's table of contents.
func (g *GroupMessages) Commands() []command.Command {
	return append(
		g.pinCommands(),
		g.sendCommand(), g.adminHistoryCommand(), g.historyCommand(), g.recallCommand(), g.editCommand(), g.readCommand(),
		g.setUnreadCommand(), g.deleteCommand(), g.notifyCommand(), g.dropCommand(), g.importCommand(), g.clearCommand(), g.deleteBySenderCommand(),
		g.giveReceiptsCommand(), g.receiptsCommand(), g.receiptListCommand(),
	)
}

// codes are those by which the commands of groups refuse what the elements of a message say.
func codes() command.Codes {
	own := map[im.Code]im.Code{
		im.CodeMessageBody: im.CodeGroupParameter, im.CodeMessageBodyArray: im.CodeGroupParameter,
		im.CodeMessageFormat: im.CodeGroupParameter,
	}
	return command.Codes{REST: own, Client: own}
}

// find finds the group that a request names.
func (g *GroupMessages) find(ctx context.Context, call *command.Call, groupID, topicID string) (*group.Group, error) {
	switch {
	case groupID == "":
		return nil, im.Errorf(im.CodeGroupParameter, "GroupId is missing")
	case topicID != "":
		return nil, im.Errorf(im.CodeGroupParameter, "TopicId is given, and this server has no topics")
	}
	return g.groups.Find(ctx, call.App.ID, groupID)
}

// account finds the account that a request names.
func (g *GroupMessages) account(ctx context.Context, app *im.App, userID string) (account.Account, error) {
	found, err := g.accounts.Find(ctx, app.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", userID)
	}
	return found, err
}
