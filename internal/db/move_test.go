package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// tableColumns are the names and the types of a table's columns.
type tableColumns struct{ names, types []string }

func columnsOf(t *testing.T, o db.Options) map[string]tableColumns {
	t.Helper()
	lines, err := dbtest.Raw(t, o).Query(`SELECT t.name, c.name, lower(c.type) FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'migration%' ORDER BY t.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lines.Close() }()
	all := map[string]tableColumns{}
	for lines.Next() {
		var table, column, kind string
		if err := lines.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		c := all[table]
		all[table] = tableColumns{append(c.names, column), append(c.types, kind)}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// made is a value of a type: numbers at both ends, texts with quotes and signs of several bytes, bytes that are no text.
func made(kind string, row, column int) any {
	switch kind {
	case "boolean":
		return row%2 == 0
	case "text":
		return fmt.Sprintf("%d 'quoted\\ \n 字😀 %d", row, column)
	case "bytea":
		return []byte{0, byte(row), 0xff, byte(column)}
	default:
		return int64(row) - 3 + int64(column)<<40
	}
}

// furnish puts rows into every table of a store, and gives the tables.
func furnish(t *testing.T, o db.Options, rows int) map[string]tableColumns {
	t.Helper()
	raw, all := dbtest.Raw(t, o), columnsOf(t, o)
	for table, c := range all {
		if _, err := raw.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
		for n := range rows {
			args := make([]any, len(c.names))
			for i, kind := range c.types {
				args[i] = made(kind, n, i)
			}
			_, err := raw.Exec("INSERT INTO "+table+" ("+strings.Join(c.names, ", ")+") VALUES (?"+strings.Repeat(",?", len(args)-1)+")", args...)
			if err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
	return all
}

func count(t *testing.T, o db.Options, table string) (n int) {
	t.Helper()
	if err := dbtest.Raw(t, o).QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Every table of the embedded store stands in the PostgreSQL afterwards, row for row; a store that has an application is left alone.
func TestMove(t *testing.T) {
	t.Parallel()
	from, to := db.Options{Dir: t.TempDir()}, db.Options{URL: dbtest.URL(t)}
	source, target := dbtest.Open(t, from), dbtest.Open(t, to)
	const rows = 7
	tables := furnish(t, from, rows)
	moved := map[string]int64{}
	if err := source.MoveTo(t.Context(), target, func(m db.Moved) { moved[m.Table] = m.Rows }); err != nil {
		t.Fatal(err)
	}
	for table := range tables {
		if there := count(t, to, table); moved[table] != rows || there != rows {
			t.Errorf("%s: %d rows were moved and %d stand there", table, moved[table], there)
		}
	}
	if len(moved) != len(tables) {
		t.Errorf("%d tables were moved of %d", len(moved), len(tables))
	}
	if err := source.MoveTo(t.Context(), target, func(db.Moved) {}); !errors.Is(err, db.ErrStoreThere) {
		t.Errorf("a second time: %v", err)
	}
	if err := target.MoveTo(t.Context(), source, func(db.Moved) {}); err == nil {
		t.Error("a PostgreSQL was moved into an embedded store")
	}
}

// A move that fails in the middle leaves nothing, and goes through the next time.
func TestMoveThatFails(t *testing.T) {
	t.Parallel()
	from, to := db.Options{Dir: t.TempDir()}, db.Options{URL: dbtest.URL(t)}
	faults := &dbtest.Faults{}
	source, target := dbtest.Open(t, from), dbtest.Open(t, faults.Into(to))
	furnish(t, from, 3)
	faults.FailOf("INSERT INTO message", dbtest.Refused)
	err := source.MoveTo(t.Context(), target, func(db.Moved) {})
	if !errors.Is(err, dbtest.ErrFault) || !strings.Contains(err.Error(), "the table message") {
		t.Fatalf("the move ends with %v", err)
	}
	if n := count(t, to, "account"); n != 0 {
		t.Errorf("%d accounts stand there", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := source.MoveTo(ended, target, func(db.Moved) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a move that nobody waits for: %v", err)
	}
	if err := source.MoveTo(t.Context(), target, func(db.Moved) {}); err != nil {
		t.Error(err)
	}
}

// Large rows do not all go into one statement, which PostgreSQL bounds, and memory too.
func TestMoveOfLargeRows(t *testing.T) {
	t.Parallel()
	from, to := db.Options{Dir: t.TempDir()}, db.Options{URL: dbtest.URL(t)}
	faults := &dbtest.Faults{}
	source, target := dbtest.Open(t, from), dbtest.Open(t, faults.Into(to))
	const rows = 20
	_, err := dbtest.Raw(t, from).Exec(`WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
		INSERT INTO bundle (id, app_id, secret, owner_id, used_at, bytes, body) SELECT id, 1, 's', 1, 1, 1, hex(randomblob(500000)) FROM n`, rows)
	if err != nil {
		t.Fatal(err)
	}
	faults.Seen()
	if err := source.MoveTo(t.Context(), target, func(db.Moved) {}); err != nil {
		t.Fatal(err)
	}
	if statements := faults.Seen("INSERT INTO bundle "); statements < 3 || statements > rows {
		t.Errorf("%d rows of a million bytes were written by %d statements", rows, statements)
	}
	if n := count(t, to, "bundle"); n != rows {
		t.Errorf("%d rows stand there", n)
	}
}
