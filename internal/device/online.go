package device

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Online tells which of the accounts have a session now, on any node.
func (d *Devices) Online(ctx context.Context, accounts []im.AccountID) (map[im.AccountID]bool, error) {
	found := map[im.AccountID]bool{}
	err := db.Each(ctx, d.db, func(scan db.Scanner) error {
		var id im.AccountID
		err := scan(&id)
		found[id] = true
		return err
	}, `SELECT DISTINCT d.account_id FROM device d JOIN node n ON n.id = d.online_on
		WHERE d.revoked = 0 AND n.lease_until > $1 AND n.started_at = d.node_started AND d.account_id IN ($2...)`,
		d.clock.Now().UnixMilli(), db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read who is online: %w", err)
	}
	return found, nil
}
