package device

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// arrival is a login that waits for its commit. The commit sets the last fields.
type arrival struct {
	app   *im.App
	fresh *row
	who   who

	lost    []row // the devices that gave way
	refused error // also account.ErrUnknown
}

func (a *arrival) key() key { return key{account: a.fresh.account} }

// admitAll stores the new devices of a commit and revokes those that must give way to them. It holds the rows of their
// accounts meanwhile, so two logins at once cannot both stay; of one account it admits one device after the other.
func (d *Devices) admitAll(tx *db.Tx, all []*arrival) error {
	return inRounds(all, (*arrival).key, func(some []*arrival) error { return d.admit(tx, some) })
}

// admit is admitAll for logins of different accounts.
func (d *Devices) admit(tx *db.Tx, some []*arrival) error {
	ctx := context.Background()
	admitted, err := checkNotRevoked(ctx, tx, some)
	if err != nil || len(admitted) == 0 {
		return err
	}
	others, err := loggedIn(ctx, tx, accountsOf(admitted))
	if err != nil {
		return err
	}
	var lost []row
	fresh := make([]*row, 0, len(admitted))
	for _, a := range admitted {
		a.lost = givingWay(a.app, others[a.fresh.account], a.fresh)
		lost, fresh = append(lost, a.lost...), append(fresh, a.fresh)
	}
	if err := revokeRows(tx, lost); err != nil {
		return err
	}
	if err := d.lease.insert(tx, fresh); err != nil {
		return err
	}
	for _, a := range admitted {
		if err := d.tellState(tx, a.who, cameOnline(), a.lost); err != nil {
			return err
		}
	}
	return nil
}

func accountsOf(some []*arrival) []im.AccountID {
	ids := make([]im.AccountID, len(some))
	for i, a := range some {
		ids[i] = a.fresh.account
	}
	return ids
}

// checkNotRevoked locks the accounts and returns the logins whose UserSig was made after the account's logins were last
// ended. Both times count whole seconds, so of the UserSigs of that very second those are refused that were in use.
func checkNotRevoked(ctx context.Context, tx *db.Tx, some []*arrival) ([]*arrival, error) {
	validAfter, err := account.Lock(tx, accountsOf(some))
	if err != nil {
		return nil, err
	}
	good := make([]*arrival, 0, len(some))
	for _, a := range some {
		a.lost, a.refused = nil, nil
		since, known := validAfter[a.fresh.account]
		switch {
		case !known:
			a.refused = account.ErrUnknown
		case a.fresh.issued < since:
			a.refused = account.ErrRevoked()
		case a.fresh.issued == since:
			if a.refused, err = checkUnused(ctx, tx, a.fresh); err != nil {
				return nil, err
			}
		}
		if a.refused == nil {
			good = append(good, a)
		}
	}
	return good, nil
}

// checkUnused refuses a UserSig that a device had when the account's logins were ended.
func checkUnused(ctx context.Context, tx *db.Tx, r *row) (refused, err error) {
	used, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM device
		WHERE account_id = $1 AND signature = $2 AND revoked = $3`, int64(r.account), r.signature, int(KickREST))
	if err == nil && used > 0 {
		refused = account.ErrRevoked()
	}
	return refused, err
}
