package db

import (
	"context"
	"time"
)

// QueueCap is how many writes may wait for a commit.
const QueueCap = queueCap

// MostCommitters is the largest number of committers that any database has.
const MostCommitters = 8

// Committers is how many commits may run at once.
func (d *DB) Committers() int { return d.kind.committers }

// MostParameters is how many parameters a statement that writes rows may well have.
func (d *DB) MostParameters() int { return d.kind.rowParameters }

// MostKeyParameters is how many parameters a statement that looks up keys may well have.
func (d *DB) MostKeyParameters() int { return d.kind.keyParameters }

// Statements is how many prepared statements the readers keep.
func (d *DB) Statements() int {
	d.cached.mutex.RLock()
	defer d.cached.mutex.RUnlock()
	return len(d.cached.byText)
}

// IDs is a source of ids as a node has it.
type IDs = idSource

// Unnumbered is how SQLite gets a statement's text.
func Unnumbered(text string) string { return unnumbered(text) }

// Next makes an id at a moment.
func (s *idSource) Next(now time.Time) int64 { return s.next(now) }

// Above has later ids be above one.
func (s *idSource) Above(id int64) { s.above(id) }

// SetNode says whose ids these are.
func (s *idSource) SetNode(node int64) { s.setNode(node, time.Time{}) }

// WaryFor is how many runs look first after a key was taken.
const WaryFor = waryFor

// Schema is a migration's text as this database gets it.
func (d *DB) Schema(text string) string { return d.kind.schema(text) }

// Checksum is what is remembered of a migration's text.
func Checksum(text string) string { return checksum(text) }

// TendLog sees to SQLite's log once, as a keeper that begins it again from so many bytes on.
func (d *DB) TendLog(most int) error { return (&logKeeper{most: most}).tend(d.writers) }

// FreePatience is how many milliseconds a writing connection that no committer has waits for a lock.
func (d *DB) FreePatience(ctx context.Context) (most int64, err error) {
	err = d.writers.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&most)
	return most, err
}
