package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	pruneEvery = time.Minute
	// pruneRows is how many rows go in one transaction, so that nobody waits long for it.
	pruneRows = 500
)

// prune removes what is older than it is to be kept, while this node delivers.
func (o *Outbox) prune(ctx context.Context) {
	for o.pause(ctx, pruneEvery) {
		before := o.Clock.Now().Add(-o.Keep)
		err := o.pruneAll(ctx, `SELECT id FROM webhook_event WHERE dead_at > 0 AND dead_at < $1 LIMIT $2`,
			`DELETE FROM webhook_event WHERE id = $1 AND dead_at > 0`, before.UnixMilli())
		if err == nil {
			err = o.pruneAll(ctx, `SELECT id FROM webhook_attempt WHERE id < $1 LIMIT $2`,
				`DELETE FROM webhook_attempt WHERE id = $1`, db.IDFloor(before))
		}
		if err != nil && ctx.Err() == nil {
			o.Log.Error("remove old callbacks", telemetry.FieldError, err)
		}
	}
}

// pruneAll deletes what the query finds, part by part.
func (o *Outbox) pruneAll(ctx context.Context, find, remove string, before int64) error {
	for {
		ids, err := db.All(ctx, o.DB, db.Number, find, before, pruneRows)
		if err != nil || len(ids) == 0 {
			return err
		}
		err = o.DB.Write(ctx, func(tx *db.Tx) error {
			for _, id := range ids {
				if _, err := tx.Exec(remove, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if len(ids) < pruneRows {
			return nil
		}
	}
}
