package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	// logBytes is how long SQLite's log may grow before it is begun again whatever it costs, and to how much it is cut then.
	logBytes = 64 << 20
	// restartWithin is how long the log's beginning anew may hold up commits: until the readers of the moment have ended.
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
// one does not, it is tried again when the log has grown by another quarter, so that nobody waits all the time.
func (k *logKeeper) tend(conns *sql.DB) error {
	const (
		enough   = 1000 // pages, SQLite's own measure
		pageSize = 4096
	)
	var busy, pages, copied int
	if err := conns.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &copied); err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	if pages-copied >= enough {
		if _, err := conns.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			return fmt.Errorf("copy the log: %w", err)
		}
	}
	most := k.most / pageSize
	if pages < most {
		k.next = most
		return nil
	}
	if pages < k.next {
		return nil
	}
	k.next = pages + most/4
	return restartLog(conns)
}

// restartLog has the next commit begin the log anew, if the readers of the moment end in time.
func restartLog(conns *sql.DB) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	conn, err := conns.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin the log again: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout(%d)", restartWithin.Milliseconds())); err != nil {
		return fmt.Errorf("begin the log again: %w", err)
	}
	if _, err = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(RESTART)"); err != nil {
		err = fmt.Errorf("begin the log again: %w", err)
	}
	if _, back := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout(%d)", patience.Milliseconds())); back != nil && err == nil {
		err = fmt.Errorf("begin the log again: %w", back)
	}
	return err
}
