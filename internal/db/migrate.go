package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

const createMigrationTable = `CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`

// migrate applies the migrations that the store does not have, each in a transaction of its own. A node that starts
// beside another one waits at the row that names the migration and then finds it applied.
func (d *DB) migrate(ctx context.Context) error {
	w := &writer{db: d}
	defer w.drop()
	if err := w.open(ctx); err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, d.kind.schema(createMigrationTable)); err != nil {
		// Two nodes that create the table at the same instant: the loser's error is the winner's table.
		if _, again := w.conn.ExecContext(ctx, d.kind.schema(createMigrationTable)); again != nil {
			return fmt.Errorf("create migration table: %w", err)
		}
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	for _, name := range names {
		if err := d.apply(ctx, w, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (d *DB) apply(ctx context.Context, w *writer, name string) error {
	number, err := strconv.Atoi(strings.SplitN(strings.TrimPrefix(name, "migrations/"), "_", 2)[0])
	if err != nil {
		return fmt.Errorf("a migration's name starts with its number: %w", err)
	}
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return w.transact(ctx, func(tx *Tx) error {
		added, err := tx.Exec(`INSERT INTO migration (number, applied_at) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING`,
			number, tx.Now().UnixMilli())
		if err != nil || added == 0 {
			return err
		}
		for statement := range strings.SplitSeq(d.kind.schema(string(text)), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := w.conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}
