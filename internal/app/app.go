// Package app keeps the tenants: applications with their SDKAppID, keys, administrators and settings.
//
// A server reads them from the store and looks every second whether the store's count of changes has moved, so an
// application that another process adds or changes is in force at once on every node. The package does not know accounts,
// nor what any setting means.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/usersig"
)

// Tenant is one application with what its signatures are checked against.
type Tenant struct {
	App       *im.App
	Keys      usersig.Keys
	CreatedAt time.Time
	// Former is a key that was exchanged and is taken until FormerUntil too; empty when there is none.
	Former      string
	FormerUntil time.Time
	// Disabled refuses every login and every call of the application.
	Disabled bool
	public   string // the public key as it is stored
	removing bool
	// Version is the number of the change that made the application what it is: it rises with every change.
	Version int64
}

// Apps is the set of applications. It is safe for concurrent use.
type Apps struct {
	db      *db.DB
	log     *slog.Logger
	table   *setting.Table
	reading sync.Mutex // held while the applications are read, so that an older state never replaces a newer one
	current atomic.Pointer[state]
}

// state is the applications as they were read, and the store's count of changes at that time or before.
type state struct {
	byID     map[im.AppID]*Tenant
	removing []im.AppID // of which something is left, and which are no applications any more
	changes  int64
}

// refreshEvery is how often a server looks for changed applications.
const refreshEvery = time.Second

// Open reads the applications. Their settings are those of the table.
func Open(ctx context.Context, d *db.DB, table *setting.Table, log *slog.Logger) (*Apps, error) {
	a := &Apps{db: d, log: log, table: table}
	a.current.Store(&state{})
	return a, a.reload(ctx)
}

// Watch looks for changes until ctx ends.
func (a *Apps) Watch(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.refresh(ctx); err != nil && ctx.Err() == nil {
				a.log.ErrorContext(ctx, "read applications", telemetry.FieldError, err)
			}
		}
	}
}

const countChanges = `SELECT number FROM app_version`

func (a *Apps) refresh(ctx context.Context) error {
	changes, err := db.One(ctx, a.db, db.Number, countChanges)
	if err != nil || changes == a.current.Load().changes {
		return err
	}
	return a.reload(ctx)
}

const selectApps = `SELECT id, secret, public_key, admins, settings, created_at, version, former_secret, former_until, disabled,
	removing FROM app`

// reload reads the count before the applications: a change that comes between is read twice, and none is missed.
func (a *Apps) reload(ctx context.Context) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	fresh := &state{byID: map[im.AppID]*Tenant{}}
	var err error
	if fresh.changes, err = db.One(ctx, a.db, db.Number, countChanges); err == nil {
		err = db.Each(ctx, a.db, func(row db.Scanner) error {
			tenant, err := a.scanTenant(ctx, row)
			if err != nil {
				return err
			}
			if tenant.removing {
				fresh.removing = append(fresh.removing, tenant.App.ID)
			} else {
				fresh.byID[tenant.App.ID] = tenant
			}
			return nil
		}, selectApps)
	}
	if err != nil {
		return fmt.Errorf("read applications: %w", err)
	}
	a.current.Store(fresh)
	return nil
}

func (a *Apps) scanTenant(ctx context.Context, row db.Scanner) (*Tenant, error) {
	var (
		id, created, version, until              int64
		secret, public, admins, settings, former string
		disabled, removing                       bool
	)
	if err := row(&id, &secret, &public, &admins, &settings, &created, &version, &former, &until, &disabled, &removing); err != nil {
		return nil, err
	}
	t := &Tenant{
		App:       &im.App{ID: im.AppID(id), Admins: readAdmins(admins)},
		Keys:      usersig.Keys{Secret: secret},
		CreatedAt: time.UnixMilli(created), Version: version,
		Former: former, FormerUntil: time.UnixMilli(until), Disabled: disabled, removing: removing,
	}
	if public != "" {
		key, err := usersig.ParsePublicKey(public)
		if err != nil {
			return nil, fmt.Errorf("application %d: %w", id, err)
		}
		t.Keys.Public, t.public = key, public
	}
	texts, err := readTexts(settings)
	if err != nil {
		return nil, fmt.Errorf("application %d: %w", id, err)
	}
	values, unread := a.table.Read(texts)
	t.App.Chosen = values
	a.report(ctx, t, unread)
	return t, nil
}

// report logs the settings that this program cannot read, once for each change of the application.
func (a *Apps) report(ctx context.Context, t *Tenant, unread []error) {
	if before := a.Find(t.App.ID); before != nil && before.Version == t.Version {
		return
	}
	for _, err := range unread {
		a.log.WarnContext(ctx, "a stored setting is kept and has no effect", telemetry.FieldApp, t.App.ID, telemetry.FieldError, err)
	}
}

// Find returns the application, or nil.
func (a *Apps) Find(id im.AppID) *Tenant { return a.current.Load().byID[id] }

// App returns the application as the rules see it, or nil.
func (a *Apps) App(id im.AppID) *im.App {
	if tenant := a.Find(id); tenant != nil {
		return tenant.App
	}
	return nil
}

// Each visits every application, in no order.
func (a *Apps) Each(visit func(*im.App)) {
	for _, tenant := range a.current.Load().byID {
		visit(tenant.App)
	}
}

// All returns the applications in no order.
func (a *Apps) All() []*Tenant {
	current := a.current.Load().byID
	list := make([]*Tenant, 0, len(current))
	for _, t := range current {
		list = append(list, t)
	}
	return list
}

// Removing lists the applications of which a removal that ended early has left something.
func (a *Apps) Removing() []im.AppID { return a.current.Load().removing }

// Rows lists the application's settings.
func (a *Apps) Rows(app *im.App) []setting.Row { return a.table.Rows(app) }
