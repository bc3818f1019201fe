package outbox

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// RemoveApp removes callbacks of an application, waiting ones and dead letters, and their attempts: the room's part in its
// removal, an app.Part.
func (o *Outbox) RemoveApp(ctx context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	if from <= 0 {
		for _, remove := range []string{
			`DELETE FROM webhook_outbox WHERE id IN (SELECT id FROM webhook_outbox WHERE app_id = $1 LIMIT $2)`,
			`DELETE FROM webhook_event WHERE id IN (SELECT id FROM webhook_event WHERE app_id = $1 LIMIT $2)`,
		} {
			if removed, err := tx.Exec(remove, int64(of), pruneRows); err != nil || removed > 0 {
				return -1, err
			}
		}
	}
	// Attempts are found by their numbers only: from the last one that was removed on.
	ids, err := db.All(ctx, tx, db.Number, `SELECT id FROM webhook_attempt WHERE app_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
		int64(of), max(from, 0), pruneRows)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	_, err = tx.Exec(`DELETE FROM webhook_attempt WHERE id IN ($1...)`, db.Ints(ids))
	return ids[len(ids)-1], err
}
