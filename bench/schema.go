package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"time"
)

// freshSchema makes an empty schema in a PostgreSQL database, so that a run neither meets nor leaves anything there. It
// returns the address with the schema as its search path, and what drops it.
func freshSchema(ctx context.Context, address string) (inside string, drop func() error, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, fmt.Errorf("database address: %w", err)
	}
	name := "magpie_load_" + randomName()
	if err := execute(ctx, address, "CREATE SCHEMA "+name); err != nil {
		return "", nil, err
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	after := context.WithoutCancel(ctx) // an interrupted run cleans up
	return u.String(), func() error { return execute(after, address, "DROP SCHEMA "+name+" CASCADE") }, nil
}

// statementTimeout bounds what a run asks of a database beside its servers.
const statementTimeout = time.Minute

// execute runs one statement on a connection of its own. The driver is the one that internal/db registers.
func execute(ctx context.Context, address, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	d, err := sql.Open("pgx", address)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = d.Close() }()
	if _, err := d.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("prepare database: %w", err)
	}
	return nil
}
