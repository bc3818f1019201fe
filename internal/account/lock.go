package account

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// lockAccounts locks rows by writing them as they are. Written as an insertion it takes them in the order of its SELECT,
// on both databases; an UPDATE takes them in any.
const lockAccounts = `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at)
SELECT id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at FROM account
WHERE id IN ($1...) AND deleted_at = 0 ORDER BY id
ON CONFLICT (id) DO UPDATE SET valid_after = account.valid_after WHERE account.deleted_at = 0
RETURNING id, valid_after`

// Lock makes transactions that decide from rows of an account (two logins, a login and a kick) run one after the other: it
// holds the rows of the accounts until tx ends, as kick and deletion do. For each account it returns the unix second before
// which UserSigs are void; the result lacks deleted accounts. Lock may write, so a caller that refuses after it ends its
// transaction without an error: an error would undo the writes of others that share the transaction.
func Lock(tx *db.Tx, ids []im.AccountID) (validAfter map[im.AccountID]int64, err error) {
	validAfter = make(map[im.AccountID]int64, len(ids))
	err = tx.Returning(func(row db.Scanner) error {
		var (
			id    im.AccountID
			since int64
		)
		err := row(&id, &since)
		validAfter[id] = since
		return err
	}, lockAccounts, db.Ints(ids))
	return validAfter, err
}
