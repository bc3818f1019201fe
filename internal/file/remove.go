package file

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// removedTogether is how many files go in one transaction.
const removedTogether = 100

// removeFiles removes files of an application that a query of ids finds, and says how many. What they had goes from the sums, and an
// object that is no file's any more is freed: its bytes go later.
func removeFiles(tx *db.Tx, of im.AppID, ids string, args ...any) (int, error) {
	objects, sums, removed := map[string]int64{}, map[int64]int64{}, 0
	err := tx.Returning(func(scan db.Scanner) error {
		var (
			digest        string
			account, size int64
		)
		err := scan(&digest, &account, &size)
		objects[digest]++
		sums[account] += size
		sums[0] += size
		removed++
		return err
	}, `DELETE FROM file WHERE id IN (`+ids+`) RETURNING digest, account_id, size`, args...)
	if err != nil {
		return 0, err
	}
	for _, account := range slices.Sorted(maps.Keys(sums)) {
		_, err := tx.Exec(`UPDATE file_sum SET bytes = bytes - $1 WHERE app_id = $2 AND account_id = $3`, sums[account], int64(of), account)
		if err != nil {
			return 0, err
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(objects)) {
		_, err := tx.Exec(`UPDATE file_object SET files = files - $1, freed_at = $2 WHERE digest = $3`,
			objects[digest], tx.Now().UnixMilli(), digest)
		if err != nil {
			return 0, err
		}
	}
	return removed, nil
}

// RemoveApp removes the rows that the room has of an application: its part in the removal, an app.Part. The bytes are removed by a
// node that serves the store.
func (*Files) RemoveApp(_ context.Context, tx *db.Tx, of im.AppID, _ int64) (next int64, err error) {
	removed, err := removeFiles(tx, of, `SELECT id FROM file WHERE app_id = $1 ORDER BY created_at, id LIMIT $2`, int64(of), int64(removedTogether))
	if err != nil || removed == removedTogether {
		return 1, err
	}
	const most = 500
	sums, err := tx.Exec(`DELETE FROM file_sum WHERE (app_id, account_id) IN (SELECT app_id, account_id FROM file_sum WHERE app_id = $1 LIMIT $2)`,
		int64(of), int64(most))
	if sums == most {
		return 1, err
	}
	return 0, err
}

// retire removes the files of an application whose time is over, in small transactions.
func (f *Files) retire(ctx context.Context, of *im.App) error {
	days := keepDays.Of(of)
	if days == 0 {
		return nil
	}
	before := f.clock.Now().Add(-time.Duration(days) * 24 * time.Hour).UnixMilli()
	for removed := removedTogether; removed == removedTogether; {
		err := f.db.Write(ctx, func(tx *db.Tx) error {
			var err error
			removed, err = removeFiles(tx, of.ID, `SELECT id FROM file WHERE app_id = $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3`,
				int64(of.ID), before, int64(removedTogether))
			return err
		})
		if err != nil {
			return fmt.Errorf("remove files whose time is over: %w", err)
		}
	}
	return nil
}
