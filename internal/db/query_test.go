package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

func TestReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		ctx := t.Context()
		if _, err := db.One(ctx, d, db.Number, `SELECT n FROM fact`); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("One of nothing: %v, want ErrNotFound", err)
		}
		if all, err := db.All(ctx, d, db.Number, `SELECT n FROM fact`); err != nil || len(all) != 0 {
			t.Errorf("All of nothing: %v (%v)", all, err)
		}
		err := d.Write(ctx, func(tx *db.Tx) error { return errors.Join(state(tx, 1), state(tx, 2), state(tx, 3)) })
		if err != nil {
			t.Fatal(err)
		}
		if one, err := db.One(ctx, d, db.Number, `SELECT n FROM fact ORDER BY n DESC`); err != nil || one != 3 {
			t.Errorf("One of three: %d (%v), want the first row", one, err)
		}
		if text, err := db.One(ctx, d, db.Text, `SELECT CAST(n AS TEXT) FROM fact WHERE n = $1`, 2); err != nil || text != "2" {
			t.Errorf("Text: %q (%v)", text, err)
		}
		// A parameter may be used twice, and out of order.
		twice, err := db.All(ctx, d, db.Number, `SELECT n FROM fact WHERE n > $2 OR n = $1 OR (n = $1 AND n < $2) ORDER BY n`, 1, 2)
		if err != nil || !slices.Equal(twice, []int64{1, 3}) {
			t.Errorf("parameters out of order: %v (%v), want 1 and 3", twice, err)
		}
		seen := 0
		err = db.Each(ctx, d, func(db.Scanner) error { seen++; return errRefused }, `SELECT n FROM fact`)
		if !errors.Is(err, errRefused) || seen != 1 {
			t.Errorf("a visitor that refuses saw %d rows and gives %v", seen, err)
		}
		if _, err := db.All(ctx, d, func(row db.Scanner) (int, error) { return 0, row() }, `SELECT n FROM fact`); err == nil {
			t.Error("a scan of the wrong width succeeds")
		}
		if _, err := db.All(ctx, d, db.Number, `SELECT nothing FROM nowhere`); err == nil {
			t.Error("a query that is none succeeds")
		}
	})
}

// Reads on a snapshot agree with each other, whatever is committed between them, and hold up no writer.
func TestSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		count := func(from db.Source) int64 {
			t.Helper()
			n, err := db.One(t.Context(), from, db.Number, `SELECT COUNT(*) FROM fact`)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		write := func(n int) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) }); err != nil {
				t.Fatal(err)
			}
		}
		write(1)
		err := d.InSnapshot(t.Context(), func(from *db.Snapshot) error {
			if n := count(from); n != 1 {
				t.Errorf("at first %d facts, want 1", n)
			}
			write(2)
			if n := count(from); n != 1 {
				t.Errorf("then %d facts, want still 1", n)
			}
			if n := count(d); n != 2 {
				t.Errorf("outside %d facts, want 2", n)
			}
			return errRefused
		})
		if !errors.Is(err, errRefused) {
			t.Errorf("the reading's own error is %v", err)
		}
	})
}

// Many snapshots at once wait for each other's connections, and never for one that nobody can give back: also not when
// their statements are new, as when a server has just started and all its clients come back.
func TestManySnapshots(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		all := start(100, func(n int) error {
			return d.InSnapshot(ctx, func(from *db.Snapshot) error {
				for i := range 5 {
					query := fmt.Sprintf(`SELECT COUNT(*) FROM fact WHERE n > %d`, n%20*10+i)
					if _, err := db.One(ctx, from, db.Number, query); err != nil {
						return err
					}
				}
				return nil
			})
		})
		for n, err := range all() {
			if err != nil {
				t.Fatalf("snapshot %d: %v", n, err)
			}
		}
	})
}

// SQLite gets question marks where the parameters stand in order, and the text as it is where they do not.
func TestUnnumbered(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"SELECT 1", "SELECT 1"},
		{"a = $1 AND b = $2", "a = ? AND b = ?"},
		{"($1,$2),($3,$4),($5,$6),($7,$8),($9,$10)", "(?,?),(?,?),(?,?),(?,?),(?,?)"},
		{"a = $2 AND b = $1", "a = $2 AND b = $1"},
		{"a = $1 OR b = $1", "a = $1 OR b = $1"},
		{"cost = '5$'", "cost = '5$'"},
	} {
		if got := db.Unnumbered(row.text); got != row.want {
			t.Errorf("%q became %q, want %q", row.text, got, row.want)
		}
	}
}
