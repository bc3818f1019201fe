package db_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// All that is stored and all that rules see goes by the clock that the store was opened with.
func TestClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
		o.Now = func() time.Time { return now }
		d := dbtest.Open(t, o)
		applied, err := db.One(t.Context(), d, db.Number, `SELECT MIN(applied_at) FROM migration`)
		if err != nil || applied != now.UnixMilli() {
			t.Errorf("the migration was applied at %d (%v), want %d", applied, err, now.UnixMilli())
		}
		now = now.Add(time.Hour)
		var id int64
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			if !tx.Now().Equal(now) {
				t.Errorf("in a transaction it is %v, want %v", tx.Now(), now)
			}
			id = tx.NextID()
			return nil
		})
		if err != nil || !db.IDTime(id).Equal(now) || !d.Now().Equal(now) {
			t.Errorf("an id is of %v and the store's time is %v (%v), want %v", db.IDTime(id), d.Now(), err, now)
		}
	})
}
