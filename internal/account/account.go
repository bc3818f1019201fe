// Package account keeps the identities of an application's users, and their end: import, deletion, and the kick that
// voids an account's UserSigs.
//
// Profiles beyond nick and avatar, devices, relations and messages are other rooms'. The package does not know them: a
// room that has a part in an account's end registers it.
package account

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// Account is a stored identity as the rules need it.
type Account struct {
	ID     im.AccountID
	App    im.AppID
	UserID string
	// Nick and FaceURL are carried with every message that the account sends.
	Nick, FaceURL string
	// ValidAfter is a unix second; UserSigs issued before it are void.
	ValidAfter int64
}

// Accounts is the room's state: the store, a cache of accounts, and who has a part in an account's end.
type Accounts struct {
	db      *db.DB
	bus     bus.Bus
	router  *event.Router
	log     *slog.Logger
	cache   *cache
	kicks   []Participant
	deletes []Participant
}

// Parts are what the room is built on. Clock is nil for the system's.
type Parts struct {
	DB     *db.DB
	Bus    bus.Bus
	Router *event.Router
	Log    *slog.Logger
	Clock  *clock.Clock
}

// Open prepares the room.
func Open(p Parts) (*Accounts, error) {
	a := &Accounts{db: p.DB, bus: p.Bus, router: p.Router, log: p.Log, cache: newCache(p.Clock.Now)}
	if err := p.Bus.Subscribe(changedSubject(), a.cache); err != nil {
		return nil, fmt.Errorf("subscribe to account changes: %w", err)
	}
	return a, nil
}

// Commands is the room's table of contents.
func (a *Accounts) Commands() []command.Command {
	return []command.Command{
		a.importCommand(), a.importManyCommand(), a.deleteCommand(), a.checkCommand(), a.kickCommand(),
	}
}

// ErrUnknown is returned when an account does not exist, or was deleted.
var ErrUnknown = errors.New("account: unknown")

const accountColumns = `id, app_id, user_id, nick, face_url, valid_after`

const selectByName = `SELECT ` + accountColumns + ` FROM account WHERE app_id = $1 AND user_id = $2 AND deleted_at = 0`

func scanAccount(row db.Scanner) (Account, error) {
	var a Account
	err := row(&a.ID, &a.App, &a.UserID, &a.Nick, &a.FaceURL, &a.ValidAfter)
	return a, err
}

// Find returns the account of that name, or ErrUnknown. It may be up to cacheFor old.
func (a *Accounts) Find(ctx context.Context, app im.AppID, userID string) (Account, error) {
	if found, ok := a.cache.get(app, userID); ok {
		return found, nil
	}
	if !im.ValidUserID(userID) {
		return Account{}, ErrUnknown
	}
	found, err := db.One(ctx, a.db, scanAccount, selectByName, int64(app), userID)
	if errors.Is(err, db.ErrNotFound) {
		return Account{}, ErrUnknown
	}
	if err != nil {
		return Account{}, fmt.Errorf("find account: %w", err)
	}
	a.cache.put(found)
	return found, nil
}

// FindMany returns those of the named accounts that exist, by name.
func (a *Accounts) FindMany(ctx context.Context, app im.AppID, userIDs []string) (map[string]Account, error) {
	found := make(map[string]Account, len(userIDs))
	var missing []string
	for _, userID := range userIDs {
		if one, ok := a.cache.get(app, userID); ok {
			found[userID] = one
		} else if im.ValidUserID(userID) {
			missing = append(missing, userID)
		}
	}
	return found, a.load(ctx, app, missing, found)
}

// Read is FindMany without the cache, for what must show the latest change of any node.
func (a *Accounts) Read(ctx context.Context, app im.AppID, userIDs []string) (map[string]Account, error) {
	found := make(map[string]Account, len(userIDs))
	valid := slices.DeleteFunc(slices.Clone(userIDs), func(userID string) bool { return !im.ValidUserID(userID) })
	return found, a.load(ctx, app, valid, found)
}

func (a *Accounts) load(ctx context.Context, app im.AppID, userIDs []string, found map[string]Account) error {
	if len(userIDs) == 0 {
		return nil
	}
	rows, err := db.All(ctx, a.db, scanAccount,
		`SELECT `+accountColumns+` FROM account WHERE app_id = $1 AND deleted_at = 0 AND user_id IN ($2...)`, int64(app), db.Texts(userIDs))
	if err != nil {
		return fmt.Errorf("find accounts: %w", err)
	}
	for _, one := range rows {
		found[one.UserID] = one
		a.cache.put(one)
	}
	return nil
}

// ByID returns accounts by their number, deleted ones too, as history still names them. from is the store, or the
// snapshot that the caller reads on.
func (a *Accounts) ByID(ctx context.Context, from db.Source, ids []im.AccountID) (map[im.AccountID]Account, error) {
	found := make(map[im.AccountID]Account, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	rows, err := db.All(ctx, from, scanAccount, `SELECT `+accountColumns+` FROM account WHERE id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("find accounts: %w", err)
	}
	for _, one := range rows {
		found[one.ID] = one
	}
	return found, nil
}

// Forget drops what this node remembers of an account, for a caller who has found it to be otherwise.
func (a *Accounts) Forget(app im.AppID, userID string) { a.cache.drop(cacheKey{app, userID}) }

// Ensure makes sure that an account of that name exists, as a first login does. issued is the unix second in which the
// account's UserSig was made: one from before the account was deleted does not bring it back. Names that no account may
// be imported with are not made here either.
func (a *Accounts) Ensure(ctx context.Context, app im.AppID, userID string, issued int64) (Account, error) {
	found, err := a.Find(ctx, app, userID)
	if !errors.Is(err, ErrUnknown) {
		return found, err
	}
	if reserved(userID) {
		return Account{}, im.Errorf(im.CodeAccountUnknown, "there is no account %q, and one with its prefix is not made by logging in", userID)
	}
	revoked := false
	err = a.db.Write(ctx, func(tx *db.Tx) error {
		validAfter, _, err := lock(tx, lockName, int64(app), userID) // of a deleted one
		if revoked = issued < validAfter; err != nil || revoked {
			return err
		}
		return insert(tx, app, imported{UserID: userID})
	})
	if err != nil {
		return Account{}, fmt.Errorf("make account: %w", err)
	}
	if revoked {
		return Account{}, ErrRevoked()
	}
	return a.Find(ctx, app, userID)
}

// ErrRevoked refuses a UserSig from before the account's logins were ended.
func ErrRevoked() error {
	return im.Errorf(im.CodeSigRevoked, "the UserSig was revoked, make a new one")
}

// newAccountID draws a number that says nothing of other accounts. 52 bits stay exact in a JavaScript number, and a
// collision is refused by the table's key.
func newAccountID() (int64, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("draw account id: %w", err)
	}
	const bits = 52
	return int64(binary.BigEndian.Uint64(random[:])>>(64-bits)) | 1<<(bits-1), nil
}
