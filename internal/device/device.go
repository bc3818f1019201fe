// Package device keeps the logins of accounts: login by UserSig, the return by token, logout, which devices may be
// online together, and this node's lease.
//
// Accounts and their end are the room account's. The package does not know connections: a device is a row that says on
// which node its session is, and the gateway asks here whether a device still stands: whether it is logged in, and its
// newest session is that one.
package device

import (
	"context"
	"log/slog"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Device is a device that is logged in.
type Device struct {
	Account  account.Account
	ID       im.DeviceID
	Platform im.Platform
	// Address is where it is connected from, without a port.
	Address string
	// Token lets the device come back without a UserSig.
	Token string
	// Expires is when the UserSig it logged in with ends, and the session with it.
	Expires time.Time

	key     app.Mark // the application's key by which it logged in
	changed int64    // the device row's changed_at that this login or return wrote
}

// Devices is the room's state: the store, the key of the tokens and this node's lease.
type Devices struct {
	db       *db.DB
	accounts *account.Accounts
	router   *event.Router
	apps     webhook.Apps
	hooks    *webhook.Webhooks
	log      *slog.Logger
	clock    *clock.Clock
	tokens   tokenKey
	lease    lease
	watcher  Watcher // nil when nobody is told

	// Logins, returns, losses and checks of many clients at the same moment are written together, and read together.
	arrivals *db.Batch[arrival]
	returns  *db.Batch[comeback]
	losses   *db.Batch[loss]
	standing *db.Lookup[standing]
}

// Parts are what the room is built on. Clock is nil for the system's.
type Parts struct {
	DB       *db.DB
	Accounts *account.Accounts
	Router   *event.Router
	Apps     webhook.Apps
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
	Clock    *clock.Clock
}

// Open prepares the room. Join takes the node's lease.
func Open(ctx context.Context, p Parts) (*Devices, error) {
	d := &Devices{
		db: p.DB, accounts: p.Accounts, router: p.Router, apps: p.Apps, hooks: p.Hooks, log: p.Log, clock: p.Clock,
	}
	d.arrivals, d.returns, d.losses = db.NewBatch(p.DB, d.admitAll), db.NewBatch(p.DB, d.bringBack), db.NewBatch(p.DB, d.lose)
	d.standing = db.NewLookup(d.readStanding)
	return d, d.tokens.load(ctx, p.DB)
}

// Webhooks lists the callbacks that the room declares.
func (d *Devices) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{stateChanged.Declaration()}
}
