package bundle

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// removedTogether bounds what one transaction takes away, so that nobody's commit waits long for it.
const removedTogether = 50

// Expire removes bundles of an application that were stored, sent or read before a moment, in one small step, and reports whether there
// may be more. Since not every use is noted, a bundle stays for a while longer.
func (b *Bundles) Expire(ctx context.Context, of im.AppID, before time.Time) (more bool, err error) {
	before = before.Add(-touchEvery)
	ids, err := db.All(ctx, b.db, db.Number, `SELECT id FROM bundle WHERE app_id = $1 AND used_at < $2 ORDER BY used_at LIMIT $3`,
		int64(of), before.UnixMilli(), removedTogether)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	err = b.db.Write(ctx, func(tx *db.Tx) error {
		return remove(tx, of, `DELETE FROM bundle WHERE id IN ($1...) AND used_at < $2 RETURNING bytes`, db.Ints(ids), before.UnixMilli())
	})
	if err != nil {
		return false, fmt.Errorf("remove old bundles: %w", err)
	}
	return len(ids) == removedTogether, nil
}

// remove runs a statement that takes bundles away and gives their bytes, which count no more.
func remove(tx *db.Tx, of im.AppID, statement string, args ...any) error {
	freed := int64(0)
	err := tx.Returning(func(row db.Scanner) error {
		bytes, err := db.Number(row)
		freed += bytes
		return err
	}, statement, args...)
	if err != nil || freed == 0 {
		return err
	}
	_, err = tx.Exec(`UPDATE bundle_usage SET bytes = bytes - $1 WHERE app_id = $2`, freed, int64(of))
	return err
}

// RemoveApp removes the bundles of an application: the room's part in its removal, an app.Part.
func (b *Bundles) RemoveApp(_ context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	removed, err := tx.Exec(`DELETE FROM bundle WHERE id IN (SELECT id FROM bundle WHERE app_id = $1 LIMIT $2)`, int64(of), removedTogether)
	if err != nil || removed == removedTogether {
		return from + 1, err
	}
	_, err = tx.Exec(`DELETE FROM bundle_usage WHERE app_id = $1`, int64(of))
	return 0, err
}
