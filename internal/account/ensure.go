package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// making is an account that a first login makes. The commit sets the last fields.
type making struct {
	app    im.AppID
	userID string
	issued int64 // unix second of the login's UserSig

	made    Account
	revoked bool
}

func (m *making) key() cacheKey { return cacheKey{m.app, m.userID} }

// Ensure makes sure that an account of that name exists, as a first login does. issued is the unix second in which the
// account's UserSig was made: a UserSig from before the account was deleted does not bring it back. Ensure refuses the user
// ids that an import refuses.
func (a *Accounts) Ensure(ctx context.Context, app im.AppID, userID string, issued int64) (Account, error) {
	found, err := a.Find(ctx, app, userID)
	if !errors.Is(err, ErrUnknown) {
		return found, err
	}
	if reserved(userID) {
		return Account{}, im.Errorf(im.CodeAccountUnknown, "there is no account %q, and one with its prefix is not made by logging in", userID)
	}
	one := &making{app: app, userID: userID, issued: issued}
	if err := a.makes.Write(ctx, one); err != nil {
		return Account{}, fmt.Errorf("make account: %w", err)
	}
	if one.revoked {
		return Account{}, ErrRevoked()
	}
	a.cache.put(one.made)
	return one.made, nil
}

// makeAll makes the accounts of a commit. Two first logins of one name make one account.
func (a *Accounts) makeAll(tx *db.Tx, all []*making) error {
	validAfter, err := lockNamed(tx, all)
	if err != nil {
		return err
	}
	first := map[cacheKey]*making{}
	var fresh []*making
	for _, m := range all {
		m.revoked = m.issued < validAfter[m.key()]
		if !m.revoked && first[m.key()] == nil {
			first[m.key()] = m
			fresh = append(fresh, m)
		}
	}
	slices.SortFunc(fresh, func(x, y *making) int {
		return cmp.Or(cmp.Compare(x.app, y.app), cmp.Compare(x.userID, y.userID))
	})
	if err := insertMade(tx, fresh, first); err != nil {
		return err
	}
	for _, m := range all {
		if !m.revoked {
			m.made = first[m.key()].made
		}
	}
	return nil
}

// lockNamed locks the rows that have the names already, which are deleted accounts' as a rule, and reads the unix second
// before which UserSigs are void.
func lockNamed(tx *db.Tx, all []*making) (map[cacheKey]int64, error) {
	names := map[im.AppID][]string{}
	for _, m := range all {
		names[m.app] = append(names[m.app], m.userID)
	}
	validAfter := map[cacheKey]int64{}
	for app, userIDs := range names {
		err := tx.Returning(func(row db.Scanner) error {
			k, since := cacheKey{app: app}, int64(0)
			err := row(&k.userID, &since)
			validAfter[k] = since
			return err
		}, `UPDATE account SET valid_after = valid_after WHERE app_id = $1 AND user_id IN ($2...) RETURNING user_id, valid_after`,
			int64(app), db.Texts(userIDs))
		if err != nil {
			return nil, err
		}
	}
	return validAfter, nil
}

// upsertMade brings a deleted account back as an import does. An account that was made meanwhile stays as it is.
const upsertMade = ` ON CONFLICT (app_id, user_id) DO UPDATE SET deleted_at = 0 RETURNING ` + accountColumns

// insertMade stores the accounts and reads them back.
func insertMade(tx *db.Tx, fresh []*making, byKey map[cacheKey]*making) error {
	const width = 4
	return db.Chunks(tx, width, fresh, func(chunk []*making) error {
		args := make([]any, 0, width*len(chunk))
		for _, m := range chunk {
			id, err := newAccountID()
			if err != nil {
				return err
			}
			args = append(args, id, int64(m.app), m.userID, tx.Now().UnixMilli())
		}
		return tx.Returning(func(row db.Scanner) error {
			made, err := scanAccount(row)
			if err == nil {
				byKey[cacheKey{made.App, made.UserID}].made = made
			}
			return err
		}, `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at) VALUES `+
			db.RowsOf(len(chunk), "(?,?,?,'','',0,?,0)")+upsertMade, args...)
	})
}
