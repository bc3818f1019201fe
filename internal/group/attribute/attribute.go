// Package attribute keeps the attributes and counters of groups: texts and numbers under keys that the application chose, which
// all members read and, as a rule, change.
//
// Who may do so is in the table of rules of the group room, which also holds the group while they change. Nobody is told of them
// by a message: members that are online get an event, the others read them when they want to know.
package attribute

import (
	"log/slog"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/webhook"
)

const (
	service = "group_open_http_svc"
	// readService is the service under which attributes are read.
	readService = "group_open_attr_http_svc"
	community   = "million_group_open_http_svc"
)

// Attributes is the room's state.
type Attributes struct {
	db     *db.DB
	groups *group.Groups
	router *event.Router
	hooks  *webhook.Webhooks
	log    *slog.Logger
}

// Parts are what the room is built on.
type Parts struct {
	DB     *db.DB
	Groups *group.Groups
	Router *event.Router
	Hooks  *webhook.Webhooks
	Log    *slog.Logger
}

// New makes the room.
func New(p Parts) *Attributes {
	return &Attributes{db: p.DB, groups: p.Groups, router: p.Router, hooks: p.Hooks, log: p.Log}
}

// Commands is the room's table of contents.
func (a *Attributes) Commands() []command.Command {
	return []command.Command{
		a.getCommand(), a.setCommand(), a.mergeCommand(), a.deleteCommand(), a.clearCommand(), a.countersCommand(), a.countCommand(),
		a.deleteCountersCommand(),
	}
}

// writer is who may change something of a group.
type writer string

const (
	byMember writer = "member"
	byAdmin  writer = "admin"
)

func writers(name, of string) *setting.Setting[writer] {
	return setting.Choice(setting.Spec[writer]{
		Name: name, Default: byMember, Doc: "who changes " + of + ": all members, or the owner and administrators only",
	}, byMember, byAdmin)
}

var (
	attributeWriters = writers("group.attribute_who", "a group's attributes")
	counterWriters   = writers("group.counter_who", "a group's counters")
)

// Settings lists what an operator may choose in this room.
func (a *Attributes) Settings() []setting.Declaration {
	return []setting.Declaration{attributeWriters, counterWriters}
}

// leaves reports whether a setting leaves a change to the asking one. The back end and administrators of the application change
// in any case.
func leaves(call *command.Call, by *group.Member, to *setting.Setting[writer]) bool {
	return by == nil || by.Role != group.Ordinary || to.Of(call.App) == byMember || call.App.IsAdmin(call.UserID)
}

// Remove removes what a group at its end has. It is a [group.Part].
func (a *Attributes) Remove(tx *db.Tx, of int64) error {
	for _, remove := range []string{
		`DELETE FROM group_attribute WHERE group_id = $1`, `DELETE FROM group_counter WHERE group_id = $1`,
		`DELETE FROM group_data WHERE group_id = $1`,
	} {
		if _, err := tx.Exec(remove, of); err != nil {
			return err
		}
	}
	return nil
}
