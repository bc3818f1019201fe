package device

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Resume lets a device come back with the token of its login. It refuses with CodeSigExpired when the login's UserSig
// has ended or the token is not ours, and with a *KickedError when the device was logged out meanwhile.
func (d *Devices) Resume(ctx context.Context, tenant *app.Tenant, text, address string) (*Device, error) {
	t, err := d.tokens.verify(text)
	if err != nil || t.app != tenant.App.ID || t.expires < d.clock.Now().Unix() {
		return nil, errOver()
	}
	found, err := d.accounts.ByID(ctx, d.db, []im.AccountID{t.account})
	if err != nil {
		return nil, err
	}
	back := &row{account: t.account, instance: t.device}
	var refused error
	err = d.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		if refused, err = d.lease.comeBack(ctx, tx, back); err != nil || refused != nil {
			return err // a refusal ends the transaction without an error, as others may share it
		}
		return d.tellState(tx, who{found[t.account], back.platform, address}, cameOnline(), nil)
	})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return d.device(found[t.account], back, address), nil
}

func errOver() error { return im.Errorf(im.CodeSigExpired, "the session has ended, log in again") }

// LogOut ends the device's login: its token does not work any more.
func (d *Devices) LogOut(ctx context.Context, of *Device) error {
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		revoked, err := revoke(tx, of.Account.ID, of.Instance, LoggedOut)
		if err != nil || !revoked {
			return err
		}
		return d.tellState(tx, of.who(), loggedOut(), nil)
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// Lost marks a device as no longer connected, unless it has come back by now, here or on another node. silent says that
// nothing was heard of it, rather than that its connection was closed.
func (d *Devices) Lost(ctx context.Context, one *Device, silent bool) error {
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		lost, err := tx.Exec(`UPDATE device SET online_on = 0, changed_at = $4
			WHERE account_id = $1 AND instance_id = $2 AND changed_at = $3`,
			int64(one.Account.ID), int64(one.Instance), one.changed, max(tx.Now().UnixMilli(), one.changed+1))
		if err != nil || lost == 0 {
			return err
		}
		return d.tellState(tx, one.who(), gone(silent), nil)
	})
	if err != nil {
		return fmt.Errorf("mark device lost: %w", err)
	}
	return nil
}
