package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// ErrReplaced is why a device does not stand: it has come back with another session since.
var ErrReplaced = errors.New("device: it is connected elsewhere")

// Fallen is a device that does not stand any more, and why: a *KickedError, ErrReplaced, or a refusal with CodeSigExpired
// when the store does not know the device.
type Fallen struct {
	Device *Device
	Why    error
}

// Standing tells whether the device is still logged in, with the session for which LogIn or Resume returned it. The error
// is as in Fallen, or the store's. A gateway asks once it has bound the device, because a kick between the login's commit
// and the binding found no session.
func (d *Devices) Standing(ctx context.Context, one *Device) error {
	asked := &standing{device: one}
	if err := d.standing.Read(ctx, asked); err != nil {
		return err
	}
	return asked.why
}

// standing is a question whether a device stands. The read sets why it does not.
type standing struct {
	device *Device
	why    error
}

// readStanding holds the devices against the store that were bound since the last time.
func (d *Devices) readStanding(ctx context.Context, all []*standing) error {
	bound := make([]*Device, len(all))
	for i, one := range all {
		bound[i] = one.device
	}
	fallen, err := d.HoldAgainst(ctx, bound)
	why := make(map[*Device]error, len(fallen))
	for _, f := range fallen {
		why[f.Device] = f.Why
	}
	for _, one := range all {
		one.why = why[one.device]
	}
	return err
}

// HoldAgainst compares devices that are bound to sessions of this node with the store, and returns those that do not
// stand any more. The bus tells of a kick or a return, but may lose bus messages. HoldAgainst reads a row by its key
// for each device, some in one statement.
func (d *Devices) HoldAgainst(ctx context.Context, bound []*Device) ([]Fallen, error) {
	keys := make([]key, len(bound))
	for i, one := range bound {
		keys[i] = keyOf(one)
	}
	rows, err := states(ctx, d.db, keys)
	if err != nil {
		return nil, fmt.Errorf("hold devices against the store: %w", err)
	}
	var fallen []Fallen
	for i, one := range bound {
		if why := rows[keys[i]].against(one); why != nil {
			fallen = append(fallen, Fallen{one, why})
		}
	}
	return fallen, nil
}

// Over reports whether the login has ended by itself: its UserSig has expired, the key that made it does not count any more,
// or the application, nil when there is none, is disabled.
func (d *Device) Over(of *app.Tenant, now time.Time) bool {
	return of == nil || now.Unix() > d.Expires.Unix() || !slices.Contains(of.Marks(now), d.key)
}

func keyOf(one *Device) key { return key{one.Account.ID, one.ID} }

// state is a device's row, as far as it is compared; the zero state is that of a device without a row.
type state struct {
	known   bool
	revoked KickType
	by      im.DeviceID
	changed int64
}

// against compares the row's state with a device as a session has it.
func (s state) against(one *Device) error {
	switch {
	case !s.known || s.revoked != 0:
		return s.ended()
	case s.changed != one.changed:
		return ErrReplaced
	}
	return nil
}

// ended is why a device that is not logged in may not come back.
func (s state) ended() error {
	switch {
	case !s.known:
		return errOver()
	case s.revoked == 0: // a client takes any KickedError for a logout
		return errors.New("a device that is logged in could not be marked as connected")
	}
	return &KickedError{s.revoked, s.by}
}

// states reads the rows of devices.
func states(ctx context.Context, from db.Source, keys []key) (map[key]state, error) {
	found := make(map[key]state, len(keys))
	err := db.KeyChunks(from, 2, keys, func(chunk []key) error {
		return db.Each(ctx, from, func(scan db.Scanner) error {
			var k key
			s := state{known: true}
			err := scan(&k.account, &k.device, &s.revoked, &s.by, &s.changed)
			found[k] = s
			return err
		}, `SELECT account_id, instance_id, revoked, kicked_by, changed_at FROM device
			WHERE (account_id, instance_id) IN (VALUES `+db.Rows(len(chunk), 2, true)+`)`, args(chunk)...)
	})
	return found, err
}
