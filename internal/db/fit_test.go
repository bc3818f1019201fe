package db_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// A store that does not fit the program is refused, with a sentence that names both versions. Nothing of it is changed:
// once it fits again it is opened.
func TestUnfitStoreIsRefused(t *testing.T) {
	rows := []struct {
		name        string
		spoil, mend string
		want        []string
	}{
		{"a newer one", `INSERT INTO migration VALUES (999, 1)`, `DELETE FROM migration WHERE number = 999`,
			[]string{"version 999", "magpie of an unknown version", "magpie v2.0-test", "up to version "}},
		{"a newer one that says who made it",
			`INSERT INTO migration VALUES (999, 1);INSERT INTO migration_source VALUES (999, 'abc', 'v3.0')`,
			`DELETE FROM migration WHERE number = 999;DELETE FROM migration_source WHERE number = 999`,
			[]string{"version 999", "magpie v3.0", "magpie v2.0-test", "up to version "}},
		{"an edited migration", `UPDATE migration_source SET checksum = 'x' || checksum, program = 'v1.5-mine' WHERE number = 1`,
			`UPDATE migration_source SET checksum = substr(checksum, 2) WHERE number = 1`,
			[]string{"version 1", "magpie v1.5-mine", "magpie v2.0-test", "another text"}},
		{"a column less", `ALTER TABLE lease RENAME COLUMN until TO lasts`, `ALTER TABLE lease RENAME COLUMN lasts TO until`,
			[]string{"version ", "magpie v2.0-test", "column lease.until bigint is missing", "column lease.lasts bigint is not expected"}},
		{"a column less in a store that does not know its texts",
			`DROP TABLE migration_source;ALTER TABLE message DROP COLUMN version`,
			`ALTER TABLE message ADD COLUMN version BIGINT NOT NULL DEFAULT 0`,
			[]string{"version ", "magpie v2.0-test", "column message.version bigint is missing"}},
		{"an index less", `DROP INDEX account_name`, `CREATE UNIQUE INDEX account_name ON account (app_id, user_id)`,
			[]string{"unique-index account.account_name is missing"}},
		{"an index that is not unique any more", `DROP INDEX account_name;CREATE INDEX account_name ON account (app_id, user_id)`,
			`DROP INDEX account_name;CREATE UNIQUE INDEX account_name ON account (app_id, user_id)`,
			[]string{"unique-index account.account_name is missing"}},
	}
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		o.Program = "v2.0-test"
		dbtest.Open(t, o).Close()
		for _, row := range rows {
			change(t, o, row.spoil)
			d, err := db.Open(t.Context(), o)
			if err == nil {
				d.Close()
				t.Fatalf("%s is opened", row.name)
			}
			if !errors.Is(err, db.ErrUnfit) {
				t.Errorf("%s: %v, want ErrUnfit", row.name, err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %q, want %q in it", row.name, err, want)
				}
			}
			change(t, o, row.mend)
			if d, err = db.Open(t.Context(), o); err != nil {
				t.Fatalf("after %s, mended: %v", row.name, err)
			}
			d.Close()
		}
	})
}

// A store from before the migrations' texts were remembered is opened and learns them; tables and indexes of somebody else
// do no harm.
func TestOlderStoreIsTaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		dbtest.Open(t, o).Close()
		change(t, o, `DROP TABLE migration_source;CREATE TABLE mine (n BIGINT);CREATE INDEX account_mine ON account (nick)`)
		o.Program = "v2.0-test"
		d := dbtest.Open(t, o)
		programs, err := db.All(t.Context(), d, db.Text, `SELECT s.program FROM migration m
			LEFT JOIN migration_source s ON s.number = m.number AND length(s.checksum) = 64 ORDER BY m.number`)
		if err != nil || len(programs) == 0 || programs[0] != "v2.0-test" {
			t.Errorf("the texts are remembered by %q (%v)", programs, err)
		}
	})
}

// change runs statements on a store that is closed.
func change(t *testing.T, o db.Options, statements string) {
	t.Helper()
	raw := dbtest.Raw(t, o)
	for statement := range strings.SplitSeq(statements, ";") {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// Comments and spaces of a migration may be edited, its statements may not.
func TestChecksum(t *testing.T) {
	const text = "-- a fact\nCREATE TABLE fact (\n\tn BIGINT\n);\n"
	for same, others := range map[bool][]string{
		true:  {text, "CREATE TABLE  fact ( n BIGINT );", "CREATE TABLE fact ( -- why\n n BIGINT\n);\n-- end"},
		false: {"CREATE TABLE fact ( m BIGINT );", "", "CREATE TABLE fact ( n BIGINT ); CREATE INDEX i ON fact (n);"},
	} {
		for _, other := range others {
			if got := db.Checksum(other) == db.Checksum(text); got != same {
				t.Errorf("%q is the same as %q: %v, want %v", other, text, got, same)
			}
		}
	}
}

// An index that a migration makes on one database alone is missed there, and looked for nowhere else.
func TestIndexOfOneDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		alone := d.SoleWriter()
		d.Close()
		raw := dbtest.Raw(t, o)
		if _, err := raw.ExecContext(t.Context(), `DROP INDEX message_key`); (err != nil) != alone {
			t.Fatalf("the index of keys: %v, in a store that one program writes: %v", err, alone)
		}
		raw.Close()
		again, err := db.Open(t.Context(), o)
		if err == nil {
			again.Close()
		}
		if errors.Is(err, db.ErrUnfit) == alone {
			t.Errorf("without the index the store opens with %v", err)
		}
	})
}
