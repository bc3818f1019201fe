package db_test

import (
	"errors"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// A PostgreSQL is not copied; its own tools do that.
func TestCopyOfPostgres(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		err = d.CopyTo(t.Context(), t.TempDir())
		if o.URL == "" && err != nil || o.URL != "" && !errors.Is(err, db.ErrNotEmbedded) {
			t.Error(err)
		}
		if o.URL == "" {
			if err := d.CopyTo(t.Context(), o.Dir); !errors.Is(err, db.ErrStoreThere) {
				t.Errorf("over the store itself: %v", err)
			}
		}
	})
}
