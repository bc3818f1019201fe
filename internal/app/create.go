package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Ensure makes sure that the application exists with this HMAC secret, and with its default administrator.
func (a *Apps) Ensure(ctx context.Context, id im.AppID, secret string) error {
	if id == 0 || secret == "" {
		return errors.New("an application needs a number and a key")
	}
	return a.write(ctx, func(tx *db.Tx) error {
		has, err := db.One(ctx, tx, db.Text, `SELECT secret FROM app WHERE id = $1 AND NOT removing`, int64(id))
		if err == nil && has == secret || err != nil && !errors.Is(err, db.ErrNotFound) {
			return err
		}
		version, err := nextVersion(tx)
		if err != nil {
			return err
		}
		return store(tx, id, secret, version)
	})
}

const upsertApp = `INSERT INTO app (id, secret, public_key, admins, settings, created_at, updated_at, version)
VALUES ($1, $2, '', $3, '{}', $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at, version = excluded.version
WHERE NOT app.removing`

func store(tx *db.Tx, id im.AppID, secret string, version int64) error {
	now := tx.Now().UnixMilli()
	stored, err := tx.Exec(upsertApp, int64(id), secret, im.DefaultAdmin, now, now, version)
	if err == nil && stored == 0 {
		err = fmt.Errorf("application %d: %w", id, errRemoving)
	}
	return err
}

// Create adds an application with a random key under the number, or under the first free number from firstID on when
// id is zero, and returns both.
func (a *Apps) Create(ctx context.Context, id im.AppID) (im.AppID, string, error) {
	return a.create(ctx, func(tx *db.Tx) (im.AppID, error) {
		if id == 0 {
			return firstFree(ctx, tx)
		}
		taken, err := exists(ctx, tx, id)
		if taken {
			err = fmt.Errorf("application %d exists", id)
		}
		return id, err
	})
}

// EnsureAny adds an application as Create does, but only if there is none at all; it returns 0 if there is one.
func (a *Apps) EnsureAny(ctx context.Context) (im.AppID, string, error) {
	if len(a.All()) > 0 {
		return 0, "", nil
	}
	return a.create(ctx, func(tx *db.Tx) (im.AppID, error) {
		others, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM app`)
		if err != nil || others > 0 {
			return 0, err
		}
		return firstID, nil
	})
}

// create adds an application with a random key under the number that pick finds; none when that is zero. Of those that
// create at once, one picks after the other.
func (a *Apps) create(ctx context.Context, pick func(*db.Tx) (im.AppID, error)) (im.AppID, string, error) {
	key, err := newKey()
	if err != nil {
		return 0, "", err
	}
	var id im.AppID
	err = a.write(ctx, func(tx *db.Tx) error {
		version, err := nextVersion(tx)
		if err != nil {
			return err
		}
		if id, err = pick(tx); err != nil || id == 0 {
			return err
		}
		return store(tx, id, key, version)
	})
	if err != nil {
		return 0, "", err // the write may still be running, and then id is its own
	}
	return id, key, nil
}

// firstID is the number of the first application that gets one by itself; it has the usual ten digits.
const firstID im.AppID = 1_400_000_001

func firstFree(ctx context.Context, tx *db.Tx) (im.AppID, error) {
	for id := firstID; ; id++ {
		if taken, err := exists(ctx, tx, id); err != nil || !taken {
			return id, err
		}
	}
}

func exists(ctx context.Context, tx *db.Tx, id im.AppID) (bool, error) {
	n, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM app WHERE id = $1`, int64(id))
	return n > 0, err
}
