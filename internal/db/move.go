package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Moved is what became of one table.
type Moved struct {
	Table string
	Rows  int64
}

// MoveTo copies all rows of an embedded store into a PostgreSQL one, in one transaction, and holds each table against its source
// by the number and the hashes of its rows before it commits. Nobody may write the source meanwhile. The other store may have no
// application: what else stands in it is removed. tell is called after each table. An error leaves the other store as it was, but for its
// schema.
func (d *DB) MoveTo(ctx context.Context, to *DB, tell func(Moved)) error {
	if d.kind.name != "sqlite" || to.kind.name == "sqlite" {
		return errors.New("a store is moved from the embedded one to a PostgreSQL")
	}
	tables, err := d.tables(ctx)
	if err != nil {
		return err
	}
	tx, err := to.writers.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to move: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // without effect behind a commit
	if err := mustBeUnused(ctx, tx); err != nil {
		return err
	}
	for _, t := range tables {
		rows, err := d.moveTable(ctx, tx, &t)
		if err != nil {
			return fmt.Errorf("move the table %s: %w", t.name, err)
		}
		tell(Moved{t.name, rows})
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit what was moved: %w", err)
	}
	// Without it PostgreSQL reads whole tables until it has looked at them by itself.
	if _, err := to.writers.ExecContext(ctx, "ANALYZE"); err != nil {
		return fmt.Errorf("all is moved, but for PostgreSQL's statistics: run ANALYZE: %w", err)
	}
	return nil
}

func mustBeUnused(ctx context.Context, tx *sql.Tx) error {
	var apps int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM app").Scan(&apps); err != nil {
		return fmt.Errorf("look at the store to move to: %w", err)
	}
	if apps > 0 {
		return fmt.Errorf("%w: the PostgreSQL has %d applications", ErrStoreThere, apps)
	}
	return nil
}

// table is one of the store's, with the names and the types of its columns.
type table struct {
	name           string
	columns, types []string
}

// tables are those that hold what the store is about.
func (d *DB) tables(ctx context.Context) ([]table, error) {
	known, err := readMigrations()
	if err != nil {
		return nil, err
	}
	lines, err := d.kind.describeFresh(ctx, known)
	if err != nil {
		return nil, err
	}
	var all []table
	for _, line := range lines {
		words := strings.Fields(line)
		name, column, _ := strings.Cut(words[1], ".")
		if words[0] != "column" {
			continue
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, table{name: name})
		}
		t := &all[len(all)-1]
		t.columns, t.types = append(t.columns, column), append(t.types, words[2])
	}
	return all, nil
}

// selection reads all rows; their order is of no use.
func (t *table) selection() string {
	return "SELECT " + strings.Join(t.columns, ", ") + " FROM " + t.name
}

// moveTable copies a table and holds both against each other.
func (d *DB) moveTable(ctx context.Context, tx *sql.Tx, t *table) (int64, error) {
	if _, err := tx.ExecContext(ctx, "DELETE FROM "+t.name); err != nil { //nolint:gosec // a table of the migrations
		return 0, err
	}
	from, err := d.readers.QueryContext(ctx, t.selection())
	if err != nil {
		return 0, err
	}
	var there digest
	filler := t.filler(ctx, tx)
	err = t.read(from, func(row []any) error {
		if err := there.add(t, row); err != nil {
			return err
		}
		return filler.add(row)
	})
	if err = errors.Join(err, filler.flush()); err != nil {
		return 0, err
	}
	back, err := tx.QueryContext(ctx, t.selection())
	if err != nil {
		return 0, err
	}
	var here digest
	if err := t.read(back, func(row []any) error { return here.add(t, row) }); err != nil {
		return 0, err
	}
	if here != there {
		return 0, fmt.Errorf("%d rows were read and %d stand there, with other contents", there.rows, here.rows)
	}
	return here.rows, nil
}

// read gives each row, which is lent for the call; its values are not.
func (t *table) read(rows *sql.Rows, use func(row []any) error) error {
	defer func() { _ = rows.Close() }()
	row, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range row {
		targets[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, kind := range t.types {
			row[i] = plain(kind, row[i])
		}
		if err := use(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// plain gives a value the one form that it has for either database: numbers, truths, texts and bytes.
func plain(kind string, value any) any {
	switch v := value.(type) {
	case int64:
		if kind == "boolean" {
			return v != 0
		}
	case string:
		if kind == "bytea" {
			return []byte(v)
		}
	case []byte:
		if kind == "text" {
			return string(v)
		}
	}
	return value
}

// digest is a sum over rows that does not ask for their order.
type digest struct {
	rows int64
	sum  [4]uint64
}

func (d *digest) add(t *table, row []any) error {
	hash := sha256.New()
	for i, value := range row {
		text, err := canonical(value)
		if err != nil {
			return fmt.Errorf("column %s: %w", t.columns[i], err)
		}
		_, _ = hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text)))) // a hash never fails
		_, _ = hash.Write(text)
	}
	all := hash.Sum(nil)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(all[8*i:])
	}
	d.rows++
	return nil
}

func canonical(value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return []byte("n"), nil
	case int64:
		return binary.BigEndian.AppendUint64([]byte("i"), uint64(v)), nil
	case bool:
		if v {
			return []byte("t"), nil
		}
		return []byte("f"), nil
	case string:
		return append([]byte("s"), v...), nil
	case []byte:
		return append([]byte("b"), v...), nil
	default:
		return nil, fmt.Errorf("a value of the type %T", value)
	}
}

// filler writes rows, many in one statement.
type filler struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one table is moved
	tx    *sql.Tx
	table *table
	args  []any
	most  int // arguments of one statement
	bytes int // of the texts among args
}

// fillerRows and fillerBytes bound the rows of one statement and their texts; fillerArguments is what PostgreSQL takes.
const (
	fillerRows      = 500
	fillerBytes     = 4 << 20
	fillerArguments = 60_000
)

func (t *table) filler(ctx context.Context, tx *sql.Tx) *filler {
	width := len(t.columns)
	return &filler{ctx: ctx, tx: tx, table: t, most: min(fillerRows, fillerArguments/width) * width}
}

func (f *filler) add(row []any) error {
	f.args = append(f.args, row...)
	for _, value := range row {
		switch v := value.(type) {
		case string:
			f.bytes += len(v)
		case []byte:
			f.bytes += len(v)
		}
	}
	if len(f.args) < f.most && f.bytes < fillerBytes {
		return nil
	}
	return f.flush()
}

func (f *filler) flush() error {
	width := len(f.table.columns)
	if len(f.args) == 0 {
		return nil
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", f.table.name, strings.Join(f.table.columns, ", "), Rows(len(f.args)/width, width, false)) //nolint:gosec // names of the migrations
	_, err := f.tx.ExecContext(f.ctx, insert, f.args...)
	clear(f.args)
	f.args, f.bytes = f.args[:0], 0
	return err
}
