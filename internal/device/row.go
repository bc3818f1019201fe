package device

import (
	"context"
	"errors"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// row is a row of the table of devices.
type row struct {
	account   im.AccountID
	instance  im.InstanceID
	platform  im.Platform
	signature int64
	issued    int64
	expires   int64
	revoked   KickType
	changed   int64 // unix milliseconds of its last login, return or loss
}

// keepRevoked is how long a logged-out device is remembered, so that it learns why when it comes back.
const keepRevoked = 7 * 24 * time.Hour

const insertRow = `INSERT INTO device
(account_id, instance_id, platform, online_on, node_started, signature, issued_at, expires_at, revoked, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)`

// insert stores a fresh login on this node, and forgets those of the account that nobody can come back to.
func (l *lease) insert(tx *db.Tx, r *row) error {
	_, err := tx.Exec(`DELETE FROM device WHERE account_id = $1 AND changed_at < $2 AND (revoked <> 0 OR expires_at < $3)`,
		int64(r.account), tx.Now().Add(-keepRevoked).UnixMilli(), tx.Now().Unix())
	if err != nil {
		return err
	}
	r.changed = tx.Now().UnixMilli()
	node, started := l.get()
	_, err = tx.Exec(insertRow, int64(r.account), int64(r.instance), int(r.platform), node, started,
		r.signature, r.issued, r.expires, r.changed)
	return err
}

// loggedIn lists the devices that are logged in, connected or not.
func loggedIn(ctx context.Context, from db.Source, account im.AccountID) ([]row, error) {
	return db.All(ctx, from, func(scan db.Scanner) (row, error) {
		r := row{account: account}
		err := scan(&r.instance, &r.platform, &r.changed)
		return r, err
	}, `SELECT instance_id, platform, changed_at FROM device WHERE account_id = $1 AND revoked = 0`, int64(account))
}

// online lists the devices that are logged in and connected.
func online(ctx context.Context, from db.Source, account im.AccountID) ([]row, error) {
	return db.All(ctx, from, func(scan db.Scanner) (row, error) {
		r := row{account: account}
		err := scan(&r.instance, &r.platform)
		return r, err
	}, `SELECT instance_id, platform FROM device WHERE account_id = $1 AND revoked = 0 AND online_on <> 0`, int64(account))
}

// revoke reports whether the device was logged in.
func revoke(tx *db.Tx, account im.AccountID, instance im.InstanceID, reason KickType) (bool, error) {
	revoked, err := tx.Exec(`UPDATE device SET revoked = $3, online_on = 0, changed_at = $4
		WHERE account_id = $1 AND instance_id = $2 AND revoked = 0`,
		int64(account), int64(instance), int(reason), tx.Now().UnixMilli())
	return revoked > 0, err
}

func revokeAll(tx *db.Tx, account im.AccountID, reason KickType) error {
	_, err := tx.Exec(`UPDATE device SET revoked = $2, online_on = 0, changed_at = $3
		WHERE account_id = $1 AND revoked = 0`, int64(account), int(reason), tx.Now().UnixMilli())
	return err
}

const comeBack = `UPDATE device SET online_on = $3, node_started = $4,
	changed_at = CASE WHEN changed_at < $5 THEN $5 ELSE changed_at + 1 END
WHERE account_id = $1 AND instance_id = $2 AND revoked = 0 RETURNING platform, expires_at, changed_at`

// comeBack marks a device as connected to this node, if it is still logged in, and reads what it is. The statement asks and
// writes at once, so that a kick comes before it or after it. refused says why the device may not come back.
func (l *lease) comeBack(ctx context.Context, tx *db.Tx, r *row) (refused, err error) {
	node, started := l.get()
	back := false
	err = tx.Returning(func(scan db.Scanner) error {
		back = true
		return scan(&r.platform, &r.expires, &r.changed)
	}, comeBack, int64(r.account), int64(r.instance), node, started, tx.Now().UnixMilli())
	if err != nil || back {
		return nil, err
	}
	return fallen(ctx, tx, r.account, r.instance)
}

// fallen tells why a device is not logged in any more.
func fallen(ctx context.Context, from db.Source, account im.AccountID, instance im.InstanceID) (why, err error) {
	revoked, err := db.One(ctx, from, db.Number, `SELECT revoked FROM device WHERE account_id = $1 AND instance_id = $2`,
		int64(account), int64(instance))
	if errors.Is(err, db.ErrNotFound) {
		return errOver(), nil
	}
	return &KickedError{KickType(revoked)}, err
}
