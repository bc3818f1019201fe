package account

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// device is a row of the table of devices.
type device struct {
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

const insertDevice = `INSERT INTO device
(account_id, instance_id, platform, online_on, node_started, signature, issued_at, expires_at, revoked, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)`

func (l *lease) insertDevice(tx *db.Tx, d *device) error {
	_, err := tx.Exec(`DELETE FROM device WHERE account_id = $1 AND changed_at < $2 AND (revoked <> 0 OR expires_at < $3)`,
		int64(d.account), tx.Now().Add(-keepRevoked).UnixMilli(), tx.Now().Unix())
	if err != nil {
		return err
	}
	d.changed = tx.Now().UnixMilli()
	node, started := l.get()
	_, err = tx.Exec(insertDevice, int64(d.account), int64(d.instance), int(d.platform), node, started,
		d.signature, d.issued, d.expires, d.changed)
	return err
}

// standing lists the devices that are logged in, connected or not.
func standing(ctx context.Context, from db.Source, account im.AccountID) ([]device, error) {
	return db.All(ctx, from, func(row db.Scanner) (device, error) {
		d := device{account: account}
		err := row(&d.instance, &d.platform, &d.changed)
		return d, err
	}, `SELECT instance_id, platform, changed_at FROM device WHERE account_id = $1 AND revoked = 0`, int64(account))
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

// comeBack marks a device as connected to this node and reads what it is. db.ErrNotFound: no such device;
// *KickedError: it was logged out.
func (l *lease) comeBack(ctx context.Context, tx *db.Tx, d *device) error {
	_, err := db.One(ctx, tx, func(row db.Scanner) (struct{}, error) {
		return struct{}{}, row(&d.platform, &d.issued, &d.expires, &d.revoked, &d.changed)
	}, `SELECT platform, issued_at, expires_at, revoked, changed_at FROM device WHERE account_id = $1 AND instance_id = $2`,
		int64(d.account), int64(d.instance))
	if err != nil {
		return err
	}
	if d.revoked != 0 {
		return &KickedError{d.revoked}
	}
	d.changed = max(tx.Now().UnixMilli(), d.changed+1)
	node, started := l.get()
	_, err = tx.Exec(`UPDATE device SET online_on = $3, node_started = $4, changed_at = $5
		WHERE account_id = $1 AND instance_id = $2`,
		int64(d.account), int64(d.instance), node, started, d.changed)
	return err
}

// Lost marks a device as no longer connected, unless it has come back by now, here or on another node. silent says that
// nothing was heard of it, rather than that its connection was closed.
func (a *Accounts) Lost(ctx context.Context, d *Device, silent bool) error {
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		lost, err := tx.Exec(`UPDATE device SET online_on = 0, changed_at = $4
			WHERE account_id = $1 AND instance_id = $2 AND changed_at = $3`,
			int64(d.Account.ID), int64(d.Instance), d.changed, max(tx.Now().UnixMilli(), d.changed+1))
		if err != nil || lost == 0 {
			return err
		}
		return a.tellState(tx, d.who(), gone(silent), nil)
	})
	if err != nil {
		return fmt.Errorf("mark device lost: %w", err)
	}
	return nil
}

func (a *Accounts) logOut(account im.AccountID, instance im.InstanceID, reason KickType) {
	err := a.router.LogOut(event.Target{Account: account, Only: instance}, int(reason))
	if err != nil {
		a.log.Warn("tell a device that it was logged out", telemetry.FieldAccount, account, telemetry.FieldError, err)
	}
}

func (a *Accounts) logOutAll(account im.AccountID, reason KickType) { a.logOut(account, 0, reason) }
