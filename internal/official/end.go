package official

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Joined gives the numbers of the official accounts whose audience an account's devices are in.
func (o *Officials) Joined(ctx context.Context, from db.Source, who im.AccountID) ([]int64, error) {
	joined, err := db.All(ctx, from, db.Number, `SELECT official_id FROM subscription WHERE subscriber_id = $1`, int64(who))
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	return joined, nil
}

// OnDelete ends the subscriptions of an account that is deleted. It is an [account.Participant]. The official accounts that it owns
// stay: they are the back end's.
func (o *Officials) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	var left []im.AccountID
	err := tx.Returning(func(row db.Scanner) error {
		var official im.AccountID
		err := row(&official)
		left = append(left, official)
		return err
	}, `DELETE FROM subscription WHERE subscriber_id = $1 RETURNING official_id`, int64(of.ID))
	if err != nil || len(left) == 0 {
		return nil, err
	}
	if _, err := tx.Exec(`UPDATE official_account SET subscribers = subscribers - 1 WHERE account_id IN ($1...)`, db.Ints(left)); err != nil {
		return nil, err
	}
	return nil, o.Chats.UnsubscribeAll(tx, of.ID, left)
}

// RemoveOf removes the official accounts behind accounts that are removed, and the subscriptions of such accounts. It is an
// [account.RemovePart].
func (*Officials) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (removed int64, err error) {
	removed, err = tx.Exec(`DELETE FROM subscription WHERE number IN (SELECT number FROM subscription WHERE subscriber_id IN ($1...) LIMIT $2)`,
		db.Ints(of), most)
	if err != nil || removed >= most {
		return removed, err
	}
	n, err := tx.Exec(`DELETE FROM official_account WHERE account_id IN ($1...)`, db.Ints(of))
	return removed + n, err
}
