package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// ErrUnfit is returned by Open for a store that this program must not use: a newer program wrote it, or its tables are
// not those that this program's migrations make. The error's text names both versions.
var ErrUnfit = errors.New("the store does not fit this program")

// applied is a migration that a store has.
type applied struct {
	number   int64
	checksum string // of its text; empty in a store from before it was kept
	program  string // that applied it
}

const selectApplied = `SELECT m.number, COALESCE(s.checksum, ''), COALESCE(s.program, 'of an unknown version')
	FROM migration m LEFT JOIN migration_source s ON s.number = m.number`

func scanApplied(row Scanner) (applied, error) {
	var a applied
	err := row(&a.number, &a.checksum, &a.program)
	return a, err
}

// checkFit refuses a store that this program does not know. It reads on a snapshot, so that a node that applies a
// migration at this moment is seen before it or after it.
func (d *DB) checkFit(ctx context.Context, known []migration) error {
	return d.InSnapshot(ctx, func(from *Snapshot) error {
		has, err := All(ctx, from, scanApplied, selectApplied+` ORDER BY m.number`)
		if err != nil || len(has) == 0 {
			return err
		}
		var run []migration
		for _, a := range has {
			i := slices.IndexFunc(known, func(m migration) bool { return m.number == a.number })
			if i < 0 {
				return d.unknown(has[len(has)-1], known)
			}
			if err := d.checkSource(known[i], a); err != nil {
				return err
			}
			run = append(run, known[i])
		}
		there, err := All(ctx, from, Text, d.kind.describe)
		if err != nil {
			return fmt.Errorf("look at the store's tables: %w", err)
		}
		return d.checkTables(ctx, run, there)
	})
}

// Fits refuses, as Open would, the embedded store of a directory that another program must open, and changes nothing: a process may be
// serving it. A directory that has no store yet fits.
func Fits(ctx context.Context, dir string) error {
	kind, err := embedded(Options{Dir: dir, Existing: true})
	if errors.Is(err, ErrNoStore) {
		return nil
	}
	if err != nil {
		return err
	}
	known, err := readMigrations()
	if err != nil {
		return err
	}
	d := &DB{kind: kind, program: buildVersion()}
	if d.readers, err = openPool(kind.driver, kind.readDSN, nil); err != nil {
		return fmt.Errorf("look at the store: %w", err)
	}
	defer func() { _ = d.readers.Close() }()
	if err := d.checkFit(ctx, known); errors.Is(err, ErrUnfit) {
		return err
	}
	return nil // what else is the matter, Open finds too, if the other process does not mend it
}

func (d *DB) unknown(newest applied, known []migration) error {
	return fmt.Errorf("%w: its schema is version %d, made by magpie %s; this is magpie %s, which knows schemas up to version %d. "+
		"Start the program that made it, or a newer one", ErrUnfit, newest.number, newest.program, d.program, known[len(known)-1].number)
}

// checkSource refuses a migration that was edited after the store had applied it.
func (d *DB) checkSource(m migration, has applied) error {
	if has.checksum == "" || has.checksum == m.checksum {
		return nil
	}
	return fmt.Errorf("%w: its schema version %d was made by magpie %s from another text (checksum %.8s) than the version %d of this "+
		"magpie %s (checksum %.8s)", ErrUnfit, m.number, has.program, has.checksum, m.number, d.program, m.checksum)
}

// checkTables compares the store's tables with those that the migrations make in an empty store.
func (d *DB) checkTables(ctx context.Context, run []migration, there []string) error {
	want, err := d.kind.describeFresh(ctx, run)
	if err != nil {
		return fmt.Errorf("make the tables to compare with: %w", err)
	}
	differences := compareTables(there, want)
	if len(differences) == 0 {
		return nil
	}
	const most = 5
	more := ""
	if len(differences) > most {
		more = fmt.Sprintf(" and %d more", len(differences)-most)
		differences = differences[:most]
	}
	version := run[len(run)-1].number
	return fmt.Errorf("%w: it says that its schema is version %d, but its tables are not those of version %d of this magpie %s: %s%s",
		ErrUnfit, version, version, d.program, strings.Join(differences, ", "), more)
}

// compareTables lists tables, columns and indexes that are missing, and the columns that a wanted table has too many.
// Tables and indexes that an operator has added do no harm.
func compareTables(there, want []string) []string {
	var differences []string
	tables := map[string]bool{}
	for _, line := range want {
		if !slices.Contains(there, line) {
			differences = append(differences, line+" is missing")
		}
		tables[tableOf(line)] = true
	}
	for _, line := range there {
		if strings.HasPrefix(line, "column ") && tables[tableOf(line)] && !slices.Contains(want, line) {
			differences = append(differences, line+" is not expected")
		}
	}
	return differences
}

// tableOf is the table of a line such as "column message.id bigint" or "index account.account_name".
func tableOf(line string) string {
	words := strings.Fields(line)
	table, _, _ := strings.Cut(words[1], ".")
	return table
}

// describeFresh runs the migrations of this database in memory. Both databases describe the same tables in the same words.
func (d *dialect) describeFresh(ctx context.Context, run []migration) (lines []string, err error) {
	memory, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, memory.Close()) }()
	memory.SetMaxOpenConns(1) // each connection has a memory of its own
	for _, m := range run {
		for statement := range d.statements(sqliteSchema(m.text)) {
			if _, err := memory.ExecContext(ctx, statement); err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
		}
	}
	rows, err := memory.QueryContext(ctx, describeSQLite)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

// buildVersion is the version of this module that the build recorded, also in a program that has it as a library.
func buildVersion() string {
	const module = "github.com/magpie-im/magpie"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module && m.Version != "" {
			return m.Version
		}
	}
	return "unknown"
}
