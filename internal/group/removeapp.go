package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// What one transaction of a removal takes away at most, so that nobody's commit waits long for it.
const (
	removeRows   = 500
	removeGroups = 100
)

// RemoveApp removes groups of an application, destroyed ones too, with their members and requests to join, in the order of
// their numbers: the room's part in its removal, an app.Part.
func (g *Groups) RemoveApp(ctx context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error) {
	numbers, err := db.All(ctx, tx, db.Number, `SELECT id FROM chat_group WHERE app_id = $1 AND id >= $2 ORDER BY id LIMIT $3`,
		int64(of), from, removeGroups)
	if err != nil {
		return 0, fmt.Errorf("find groups to remove: %w", err)
	}
	for _, remove := range []string{`DELETE FROM group_growth WHERE app_id = $1`, `DELETE FROM group_count WHERE app_id = $1`} {
		if _, err := tx.Exec(remove, int64(of)); err != nil {
			return 0, err
		}
	}
	left := int64(removeRows)
	for _, id := range numbers {
		for _, remove := range []string{
			`DELETE FROM group_member WHERE group_id = $1 AND account_id IN (SELECT account_id FROM group_member WHERE group_id = $1 LIMIT $2)`,
			`DELETE FROM join_request WHERE group_id = $1 AND account_id IN (SELECT account_id FROM join_request WHERE group_id = $1 LIMIT $2)`,
			`DELETE FROM group_ban WHERE group_id = $1 AND account_id IN (SELECT account_id FROM group_ban WHERE group_id = $1 LIMIT $2)`,
		} {
			removed, err := tx.Exec(remove, id, left)
			if left -= removed; err != nil || left <= 0 {
				return id, err
			}
		}
		if err := g.endParts(tx, id); err != nil {
			return 0, err
		}
		if _, err := tx.Exec(`DELETE FROM chat_group WHERE id = $1`, id); err != nil {
			return 0, err
		}
		next = id + 1
	}
	return next, nil
}
