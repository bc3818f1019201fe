package db

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migration is one numbered step of the schema.
type migration struct {
	number   int64
	name     string
	text     string
	checksum string
}

// readMigrations gives the program's migrations in order.
func readMigrations() ([]migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	all := make([]migration, len(names))
	for i, name := range names {
		number, err := strconv.ParseInt(strings.SplitN(strings.TrimPrefix(name, "migrations/"), "_", 2)[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: a migration's name starts with its number: %w", name, err)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[i] = migration{number, name, string(text), checksum(string(text))}
	}
	return all, nil
}

// checksum tells two texts apart that make other tables; comments and spaces do not count.
func checksum(text string) string {
	hash := sha256.New()
	for line := range strings.Lines(text) {
		statement, _, _ := strings.Cut(line, "--")
		for _, word := range strings.Fields(statement) {
			_, _ = hash.Write([]byte(word + " ")) // a hash never fails
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// The tables about migrations. The texts' checksums and the programs that applied them are in a second table, because
// older programs write the first table without them.
const (
	createMigration       = `CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`
	createMigrationSource = `CREATE TABLE IF NOT EXISTS migration_source (
		number BIGINT PRIMARY KEY, checksum TEXT NOT NULL, program TEXT NOT NULL)`
)

// migrate applies the migrations that the store does not have, each in a transaction of its own, if those that it has are
// this program's. A node that starts beside another one waits at the row that names the migration and then finds it applied.
func (d *DB) migrate(ctx context.Context) error {
	known, err := readMigrations()
	if err != nil {
		return err
	}
	w := &writer{db: d}
	defer w.drop()
	if err := w.open(ctx); err != nil {
		return err
	}
	for _, create := range []string{createMigration, createMigrationSource} {
		if _, err := w.conn.ExecContext(ctx, d.kind.schema(create)); err != nil {
			// Two nodes that create the table at the same instant: the loser's error is the winner's table.
			if _, again := w.conn.ExecContext(ctx, d.kind.schema(create)); again != nil {
				return fmt.Errorf("create migration table: %w", err)
			}
		}
	}
	if err := d.checkFit(ctx, known); err != nil {
		return err
	}
	for _, m := range known {
		if err := d.apply(ctx, w, m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (d *DB) apply(ctx context.Context, w *writer, m migration) error {
	return w.transact(ctx, func(tx *Tx) error {
		added, err := tx.Exec(`INSERT INTO migration (number, applied_at) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING`,
			m.number, tx.Now().UnixMilli())
		if err != nil {
			return err
		}
		if added > 0 {
			for statement := range d.kind.statements(d.kind.schema(m.text)) {
				if _, err := w.conn.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
		}
		// A store from before the texts were remembered gets them now: its tables have been compared.
		_, err = tx.Exec(`INSERT INTO migration_source (number, checksum, program) VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING`,
			m.number, m.checksum, d.program)
		if err != nil {
			return err
		}
		by, err := One(ctx, tx, scanApplied, selectApplied+` WHERE m.number = $1`, m.number)
		if err != nil {
			return err
		}
		return d.checkSource(m, by)
	})
}

// statementsOf cuts a migration's text into its statements, which end with a semicolon at the end of a line.
func statementsOf(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for statement := range strings.SplitSeq(text, ";\n") {
			if strings.TrimSpace(statement) != "" && !yield(statement) {
				return
			}
		}
	}
}
