package account

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// lockAccounts locks rows by writing them as they are. Written as an insertion it takes them in the order of its SELECT,
// on both databases; an UPDATE takes them in any. Of an account that is removed between the two it inserts a row: one of a
// deleted account, by which Lock knows it.
const lockAccounts = `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at)
SELECT id, app_id, user_id, '', '', 0, 0, 1 FROM account WHERE id IN ($1...) AND deleted_at = 0 ORDER BY id
ON CONFLICT (id) DO UPDATE SET valid_after = account.valid_after WHERE account.deleted_at = 0
RETURNING id, valid_after, deleted_at`

// Lock makes transactions that decide from rows of an account (two logins, a login and a kick) run one after the other: it
// holds the rows of the accounts until tx ends, as kick and deletion do. For each account it returns the unix second before
// which UserSigs are void; the result lacks deleted accounts. Lock may write, so a caller that refuses after it ends its
// transaction without an error: an error would undo the writes of others that share the transaction.
func Lock(tx *db.Tx, ids []im.AccountID) (validAfter map[im.AccountID]int64, err error) {
	validAfter = make(map[im.AccountID]int64, len(ids))
	var removed []im.AccountID
	err = tx.Returning(func(row db.Scanner) error {
		var (
			id      im.AccountID
			since   int64
			deleted int64
		)
		err := row(&id, &since, &deleted)
		if deleted != 0 {
			removed = append(removed, id)
		} else {
			validAfter[id] = since
		}
		return err
	}, lockAccounts, db.Ints(ids))
	if err == nil && len(removed) > 0 {
		_, err = tx.Exec(`DELETE FROM account WHERE id IN ($1...)`, db.Ints(removed))
	}
	return validAfter, err
}
