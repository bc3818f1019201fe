package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// openPool opens a pool of connections, with what Options.Driver puts in between, if anything.
func openPool(name, address string, between func(driver.Connector) driver.Connector) (*sql.DB, error) {
	pool, err := sql.Open(name, address)
	if err != nil || between == nil {
		return pool, err
	}
	below := pool.Driver()
	if err := pool.Close(); err != nil {
		return nil, fmt.Errorf("close a pool: %w", err)
	}
	var connector driver.Connector = dialer{below, address}
	if with, ok := below.(driver.DriverContext); ok {
		if connector, err = with.OpenConnector(address); err != nil {
			return nil, fmt.Errorf("database address: %w", err)
		}
	}
	return sql.OpenDB(between(connector)), nil
}

// dialer is the connector of a driver that has none.
type dialer struct {
	driver  driver.Driver
	address string
}

// Connect opens a connection.
func (d dialer) Connect(context.Context) (driver.Conn, error) { return d.driver.Open(d.address) }

// Driver is the driver itself.
func (d dialer) Driver() driver.Driver { return d.driver }
