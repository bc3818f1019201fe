// Package account keeps an application's accounts, and their end: import, deletion, and the kick that voids an account's
// UserSigs.
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

// Accounts is the room's state: the store, a cache of accounts, and the participants in an account's end.
type Accounts struct {
	db      *db.DB
	bus     bus.Bus
	router  *event.Router
	log     *slog.Logger
	cache   *cache
	named   *db.Lookup[naming]
	makes   *db.Batch[making]
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
	a.named, a.makes = db.NewLookup(a.findNamed), db.NewBatch(p.DB, a.makeAll)
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
	one := &naming{app: app, userID: userID}
	if err := a.named.Read(ctx, one); err != nil {
		return Account{}, err
	}
	if one.found.ID == 0 {
		return Account{}, ErrUnknown
	}
	return one.found, nil
}

// naming is an account that is looked for by its name; found is zero when there is none.
type naming struct {
	app    im.AppID
	userID string
	found  Account
}

// findNamed looks for accounts of any application, in one statement for each.
func (a *Accounts) findNamed(ctx context.Context, all []*naming) error {
	names := map[im.AppID][]string{}
	for _, one := range all {
		names[one.app] = append(names[one.app], one.userID)
	}
	for app, userIDs := range names {
		found := make(map[string]Account, len(userIDs))
		if err := a.load(ctx, app, userIDs, found); err != nil {
			return err
		}
		for _, one := range all {
			if one.app == app {
				one.found = found[one.userID]
			}
		}
	}
	return nil
}

// FindEver is Find of accounts that were deleted too: the peer of a deleted account keeps the conversation.
func (a *Accounts) FindEver(ctx context.Context, app im.AppID, userID string) (Account, error) {
	found, err := a.FindManyEver(ctx, app, []string{userID})
	if err != nil {
		return Account{}, err
	}
	one, ok := found[userID]
	if !ok {
		return Account{}, ErrUnknown
	}
	return one, nil
}

// FindManyEver is FindMany of accounts that were deleted too. Deleted accounts are not remembered, as nobody writes to them.
func (a *Accounts) FindManyEver(ctx context.Context, app im.AppID, userIDs []string) (map[string]Account, error) {
	found, err := a.FindMany(ctx, app, userIDs)
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(slices.Clone(userIDs), func(userID string) bool {
		_, exists := found[userID]
		return exists || !im.ValidUserID(userID)
	})
	if len(gone) == 0 {
		return found, nil
	}
	rows, err := db.All(ctx, a.db, scanAccount,
		`SELECT `+accountColumns+` FROM account WHERE app_id = $1 AND user_id IN ($2...)`, int64(app), db.Texts(gone))
	if err != nil {
		return nil, fmt.Errorf("find deleted accounts: %w", err)
	}
	for _, one := range rows {
		found[one.UserID] = one
	}
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

// Read is FindMany without the cache, for a reply that must show the latest change of any node.
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

// ByID returns accounts by their account id, deleted ones too, as histories still name them. from is the store, or the
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

// Forget drops an account from this node's cache, for a caller that has found the account to be different.
func (a *Accounts) Forget(app im.AppID, userID string) { a.cache.drop(cacheKey{app, userID}) }

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
