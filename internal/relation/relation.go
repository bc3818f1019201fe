// Package relation keeps what accounts are to each other: friends, requests to become friends, friend groups, blocklists, and who
// follows whom.
//
// Each list is its owner's. That two accounts are friends of each other is two rows, one in each list. The package does not know
// messages: who may write to whom it decides for a room above, which asks.
package relation

import (
	"context"
	"log/slog"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/profile"
	"github.com/magpie-im/magpie/internal/webhook"
)

const service = "sns"

// Relations is the room's state.
type Relations struct {
	Parts

	uses blockUses
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Accounts *account.Accounts
	Profiles *profile.Profiles
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
}

// New makes the room.
func New(p Parts) *Relations {
	return &Relations{Parts: p, uses: blockUses{apps: map[im.AppID]*blockUse{}}}
}

// Commands is the room's table of contents.
func (r *Relations) Commands() []command.Command {
	return slices.Concat([]command.Command{
		r.addCommand(), r.importCommand(), r.updateCommand(), r.deleteCommand(), r.deleteAllCommand(), r.checkCommand(),
		r.listCommand(), r.namedCommand(), r.specifiedCommand(),
		r.requestsCommand(), r.respondCommand(), r.dropRequestCommand(), r.readRequestsCommand(),
		r.blockCommand(), r.unblockCommand(), r.blocklistCommand(), r.blockCheckCommand(),
	}, r.groupCommands(), r.followCommands())
}

// family is the codes of the relation service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeRelationParameter, BadField: im.CodeRelationParameter, NoAccount: im.CodeRelationUnknown,
		NotAdmin: im.CodeRelationNotAdmin, Internal: im.CodeRelationInternal,
	}
}

// both are the doors of most commands.
const both = command.Administrator | command.Account

// spec declares a command of the room.
func spec(name, doc, section string, by command.Callers) command.Spec {
	return command.Spec{Service: service, Name: name, By: by, Family: family(), Doc: doc, Section: section}
}

// maxNamed is how many accounts one call names at most.
const maxNamed = 1000

// owner finds the account whose lists are asked for: a client's own, or any for a back end.
func (r *Relations) owner(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !call.Admin() {
		userID = call.UserID
	}
	found, err := r.Accounts.Find(ctx, call.App.ID, userID)
	if err == account.ErrUnknown { //nolint:errorlint // Find returns it bare
		return found, errUnknown(userID)
	}
	return found, err
}

func errUnknown(userID string) *im.Error {
	return im.Errorf(im.CodeRelationUnknown, "account %.40q does not exist", userID)
}

// peers finds the accounts that a call names, also deleted ones where a list may still have them.
func (r *Relations) peers(ctx context.Context, call *command.Call, names []string) (map[string]account.Account, error) {
	if err := checkCount(len(names)); err != nil {
		return nil, err
	}
	return r.Accounts.FindManyEver(ctx, call.App.ID, names)
}

func checkCount(n int) error {
	if n == 0 || n > maxNamed {
		return im.Errorf(im.CodeRelationParameter, "%d accounts in one call: want 1 to %d", n, maxNamed)
	}
	return nil
}

// result says what became of one account that a call names.
type result struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ResultCode"`
	Info string  `json:"ResultInfo"`
}

// refuse notes why nothing became of it.
func (r *result) refuse(why error) {
	if refusal, ok := im.Refusal(why); ok {
		r.Code, r.Info = refusal.Code, refusal.Info
	}
}

// resultReply is the reply of commands that name several accounts: the call succeeds also where some of them did not.
type resultReply struct {
	Results      []result `json:"ResultItem"`
	Failed       []string `json:"Fail_Account,omitempty"`
	ErrorDisplay string   `json:"ErrorDisplay"`
}

func replyOf(results []result) *resultReply {
	reply := &resultReply{Results: results}
	for _, one := range results {
		if one.Code != im.CodeOK {
			reply.Failed = append(reply.Failed, one.To)
		}
	}
	return reply
}

// each lists the distinct names in their order.
func each(names []string) []string {
	seen := make(map[string]bool, len(names))
	var all []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}
