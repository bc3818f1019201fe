package device

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Resume lets a device come back with the token of its login. It refuses with CodeSigExpired when the login's UserSig
// has ended or the token is not ours, and with a *KickedError when the device was kicked meanwhile.
func (d *Devices) Resume(ctx context.Context, tenant *app.Tenant, text, address string) (*Device, error) {
	t, err := d.tokens.verify(text, tenant.Marks(d.clock.Now()))
	if err != nil || t.app != tenant.App.ID || t.expires < d.clock.Now().Unix() {
		return nil, errOver()
	}
	one := &comeback{row: &row{account: t.account, device: t.device}, address: address}
	if err := d.returns.Write(ctx, one); err != nil {
		return nil, err
	}
	if one.refused != nil {
		return nil, one.refused
	}
	d.cameOrWent(one.account.ID)
	return d.device(one.account, one.row, address, t.key), nil
}

// comeback is a device that comes back by its token. The commit completes row and sets the last fields.
type comeback struct {
	row     *row
	address string

	account account.Account
	refused error
}

func (c *comeback) key() key { return c.row.key() }

// bringBack marks the devices of a commit that come back as connected to this node.
func (d *Devices) bringBack(tx *db.Tx, all []*comeback) error {
	return inRounds(all, (*comeback).key, func(some []*comeback) error { return d.bringBackSome(tx, some) })
}

// bringBackSome is bringBack for different devices. A refusal is no error of the transaction, as others share it.
func (d *Devices) bringBackSome(tx *db.Tx, some []*comeback) error {
	ctx := context.Background()
	ids, rows := make([]im.AccountID, len(some)), make(map[key]*row, len(some))
	for i, c := range some {
		ids[i], rows[c.key()] = c.row.account, c.row
	}
	accounts, err := d.accounts.ByID(ctx, tx, ids)
	if err != nil {
		return err
	}
	back, err := d.lease.comeBack(tx, rows)
	if err != nil {
		return err
	}
	var refused []key
	for _, c := range some {
		if c.account, c.refused = accounts[c.row.account], nil; !back[c.key()] {
			refused = append(refused, c.key())
		} else if err := d.tellState(tx, who{c.account, c.row.platform, c.address}, cameOnline(), nil); err != nil {
			return err
		}
	}
	ended, err := states(ctx, tx, refused)
	for _, c := range some {
		if !back[c.key()] {
			c.refused = ended[c.key()].ended()
		}
	}
	return err
}

func errOver() error { return im.Errorf(im.CodeSigExpired, "the session has ended, log in again") }

// LogOut ends the device's login: its token does not work any more.
func (d *Devices) LogOut(ctx context.Context, of *Device) error {
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		revoked, err := revoke(tx, of.Account.ID, of.ID, LoggedOut)
		if err != nil || !revoked {
			return err
		}
		return d.tellState(tx, of.who(), loggedOut(), nil)
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	d.cameOrWent(of.Account.ID)
	return nil
}

// Lost marks a device as no longer connected, unless it has come back by now, here or on another node. silent says that
// its connection was silent for too long, rather than closed.
func (d *Devices) Lost(ctx context.Context, one *Device, silent bool) error {
	if err := d.losses.Write(ctx, &loss{one, silent}); err != nil {
		return fmt.Errorf("mark device lost: %w", err)
	}
	d.cameOrWent(one.Account.ID)
	return nil
}

// loss is a device whose connection ended.
type loss struct {
	device *Device
	silent bool
}

func (l *loss) key() key { return keyOf(l.device) }

// lose marks the devices of a commit whose connections ended.
func (d *Devices) lose(tx *db.Tx, all []*loss) error {
	return inRounds(all, (*loss).key, func(some []*loss) error {
		were, err := markLost(tx, some)
		if err != nil {
			return err
		}
		for _, l := range some {
			if !were[l.key()] {
				continue
			}
			if err := d.tellState(tx, l.device.who(), gone(l.silent), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// markLost returns the devices that were still connected where they were lost.
func markLost(tx *db.Tx, some []*loss) (gone map[key]bool, err error) {
	const width = 3
	gone = make(map[key]bool, len(some))
	now := tx.Now().UnixMilli()
	err = db.KeyChunks(tx, width, some, func(chunk []*loss) error {
		values := make([]any, 0, width*len(chunk)+2)
		for _, l := range chunk {
			values = append(values, int64(l.device.Account.ID), int64(l.device.ID), l.device.changed)
		}
		place := func(n int) string { return db.Parameters(width*len(chunk)+n, 1) }
		return tx.Returning(func(scan db.Scanner) error {
			var k key
			err := scan(&k.account, &k.device)
			gone[k] = true
			return err
		}, `WITH gone (account_id, instance_id, changed_at) AS (VALUES `+db.Rows(len(chunk), width, true)+`)
			UPDATE device SET online_on = 0, changed_at = CASE WHEN changed_at < `+place(1)+` THEN `+place(2)+` ELSE changed_at + 1 END
			WHERE (account_id, instance_id, changed_at) IN (SELECT account_id, instance_id, changed_at FROM gone)
			RETURNING account_id, instance_id`, append(values, now, now)...)
	})
	return gone, err
}
