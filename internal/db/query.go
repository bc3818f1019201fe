package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Source is what a read runs on: the store itself, which sees what is committed, or a transaction, which also sees
// its own writes.
type Source interface {
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
	// fail is told of a query's error.
	fail(error) error
	dialect() *dialect
}

func (d *DB) dialect() *dialect { return &d.kind }

func (d *DB) fail(err error) error { return err }

func (d *DB) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := d.cached.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, d.kind.bind(args)...)
}

// Snapshot is a Source for reads that must agree with each other: all see the store as it was at the first of them.
type Snapshot struct {
	db *DB
	tx *sql.Tx
}

func (s *Snapshot) dialect() *dialect { return &s.db.kind }

func (s *Snapshot) fail(err error) error { return err }

// query does not use the prepared statements: to prepare one may take a second connection, and snapshots that hold all
// connections and each wait for another would wait for ever.
func (s *Snapshot) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, s.db.kind.text(query), s.db.kind.bind(args)...)
}

// InSnapshot runs read on one snapshot of the store. read must not read from the store beside it: the snapshot holds a
// connection of the same pool. A snapshot ends after longestSnapshot in any case.
func (d *DB) InSnapshot(ctx context.Context, read func(*Snapshot) error) error {
	ctx, cancel := context.WithTimeout(ctx, longestSnapshot)
	defer cancel()
	tx, err := d.readers.BeginTx(ctx, &d.kind.snapshot)
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	return read(&Snapshot{d, tx})
}

// Scanner reads one row's columns into the variables that columns points to, in their order.
type Scanner func(columns ...any) error

// All reads every row that the query gives. The query itself bounds their number.
func All[T any](ctx context.Context, from Source, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	var found []T
	err := Each(ctx, from, func(row Scanner) error {
		one, err := scan(row)
		found = append(found, one)
		return err
	}, query, args...)
	return found, err
}

// Each calls visit for every row; an error from visit ends the reading.
func Each(ctx context.Context, from Source, visit func(Scanner) error, query string, args ...any) error {
	rows, err := from.query(ctx, query, args)
	if err != nil {
		return from.fail(fmt.Errorf("query: %w", err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return from.fail(fmt.Errorf("read rows: %w", err))
	}
	return nil
}

// errStop ends Each after One's only row.
var errStop = errors.New("db: enough rows")

// One reads the first row, or gives ErrNotFound.
func One[T any](ctx context.Context, from Source, scan func(Scanner) (T, error), query string, args ...any) (T, error) {
	var found T
	err := Each(ctx, from, func(row Scanner) error {
		var err error
		if found, err = scan(row); err != nil {
			return err
		}
		return errStop
	}, query, args...)
	if err == nil {
		return found, ErrNotFound
	}
	if errors.Is(err, errStop) {
		return found, nil
	}
	return found, err
}

// Number scans a row of one BIGINT.
func Number(row Scanner) (int64, error) {
	var n int64
	err := row(&n)
	return n, err
}

// Text scans a row of one TEXT.
func Text(row Scanner) (string, error) {
	var s string
	err := row(&s)
	return s, err
}
