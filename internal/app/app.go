// Package app keeps the tenants: applications with their SDKAppID, keys, administrators and settings.
//
// A server reads them from the store and looks for changes every second, so an application that another process adds
// or changes is in force at once on every node. The package does not know accounts.
package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/usersig"
)

// Tenant is one application with what its signatures are checked against.
type Tenant struct {
	App       *im.App
	Keys      usersig.Keys
	CreatedAt time.Time
}

// Apps is the set of applications. It is safe for concurrent use.
type Apps struct {
	db      *db.DB
	log     *slog.Logger
	current atomic.Pointer[map[im.AppID]*Tenant]
	seen    atomic.Int64 // the newest updated_at that has been read
}

// refreshEvery is how often a server looks for changed applications.
const refreshEvery = time.Second

// Open reads the applications.
func Open(ctx context.Context, d *db.DB, log *slog.Logger) (*Apps, error) {
	a := &Apps{db: d, log: log}
	a.current.Store(&map[im.AppID]*Tenant{})
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

func (a *Apps) refresh(ctx context.Context) error {
	newest, err := db.One(ctx, a.db, db.Number, `SELECT COALESCE(MAX(updated_at), 0) FROM app`)
	if err != nil || newest == a.seen.Load() {
		return err
	}
	return a.reload(ctx)
}

const selectApps = `SELECT id, secret, public_key, admins, settings, created_at, updated_at FROM app`

func (a *Apps) reload(ctx context.Context) error {
	fresh := map[im.AppID]*Tenant{}
	var newest int64
	err := db.Each(ctx, a.db, func(row db.Scanner) error {
		tenant, updated, err := scanTenant(row)
		if err != nil {
			return err
		}
		fresh[tenant.App.ID] = tenant
		newest = max(newest, updated)
		return nil
	}, selectApps)
	if err != nil {
		return fmt.Errorf("read applications: %w", err)
	}
	a.current.Store(&fresh)
	a.seen.Store(newest)
	return nil
}

func scanTenant(row db.Scanner) (*Tenant, int64, error) {
	var (
		id, created, updated             int64
		secret, public, admins, settings string
	)
	if err := row(&id, &secret, &public, &admins, &settings, &created, &updated); err != nil {
		return nil, 0, err
	}
	t := &Tenant{
		App:       &im.App{ID: im.AppID(id), Admins: strings.Split(admins, "\n"), Settings: im.DefaultSettings()},
		Keys:      usersig.Keys{Secret: secret},
		CreatedAt: time.UnixMilli(created),
	}
	if public != "" {
		key, err := usersig.ParsePublicKey(public)
		if err != nil {
			return nil, 0, fmt.Errorf("application %d: %w", id, err)
		}
		t.Keys.Public = key
	}
	if err := readSettings(settings, &t.App.Settings); err != nil {
		return nil, 0, fmt.Errorf("application %d: %w", id, err)
	}
	return t, updated, nil
}

// Find returns the application, or nil.
func (a *Apps) Find(id im.AppID) *Tenant { return (*a.current.Load())[id] }

// App returns the application as the rules see it, or nil.
func (a *Apps) App(id im.AppID) *im.App {
	if tenant := a.Find(id); tenant != nil {
		return tenant.App
	}
	return nil
}

// Each visits every application, in no order.
func (a *Apps) Each(visit func(*im.App)) {
	for _, tenant := range *a.current.Load() {
		visit(tenant.App)
	}
}

// All returns the applications in no order.
func (a *Apps) All() []*Tenant {
	current := *a.current.Load()
	list := make([]*Tenant, 0, len(current))
	for _, t := range current {
		list = append(list, t)
	}
	return list
}

// Ensure makes sure that the application exists with this HMAC secret, and with its default administrator.
func (a *Apps) Ensure(ctx context.Context, id im.AppID, secret string) error {
	if id == 0 || secret == "" {
		return errors.New("an application needs a number and a key")
	}
	err := a.db.Write(ctx, func(tx *db.Tx) error { return ensure(tx, id, secret) })
	if err != nil {
		return fmt.Errorf("store application %d: %w", id, err)
	}
	return a.reload(ctx)
}

const upsertApp = `INSERT INTO app (id, secret, public_key, admins, settings, created_at, updated_at)
VALUES ($1, $2, '', $3, '{}', $4, $4)
ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at
WHERE app.secret <> excluded.secret`

func ensure(tx *db.Tx, id im.AppID, secret string) error {
	_, err := tx.Exec(upsertApp, int64(id), secret, im.DefaultAdmin, tx.Now().UnixMilli())
	return err
}

// Create adds an application with a random key under the number, or under the first free number from firstID on when
// id is zero, and returns both.
func (a *Apps) Create(ctx context.Context, id im.AppID) (im.AppID, string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return 0, "", fmt.Errorf("make key: %w", err)
	}
	key := hex.EncodeToString(secret)
	if id != 0 && a.Find(id) != nil {
		return 0, "", fmt.Errorf("application %d exists", id)
	}
	for id == 0 || (a.Find(id) != nil) {
		id = max(id+1, firstID)
	}
	return id, key, a.Ensure(ctx, id, key)
}

