package device

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// RemoveOf removes devices of accounts that are removed. It is an [account.RemovePart].
func (d *Devices) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (int64, error) {
	return tx.Exec(`DELETE FROM device WHERE (account_id, instance_id) IN
		(SELECT account_id, instance_id FROM device WHERE account_id IN ($1...) LIMIT $2)`, db.Ints(of), most)
}

// Served reports whether a node serves the store now, as far as its lease tells.
func Served(ctx context.Context, d *db.DB) (bool, error) {
	nodes, err := db.One(ctx, d, db.Number, `SELECT COUNT(*) FROM node WHERE lease_until > $1`, d.Now().UnixMilli())
	return nodes > 0, err
}
