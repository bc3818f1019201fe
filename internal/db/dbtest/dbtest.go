// Package dbtest gives tests their databases: SQLite in a throwaway directory always, and a throwaway PostgreSQL where one
// is installed.
//
// A test that must hold on both is written once, with Each. The package knows how to start PostgreSQL and nothing of what
// is stored in it.
package dbtest

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
)

// Each runs a test on an empty SQLite and, where it is installed, on an empty PostgreSQL. The options are for Open.
func Each(t *testing.T, test func(t *testing.T, o db.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, db.Options{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { test(t, db.Options{URL: URL(t)}) })
}

// Open opens a store and closes it at the end of the test.
func Open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return d
}

// Raw opens a store's database without the store, for a test that looks or changes what the store itself would not. It
// is closed at the end of the test.
func Raw(t testing.TB, o db.Options) *sql.DB {
	t.Helper()
	driver, address := "pgx", o.URL
	if o.URL == "" {
		driver, address = "sqlite", filepath.Join(o.Dir, "magpie.db")
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

// URL makes an empty PostgreSQL database, dropped at the end of the test. Its server does not wait for the disk, which
// makes tests fast; what is measured or killed wants Durable. Without PostgreSQL the test is skipped.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, hasty)
}

// Durable is URL on a server that waits for the disk at every commit, as in production.
func Durable(t testing.TB) string {
	t.Helper()
	return create(t, durable)
}
