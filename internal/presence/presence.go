// Package presence tells who is online: the state of accounts and their custom status, to back ends and to accounts that watch
// others.
//
// Which devices are logged in and connected is the room device's, which tells when they come and go. What is told by the bus is
// a hint, so a node asks the store what is true and pushes just that (keeper.go); in which order nodes tell does not matter.
package presence

import (
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Presences is the room's state: the store, and what this node's watchers were told.
type Presences struct {
	db       *db.DB
	accounts *account.Accounts
	router   *event.Router
	apps     webhook.Apps
	log      *slog.Logger
	clock    *clock.Clock
	greeted  *db.Lookup[greeting]
	news     news

	known map[im.AccountID]state // what this node's watchers of an account know of it; the keeper's own
}

// Parts are what the room is built on. Clock is nil for the system's.
type Parts struct {
	DB       *db.DB
	Accounts *account.Accounts
	Router   *event.Router
	Apps     webhook.Apps
	Log      *slog.Logger
	Clock    *clock.Clock
}

// New makes the room. Keep has it push what changes.
func New(on Parts) *Presences {
	p := &Presences{
		db: on.DB, accounts: on.Accounts, router: on.Router, apps: on.Apps, log: on.Log, clock: on.Clock,
		known: map[im.AccountID]state{},
	}
	p.news.wake = make(chan struct{}, 1)
	p.greeted = db.NewLookup(p.readGreetings)
	return p
}

// Commands is the room's table of contents.
func (p *Presences) Commands() []command.Command {
	return []command.Command{
		p.onlineStatusCommand(), p.setCustomCommand(), p.statesCommand(), p.watchCommand(), p.unwatchCommand(),
	}
}

// The client commands' service, and the bit that says that there are states to be asked for.
const (
	service = "im_open_status"
	feature = 7
)

// mostWatchedAtAll is the most that an operator may choose.
const mostWatchedAtAll = 1000

var (
	served = setting.Bool(setting.Spec[bool]{
		Name: "presence.served", Default: true,
		Doc: "whether clients may ask for and watch the presence of others",
	})

	mostWatched = setting.Int(setting.Spec[int]{
		Name: "presence.watched", Default: 200, Low: 1, High: mostWatchedAtAll, Unit: "accounts",
		Doc: "how many others an account may watch; one more, and it stops watching the one it has watched longest",
	})
)

// Settings lists what an operator may choose in this room.
func (*Presences) Settings() []setting.Declaration { return []setting.Declaration{served, mostWatched} }

// mustServe refuses a call of an application whose clients may not ask.
func mustServe(app *im.App) error {
	if served.Of(app) {
		return nil
	}
	return im.Errorf(im.CodePresenceOff, "the presence of accounts is switched off by the setting presence.served")
}

// PresenceChanged tells the watchers of an account, on every node, that a device of it came or went. It is a [device.Watcher].
func (p *Presences) PresenceChanged(of im.AccountID) { p.tell(event.Watchers(of), event.StateChanged) }

func (p *Presences) tell(to event.Audience, what event.Presence) {
	if err := p.router.TellPresence(to, what); err != nil {
		p.log.Warn("tell of a presence", telemetry.FieldSubject, to.Subject().String(), telemetry.FieldError, err)
	}
}
