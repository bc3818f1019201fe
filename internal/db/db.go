// Package db is the one store: SQLite inside the process, or PostgreSQL. It gives the rooms above it transactions that
// share commits, prepared statements, typed reads and migrations.
//
// It knows no table but its own bookkeeping; every room keeps its SQL beside its rules. dialect.go is the only file
// that asks which database it is.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrNotFound is returned by One when no row matches.
	ErrNotFound = errors.New("db: no such row")
	// ErrClosed is returned for a write after Close.
	ErrClosed = errors.New("db: closed")
)

// DB is an open store. All its methods may be called from many goroutines.
type DB struct {
	kind    dialect
	readers *sql.DB
	writers *sql.DB
	cached  statements
	queue   chan *op
	stop    chan struct{}
	gate    sync.RWMutex // held for reading while a write enters the queue, so that none enters after Close
	closed  bool
	wary    wariness // of functions; batches have their own
	workers sync.WaitGroup
	observe func(writes int, took time.Duration)
	pending atomic.Int64 // writes that were submitted and are not answered yet
	commits atomic.Int64
	batch   int
	ids     *idSource
}

// Options say where the store is and how it commits. The zero value of every field but Dir is useful.
type Options struct {
	// Dir holds the SQLite file; ignored when URL is set.
	Dir string
	// URL is a PostgreSQL address (postgres://…).
	URL string
	// CommitBatch is the largest number of writes that share one commit; 256 when zero.
	CommitBatch int
	// Observe is told of every commit: how many writes it held and how long it took, the disk's work included.
	Observe func(writes int, took time.Duration)
}

// queueCap bounds the writes that wait for a commit; a writer that finds the queue full waits in line for it.
const queueCap = 4096

// Open opens the store, brings its schema up to date and starts the committers.
func Open(ctx context.Context, o Options) (*DB, error) {
	dialect, err := dialectFor(o)
	if err != nil {
		return nil, err
	}
	d := &DB{kind: dialect, batch: o.CommitBatch, observe: o.Observe, stop: make(chan struct{}), ids: &idSource{}}
	if d.batch <= 0 {
		d.batch = 256
	}
	if d.observe == nil {
		d.observe = func(int, time.Duration) {}
	}
	d.queue = make(chan *op, queueCap)
	if err := d.connect(ctx); err != nil {
		return nil, err
	}
	for range dialect.committers {
		d.workers.Add(1)
		go d.work()
	}
	if d.kind.tend != nil {
		d.workers.Add(1)
		go d.tend()
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context) error {
	var err error
	if d.writers, err = sql.Open(d.kind.driver, d.kind.writeDSN); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	d.writers.SetMaxOpenConns(d.kind.committers + 1)
	if d.readers, err = sql.Open(d.kind.driver, d.kind.readDSN); err != nil {
		return errors.Join(fmt.Errorf("open store: %w", err), d.writers.Close())
	}
	d.readers.SetMaxOpenConns(d.kind.readers)
	d.readers.SetMaxIdleConns(d.kind.readers)
	d.cached.db, d.cached.text = d.readers, d.kind.text
	if err := d.migrate(ctx); err != nil {
		return errors.Join(err, d.readers.Close(), d.writers.Close())
	}
	return nil
}

// Now is the time for rules that read without a transaction.
func (d *DB) Now() time.Time { return time.Now() }

// Ping asks the store whether it answers, by way of a reader.
func (d *DB) Ping(ctx context.Context) error { return d.readers.PingContext(ctx) }

// QueueLength is the number of writes that wait for a commit.
func (d *DB) QueueLength() int { return len(d.queue) }

// Pending is the number of writes that wait for a commit or are in one.
func (d *DB) Pending() int { return int(d.pending.Load()) }

// SetNode gives the ids made here the node's number, so that two nodes never make the same one. since is when the node
// took the number, which another node may have had before.
func (d *DB) SetNode(node int64, since time.Time) { d.ids.setNode(node, since) }

// Made reports whether this node made the id, since it took its number.
func (d *DB) Made(id int64) bool { return d.ids.made(id) }

// Close finishes the commits under way and closes the store. Writes begun after it fail with ErrClosed.
func (d *DB) Close() error {
	d.gate.Lock()
	again := d.closed
	d.closed = true
	d.gate.Unlock()
	if again {
		return nil
	}
	close(d.stop)
	d.workers.Wait()
	d.cached.close()
	return errors.Join(d.readers.Close(), d.writers.Close())
}

// tendEvery is how often the store is tended while it is written to: often enough that little is left for the commit
// that finds the log full.
const tendEvery = 500 * time.Millisecond

// tend does, beside the committer, work that would hold up a commit: SQLite copies its log into the database when the
// log is long enough, in the middle of whichever commit that is, and then fifty others wait for ten milliseconds.
// A log of a few pages stays: once it is copied the next commit begins a new one, which takes a second fsync, and on a
// quiet server that would be every commit.
func (d *DB) tend() {
	defer d.workers.Done()
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	seen := int64(0)
	for {
		select {
		case <-d.stop:
			return
		case <-tick.C:
		}
		if now := d.commits.Load(); now != seen {
			seen = now
			// An error here only leaves the work to a commit.
			_ = d.kind.tend(d.writers)
		}
	}
}

// statements keeps the reader pool's prepared statements; their texts are constants of the program, so there are few.
type statements struct {
	db     *sql.DB
	text   func(string) string
	mutex  sync.RWMutex
	byText map[string]*sql.Stmt
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mutex.RLock()
	stmt := s.byText[query]
	s.mutex.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := s.db.PrepareContext(ctx, s.text(query))
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if other := s.byText[query]; other != nil {
		_ = stmt.Close()
		return other, nil
	}
	if s.byText == nil {
		s.byText = map[string]*sql.Stmt{}
	}
	s.byText[query] = stmt
	return stmt, nil
}

func (s *statements) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, stmt := range s.byText {
		_ = stmt.Close()
	}
	s.byText = nil
}
