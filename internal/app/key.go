package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// newKey makes a key as the reference system's are: 64 digits of hexadecimal.
func newKey() (string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	return hex.EncodeToString(secret), nil
}

// RotateKey gives the application a new random key and returns it. The former key is taken for keep longer; zero ends it at
// once, and with it what was logged in by it.
func (a *Apps) RotateKey(ctx context.Context, id im.AppID, keep time.Duration) (string, error) {
	key, err := newKey()
	if err != nil {
		return "", err
	}
	return key, a.alter(ctx, id, func(tx *db.Tx, version int64) (int64, error) {
		now := tx.Now()
		return tx.Exec(`UPDATE app SET former_secret = secret, former_until = $1, secret = $2, updated_at = $3, version = $4
			WHERE id = $5 AND NOT removing`, now.Add(keep).UnixMilli(), key, now.UnixMilli(), version, int64(id))
	})
}

// SetDisabled refuses every login and call of the application, or allows them again. Its rows stay.
func (a *Apps) SetDisabled(ctx context.Context, id im.AppID, disabled bool) error {
	return a.alter(ctx, id, func(tx *db.Tx, version int64) (int64, error) {
		return tx.Exec(`UPDATE app SET disabled = $1, updated_at = $2, version = $3 WHERE id = $4 AND NOT removing`,
			disabled, tx.Now().UnixMilli(), version, int64(id))
	})
}

var errNoApp = errors.New("no such application")

// alter changes the application's row and counts the change.
func (a *Apps) alter(ctx context.Context, id im.AppID, change func(tx *db.Tx, version int64) (int64, error)) error {
	err := a.write(ctx, func(tx *db.Tx) error {
		version, err := nextVersion(tx)
		if err != nil {
			return err
		}
		changed, err := change(tx, version)
		if err == nil && changed == 0 {
			err = errNoApp
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("application %d: %w", id, err)
	}
	return nil
}
