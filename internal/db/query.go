package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Source is what a read runs on: the store itself, which sees what is committed, or a transaction, which also sees
// its own writes.
type Source interface {
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
	// fail is told of a query's error.
	fail(error) error
	// maxPlaces is how many parameters one statement may well have.
	maxPlaces() int
}

func (d *DB) maxPlaces() int { return d.kind.maxPlaces }

func (d *DB) fail(err error) error { return err }

func (d *DB) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := d.cached.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// Snapshot is a Source for reads that must agree with each other: all see the store as it was at the first of them.
type Snapshot struct {
	db *DB
	tx *sql.Tx
}

func (s *Snapshot) maxPlaces() int { return s.db.kind.maxPlaces }

func (s *Snapshot) fail(err error) error { return err }

// query does not use the prepared statements: to prepare one may take a second connection, and snapshots that hold all
// connections and each wait for another would wait for ever.
func (s *Snapshot) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, s.db.kind.text(query), args...)
}

// InSnapshot runs read on one snapshot of the store. read must not read from the store beside it: the snapshot holds a
// connection of the same pool.
func (d *DB) InSnapshot(ctx context.Context, read func(*Snapshot) error) error {
	tx, err := d.readers.BeginTx(ctx, &d.kind.snapshot)
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	return read(&Snapshot{d, tx})
}

// Scanner reads one row's columns into the places given, in their order.
type Scanner func(places ...any) error

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

// Places writes the list of n parameter places that starts at $first: "$3,$4,$5".
func Places(first, n int) string {
	var b strings.Builder
	writePlaces(&b, first, n, "")
	return b.String()
}

func writePlaces(b *strings.Builder, first, n int, cast string) {
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		number := strconv.Itoa(first + i)
		if cast != "" {
			b.WriteString("CAST($" + number + " AS " + cast + ")")
		} else {
			b.WriteString("$" + number)
		}
	}
}

// Chunks cuts items into runs that one statement may well hold, when each item takes width parameters: the sizes are
// powers of two, so that the number of distinct statement texts stays small.
func Chunks[T any](on Source, width int, items []T, run func(chunk []T) error) error {
	most := on.maxPlaces() / width
	for len(items) > 0 {
		n := 1
		for n*2 <= min(len(items), most) {
			n *= 2
		}
		if err := run(items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// Rows writes n rows of places, "($1,$2),($3,$4)", for VALUES. When typed is true the first row's places are cast to
// BIGINT, which PostgreSQL needs where no column gives the type.
func Rows(n, width int, typed bool) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		cast := ""
		if typed && i == 0 {
			cast = "BIGINT"
		}
		writePlaces(&b, 1+i*width, width, cast)
		b.WriteByte(')')
	}
	return b.String()
}