// firstID is the number of the first application that gets one by itself; it has the usual ten digits.
const firstID im.AppID = 1_400_000_001

// The settings that are no row of im.SettingTable.
const (
	settingKey    = "public_key"
	settingAdmins = "admins"
)

// Set changes settings, given as name and value, all or none; a *SettingError says what is wrong with one. The names are those of im.SettingTable, and "public_key" for the
// public key in PEM that checks UserSigs of the older kind, "admins" for a list of administrators split by commas.
func (a *Apps) Set(ctx context.Context, id im.AppID, changes map[string]string) error {
	tenant := a.Find(id)
	if tenant == nil {
		return fmt.Errorf("no application %d", id)
	}
	settings, admins, public := tenant.App.Settings, tenant.App.Admins, ""
	for name, value := range changes {
		var err error
		switch name {
		case settingKey:
			public = value
			_, err = usersig.ParsePublicKey(value)
		case settingAdmins:
			admins, err = parseAdmins(value)
		default:
			err = im.SetSetting(&settings, name, value)
		}
		if err != nil {
			return &SettingError{err}
		}
	}
	return a.store(ctx, id, settings, admins, public)
}

func parseAdmins(list string) ([]string, error) {
	admins := strings.Split(list, ",")
	if len(admins) > im.MaxAdmins {
		return nil, fmt.Errorf("more than %d administrators", im.MaxAdmins)
	}
	found := false
	for _, admin := range admins {
		if !im.ValidUserID(admin) {
			return nil, fmt.Errorf("administrator %q is no user id", admin)
		}
		found = found || admin == im.DefaultAdmin
	}
	if !found {
		return nil, fmt.Errorf("%q is an administrator of every application", im.DefaultAdmin)
	}
	return admins, nil
}

// updateApp moves updated_at forward even when the clock does not, because that is how other nodes see the change.
const updateApp = `UPDATE app SET settings = $2, admins = $3,
	public_key = CASE WHEN $4 = '' THEN public_key ELSE $4 END,
	updated_at = CASE WHEN updated_at < $5 THEN $5 ELSE updated_at + 1 END
WHERE id = $1`

func (a *Apps) store(ctx context.Context, id im.AppID, settings im.Settings, admins []string, public string) error {
	text, err := writeSettings(&settings)
	if err != nil {
		return err
	}
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(updateApp, int64(id), text, strings.Join(admins, "\n"), public, tx.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("store application %d: %w", id, err)
	}
	return a.reload(ctx)
}

// Settings are stored by name, those only that differ from the default, so that a new default reaches old applications.
func writeSettings(s *im.Settings) (string, error) {
	usual := im.DefaultSettings()
	chosen := map[string]string{}
	for _, row := range s.Rows() {
		if value := row.Get(s); value != row.Get(&usual) {
			chosen[row.Name] = value
		}
	}
	text, err := json.Marshal(chosen)
	return string(text), err
}

func readSettings(text string, into *im.Settings) error {
	chosen := map[string]string{}
	if err := json.Unmarshal([]byte(text), &chosen); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	for name, value := range chosen {
		if err := im.SetSetting(into, name, value); err != nil {
			return err
		}
	}
	return nil
}

// Verify checks a UserSig and gives what it proves, or the refusal with the reference system's code.
func (t *Tenant) Verify(sig, userID string, now time.Time) (usersig.Claims, error) {
	claims, err := usersig.Verify(sig, uint32(t.App.ID), userID, t.Keys, now)
	if err == nil {
		return claims, nil
	}
	for _, row := range []struct {
		cause error
		code  im.Code
		info  string
	}{
		{usersig.ErrEmpty, im.CodeSigEmpty, "the UserSig is empty"},
		{usersig.ErrMalformed, im.CodeSigMalformed, "the UserSig cannot be read; was it cut short or encoded twice?"},
		{usersig.ErrExpired, im.CodeSigExpired, "the UserSig has expired"},
		{usersig.ErrBadSignature, im.CodeSigMismatch, "the UserSig was not made with this application's key"},
		{usersig.ErrWrongUser, im.CodeSigWrongUser, "the UserSig was made for another user"},
		{usersig.ErrWrongApp, im.CodeSigWrongApp, "the UserSig was made for another SDKAppID"},
		{usersig.ErrNoKey, im.CodeSigNoKey, "the application has no key for this kind of UserSig"},
	} {
		if errors.Is(err, row.cause) {
			return claims, im.Errorf(row.code, "%s", row.info)
		}
	}
	return claims, fmt.Errorf("verify UserSig: %w", err)
}
