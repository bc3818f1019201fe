package account

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// The statements lock a row by writing it as it is, which both databases do alike.
const (
	lockAccount = `UPDATE account SET valid_after = valid_after WHERE id = $1 AND deleted_at = 0 RETURNING valid_after`
	lockName    = `UPDATE account SET valid_after = valid_after WHERE app_id = $1 AND user_id = $2 RETURNING valid_after`
)

// Lock has those who decide from what belongs to an account (two logins, a login and a kick) decide one after the other: it
// holds the account's row until tx ends, as kick and deletion do. It returns the unix second before which UserSigs are
// void, or ErrUnknown when the account was deleted. It may have written by then, so a caller that refuses ends its
// transaction without an error: an error would undo the writes of others that share the transaction.
func Lock(tx *db.Tx, id im.AccountID) (validAfter int64, err error) {
	validAfter, found, err := lock(tx, lockAccount, int64(id))
	if err == nil && !found {
		err = ErrUnknown
	}
	return validAfter, err
}

func lock(tx *db.Tx, statement string, args ...any) (validAfter int64, found bool, err error) {
	err = tx.Returning(func(row db.Scanner) error {
		found = true
		return row(&validAfter)
	}, statement, args...)
	return validAfter, found, err
}
