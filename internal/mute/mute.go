// Package mute keeps accounts from speaking, in all chats with others or in all groups, until a back end lets them again.
//
// It knows neither messages nor groups. A room that has accounts send asks it through [Mutes.OneToOne] or [Mutes.Groups], and
// asks again in the transaction that stores what they say. Mutes inside one group are that group's.
package mute

import (
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Mutes is the room's state: the store, and whether there is any mute in it.
type Mutes struct {
	db       *db.DB
	accounts *account.Accounts
	log      *slog.Logger
	clock    *clock.Clock
	some     someMuted
}

// Parts are what the room is built on. Clock is nil for the system's.
type Parts struct {
	DB       *db.DB
	Accounts *account.Accounts
	Log      *slog.Logger
	Clock    *clock.Clock
}

// New makes the room. Load comes before the first message, and Keep runs beside.
func New(on Parts) *Mutes {
	return &Mutes{db: on.DB, accounts: on.Accounts, log: on.Log, clock: on.Clock}
}

const service = "openconfigsvr"

// Commands is the room's table of contents.
func (m *Mutes) Commands() []command.Command {
	return []command.Command{m.setCommand(), m.getCommand()}
}

// family gives the codes of the service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeMuteBadJSON, BadField: im.CodeAccountParameter, NoAccount: im.CodeMuteSetAccount,
		NotAdmin: im.CodeAccountNotAdmin, Internal: im.CodeMuteInternal,
	}
}
