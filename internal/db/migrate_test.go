package db_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

const countMigrations = `SELECT COUNT(*) FROM migration`

// A migration is applied once, and what was stored before the second start is there after it.
func TestMigrateTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		first := open(t, o)
		if err := first.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 1) }); err != nil {
			t.Fatal(err)
		}
		before, err := db.One(t.Context(), first, db.Number, countMigrations)
		if err != nil || before == 0 {
			t.Fatalf("%d migrations (%v), want some", before, err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second := dbtest.Open(t, o)
		after, err := db.One(t.Context(), second, db.Number, countMigrations)
		if err != nil || after != before {
			t.Errorf("%d migrations after the second start (%v), want %d", after, err, before)
		}
		if got := stated(t, second); len(got) != 1 {
			t.Errorf("stored are %v after the second start, want what was", got)
		}
	})
}

// On SQLite every table with a key of several columns is kept in the order of that key, however a migration writes it.
func TestTablesInTheOrderOfTheirKeys(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	const keyed = `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%PRIMARY KEY (%'`
	all, err := db.One(t.Context(), d, db.Number, keyed)
	inOrder, err2 := db.One(t.Context(), d, db.Number, keyed+` AND sql LIKE '%WITHOUT ROWID'`)
	if err != nil || err2 != nil || all == 0 || inOrder != all {
		t.Errorf("%d of %d tables are (%v, %v), want all of some", inOrder, all, err, err2)
	}
}

// Nodes that start at once on an empty database all find the schema, made once.
func TestMigrateAtOnce(t *testing.T) {
	for range 5 {
		o := db.Options{URL: dbtest.URL(t)}
		stores := make([]*db.DB, 6)
		all := start(len(stores), func(n int) error {
			var err error
			stores[n], err = db.Open(t.Context(), o)
			return err
		})
		for n, err := range all() {
			if err != nil {
				t.Errorf("node %d: %v", n, err)
				continue
			}
			if _, err := db.One(t.Context(), stores[n], db.Number, `SELECT COUNT(*) FROM message`); err != nil {
				t.Errorf("node %d has no tables: %v", n, err)
			}
			if err := stores[n].Close(); err != nil {
				t.Errorf("node %d: %v", n, err)
			}
		}
	}
}

// A store that cannot be opened says so and leaves nothing open.
func TestOpenFails(t *testing.T) {
	for name, o := range map[string]db.Options{
		"no such server":    {URL: "postgres://magpie@/none?host=/nowhere"},
		"not an address":    {URL: "postgres://%zz"},
		"a file, not a dir": {Dir: "/dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := db.Open(t.Context(), o); err == nil {
				d.Close()
				t.Error("it opened")
			}
		})
	}
}
