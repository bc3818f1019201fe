package db_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// alone has nothing copied beside a store.
func alone() error { return nil }

// A PostgreSQL is not copied; its own tools do that.
func TestCopyOfPostgres(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		err = d.CopyTo(t.Context(), t.TempDir(), alone)
		if o.URL == "" && err != nil || o.URL != "" && !errors.Is(err, db.ErrNotEmbedded) {
			t.Error(err)
		}
		if o.URL == "" {
			if err := d.CopyTo(t.Context(), o.Dir, alone); !errors.Is(err, db.ErrStoreThere) {
				t.Errorf("over the store itself: %v", err)
			}
		}
	})
}

// SQLite would put the log of another store, which was left where a copy is restored to, over what the copy has.
func TestRestoreBesideALog(t *testing.T) {
	t.Parallel()
	source, copied, left := t.TempDir(), filepath.Join(t.TempDir(), "copy"), t.TempDir()
	d := dbtest.Open(t, db.Options{Dir: source})
	if err := d.CopyTo(t.Context(), copied, alone); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"magpie.db-wal", "magpie.db-journal"} {
		log := filepath.Join(left, name)
		if err := os.WriteFile(log, []byte("what another store had to say"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := db.Restore(t.Context(), copied, left, alone); !errors.Is(err, db.ErrStoreThere) || !strings.Contains(err.Error(), log) {
			t.Errorf("restored beside %s: %v", name, err)
		}
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Restore(t.Context(), copied, left, alone); err != nil {
		t.Error(err)
	}
}
