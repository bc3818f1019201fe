package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

const (
	// logBytes is how long SQLite's log may grow before it is begun again whatever it costs, and to how much it is cut then.
	logBytes = 64 << 20
	// restartWithin is how long the log's beginning anew may hold up commits until the readers of the moment have ended. What
	// is left of the log is copied then.
	restartWithin = 250 * time.Millisecond
	// longestSnapshot bounds the reads of one snapshot, as nothing behind it leaves the log meanwhile.
	longestSnapshot = 30 * time.Second
)

// logKeeper sees to SQLite's log, beside the committer.
type logKeeper struct {
	most int // bytes of the log before it is begun again
	next int // pages from which on that is tried
}

// tend copies the log into the database if it is long enough to be worth it. The log is begun again by the next commit
// that finds all of it copied and nobody reading in it, which never comes while readers overlap: so a log that is too long is
// begun again with commits held up. Readers that come then read the database alone, and those of before end soon. Where
// one does not, it is tried again when the log has grown by another quarter, so that nobody waits all the time. It is not tried
// while a reader keeps more than a quarter of the bound from being copied, because commits would wait for that too.
func (k *logKeeper) tend(conns *sql.DB) error {
	const (
		enough   = 1000 // pages, SQLite's own measure
		pageSize = 4096
	)
	pages, copied, err := checkpoint(conns, "NOOP")
	if err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	most := k.most / pageSize
	if pages-copied >= min(enough, most/4) {
		if pages, copied, err = checkpoint(conns, "PASSIVE"); err != nil {
			return fmt.Errorf("copy the log: %w", err)
		}
	}
	if pages < most {
		k.next = most
		return nil
	}
	if pages < k.next || pages-copied > most/4 {
		return nil
	}
	k.next = pages + most/4
	return restartLog(conns)
}

// checkpoint gives how many pages the log has, and how many of them are in the database.
func checkpoint(conns *sql.DB, mode string) (pages, copied int, err error) {
	var busy int
	row := conns.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")")
	return pages, copied, row.Scan(&busy, &pages, &copied)
}

// restartLog has the next commit begin the log anew, if the readers of the moment end in time.
func restartLog(conns *sql.DB) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	conn, err := conns.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin the log again: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err = waitAtMost(ctx, conn, restartWithin); err == nil {
		_, err = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(RESTART)")
	}
	if back := waitAtMost(context.Background(), conn, patience); back != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // not for a committer, who would lose writes by it
		err = errors.Join(err, back)
	}
	if err != nil {
		return fmt.Errorf("begin the log again: %w", err)
	}
	return nil
}

// waitAtMost sets how long a connection waits for another one's lock.
func waitAtMost(ctx context.Context, conn *sql.Conn, most time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout(%d)", most.Milliseconds()))
	return err
}
