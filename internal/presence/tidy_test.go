package presence_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/presence"
)

// An account that came back and went again, after it was found to be away and before that is noted, is away since it went last.
func TestAwaySinceTheLastDevice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		store := dbtest.Open(t, o)
		const found, went = 55_000, 85_000
		var away int64
		err := store.Write(t.Context(), func(tx *db.Tx) error {
			for _, statement := range []string{
				`INSERT INTO custom_status (account_id, status, away_at) VALUES (1, 'busy', 0)`,
				`INSERT INTO device (account_id, instance_id, platform, online_on, node_started, signature, issued_at, expires_at, revoked, changed_at)
					VALUES (1, 5, 7, 0, 0, 0, 0, 0, 1, 85000)`,
			} {
				if _, err := tx.Exec(statement); err != nil {
					return err
				}
			}
			if err := presence.MarkAway(tx, 1, found); err != nil {
				return err
			}
			var err error
			away, err = db.One(t.Context(), tx, db.Number, `SELECT away_at FROM custom_status WHERE account_id = 1`)
			return err
		})
		if err != nil || away != went {
			t.Errorf("away since %d (%v), want %d", away, err, went)
		}
	})
}
