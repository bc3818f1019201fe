package account

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// What one transaction of a removal takes away at most, so that nobody's commit waits long for it.
const (
	removeRows     = 500
	removeAccounts = 100
)

// RemovePart is a room's part in the removal of accounts that nobody asks for any more. It removes rows that belong to them,
// most of them at most, and returns how many; fewer say that nothing is left. It may run more than once, as [db.DB.Write]
// says.
type RemovePart func(ctx context.Context, tx *db.Tx, of []im.AccountID, most int64) (removed int64, err error)

// RemoveApp gives the removal of an application's accounts, with what the parts have of them: an app.Part.
func RemoveApp(parts ...RemovePart) func(context.Context, *db.Tx, im.AppID, int64) (int64, error) {
	return func(ctx context.Context, tx *db.Tx, of im.AppID, _ int64) (next int64, err error) {
		ids, err := db.All(ctx, tx, func(row db.Scanner) (id im.AccountID, err error) { return id, row(&id) },
			`SELECT id FROM account WHERE app_id = $1 LIMIT $2`, int64(of), removeAccounts)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		if _, err := Lock(tx, ids); err != nil { // what a transaction that holds them writes is then seen by the parts
			return 0, err
		}
		left := int64(removeRows)
		for _, part := range parts {
			removed, err := part(ctx, tx, ids, left)
			if left -= removed; err != nil || left <= 0 {
				return 1, err
			}
		}
		_, err = tx.Exec(`DELETE FROM account WHERE id IN ($1...)`, db.Ints(ids))
		return 1, err
	}
}
