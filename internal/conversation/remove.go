package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// owned are the statements that remove what an owner has chosen, most of it at most.
func owned() []string {
	return []string{
		`DELETE FROM choice WHERE (owner_id, kind, peer_id) IN (SELECT owner_id, kind, peer_id FROM choice WHERE owner_id IN ($1...) LIMIT $2)`,
		`DELETE FROM do_not_disturb WHERE owner_id IN ($1...) AND $2 > 0`,
		`DELETE FROM folder WHERE (owner_id, number) IN (SELECT owner_id, number FROM folder WHERE owner_id IN ($1...) LIMIT $2)`,
	}
}

// OnDelete forgets what a deleted account has chosen. It is an [account.Participant].
func (c *Conversations) OnDelete(ctx context.Context, tx *db.Tx, of account.Account) (func(), error) {
	_, err := c.RemoveOf(ctx, tx, []im.AccountID{of.ID}, mostChoices+folderNumbers+1)
	return nil, err
}

// RemoveOf removes what accounts have chosen that are removed, most of it at most, and tells how much.
func (*Conversations) RemoveOf(_ context.Context, tx *db.Tx, owners []im.AccountID, most int64) (removed int64, err error) {
	for _, statement := range owned() {
		n, err := tx.Exec(statement, db.Ints(owners), most-removed)
		if removed += n; err != nil || removed >= most {
			return removed, err
		}
	}
	return removed, nil
}
