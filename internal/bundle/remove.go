package bundle

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// removedTogether bounds what one transaction takes away, so that nobody's commit waits long for it.
const removedTogether = 50

// RemoveApp removes the bundles of an application: the room's part in its removal, an app.Part.
func (b *Bundles) RemoveApp(_ context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	removed, err := tx.Exec(`DELETE FROM bundle WHERE id IN (SELECT id FROM bundle WHERE app_id = $1 LIMIT $2)`, int64(of), removedTogether)
	if err != nil || removed == removedTogether {
		return from + 1, err
	}
	_, err = tx.Exec(`DELETE FROM bundle_usage WHERE app_id = $1`, int64(of))
	return 0, err
}
