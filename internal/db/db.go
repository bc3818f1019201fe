// Package db is the one store: SQLite inside the process, or PostgreSQL. It gives the rooms above it transactions that
// share commits, prepared statements, typed reads and migrations.
//
// It knows no table but its own bookkeeping; every room keeps its SQL beside its rules. dialect.go is the only file
// that asks which database it is.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrNotFound is returned by One when no row matches.
	ErrNotFound = errors.New("db: no such row")
	// ErrClosed is returned for a write that comes after the store began to close.
	ErrClosed = errors.New("db: closed")
)

// DB is an open store. All its methods may be called from many goroutines.
type DB struct {
	kind    dialect
	now     func() time.Time
	program string
	readers *sql.DB
	writers *sql.DB
	cached  statements
	shared  chan *submitted // the writes that any committer may take
	wary    wariness        // of functions; batches have their own
	closing chan struct{}   // closed when the store begins to close
	stop    chan struct{}   // closed when no write enters the queue any more
	gate    sync.RWMutex    // held for reading while a write enters the queue, so that none enters after closed is set
	closed  bool
	closer  sync.Once
	ended   chan struct{} // closed when the store is closed; failed is set before
	failed  error
	workers sync.WaitGroup
	observe func(writes int, took time.Duration)
	pending atomic.Int64 // writes that were submitted and are not answered yet
	commits atomic.Int64
	batch   int
	ids     *idSource

	committers []*committer
	panicked   func(error) // nil if nobody is told
}

// Options say where the store is and how it commits. The zero value of every field but Dir is useful.
type Options struct {
	// Dir holds the SQLite file; ignored when URL is set.
	Dir string
	// URL is a PostgreSQL address (postgres://…).
	URL string
	// Existing refuses with ErrNoStore where no store is, instead of making one.
	Existing bool
	// CommitBatch is the largest number of writes that share one commit; 256 when zero.
	CommitBatch int
	// LogBytes is how long SQLite's log grows before it is begun again even if commits have to wait for that; 64 MiB when zero.
	LogBytes int
	// Program is this program's version, as it is written into the store and named in ErrUnfit; when empty, the version
	// that the build recorded.
	Program string
	// Observe is told of every commit: how many writes it held and how long it took, the disk's work included.
	Observe func(writes int, took time.Duration)
	// Panicked is told of panics in what is called when a commit has ended (Tx.OnCommit, FlowRules.Ended), which are no write's
	// error; the store goes on. When it is nil, such a panic ends the process.
	Panicked func(error)
	// Driver is for tests of faults: it is given what opens the connections and returns what opens them in its place. Nothing
	// stands in between when it is nil.
	Driver func(driver.Connector) driver.Connector
	// Now is the clock of all rows and rules: tx.Now, DB.Now, ids. The real one when nil. Only pauses between attempts, and
	// the times that Observe gets, go by the real one always.
	Now func() time.Time
}

// queueCap bounds the writes of one queue that wait for a commit; a writer that finds the queue full waits in line for it.
const queueCap = 4096

// Open opens the store, brings its schema up to date and starts the committers. It refuses a store with ErrUnfit.
func Open(ctx context.Context, o Options) (*DB, error) {
	kind, err := dialectFor(o)
	if err != nil {
		return nil, err
	}
	d := &DB{
		kind: kind, now: o.Now, program: cmp.Or(o.Program, buildVersion()), batch: o.CommitBatch, observe: o.Observe,
		panicked: o.Panicked, ids: &idSource{},
		closing: make(chan struct{}), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.batch <= 0 {
		d.batch = 256
	}
	if d.observe == nil {
		d.observe = func(int, time.Duration) {}
	}
	d.shared = make(chan *submitted, queueCap)
	if err := d.connect(ctx, o); err != nil {
		return nil, err
	}
	for range kind.committers {
		d.committers = append(d.committers, newCommitter(d))
	}
	for _, c := range d.committers {
		d.workers.Add(2)
		go c.work()
		go c.tell()
	}
	if d.kind.tend != nil {
		d.workers.Add(1)
		go d.tend()
	}
	return d, nil
}

func (d *DB) connect(ctx context.Context, o Options) error {
	var err error
	if d.writers, err = openPool(d.kind.driver, d.kind.writeDSN, o.Driver); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	d.writers.SetMaxOpenConns(d.kind.committers + 1)
	if d.readers, err = openPool(d.kind.driver, d.kind.readDSN, o.Driver); err != nil {
		return errors.Join(fmt.Errorf("open store: %w", err), d.writers.Close())
	}
	d.readers.SetMaxOpenConns(d.kind.readers)
	d.readers.SetMaxIdleConns(d.kind.readers)
	d.cached.db, d.cached.text = d.readers, d.kind.text
	if o.Existing {
		err = d.mustHaveSchema(ctx)
	}
	if err == nil {
		err = d.migrate(ctx)
	}
	if err != nil {
		return errors.Join(err, d.readers.Close(), d.writers.Close())
	}
	return nil
}

// Now is the time for rules that read without a transaction.
func (d *DB) Now() time.Time { return d.now() }

// SoleWriter reports whether no other process writes the database, so that all rows are this one's own.
func (d *DB) SoleWriter() bool { return d.kind.soleWriter }

// Ping asks the store whether it answers, by way of a reader.
func (d *DB) Ping(ctx context.Context) error { return d.readers.PingContext(ctx) }

// QueueLength is the number of writes that wait for a commit.
func (d *DB) QueueLength() int {
	sum := len(d.shared)
	for _, c := range d.committers {
		sum += len(c.own)
	}
	return sum
}

// Pending is the number of writes that wait for a commit or are in one.
func (d *DB) Pending() int { return int(d.pending.Load()) }

// SetNode gives the ids made here the node's number, so that two nodes never make the same one. since is when the node
// took the number, which another node may have had before.
func (d *DB) SetNode(node int64, since time.Time) { d.ids.setNode(node, since) }

// IDsAbove has the ids made here from now on be above one that was made by any node, or by this one before its clock was set back.
func (d *DB) IDsAbove(id int64) { d.ids.above(id) }

// Made reports whether this node made the id, since it took its number.
func (d *DB) Made(id int64) bool { return d.ids.made(id) }

// Close is Shutdown that waits as long as it takes.
func (d *DB) Close() error { return d.Shutdown(context.Background()) }

// Shutdown commits the writes that are in the queue and closes the store. Writes that come after it began fail with
// ErrClosed, as do those that wait for room in the queue. When ctx ends before all writes have ended, its error says how
// many are under way; the store closes itself when they have. To call it again is harmless and waits like the first call.
func (d *DB) Shutdown(ctx context.Context) error {
	d.closer.Do(func() {
		close(d.closing)
		go d.end()
	})
	select {
	case <-d.ended:
		return d.failed
	case <-ctx.Done():
		return fmt.Errorf("close the store: %w with %d writes under way", ctx.Err(), d.Pending())
	}
}

func (d *DB) end() {
	d.gate.Lock()
	d.closed = true
	d.gate.Unlock()
	close(d.stop)
	d.workers.Wait()
	d.cached.close()
	d.failed = errors.Join(d.readers.Close(), d.writers.Close())
	close(d.ended)
}

// tendEvery is how often the store is tended while it is written to: often enough that little is left for the commit
// that finds the log full.
const tendEvery = 500 * time.Millisecond

// tend does, beside the committer, work that would hold up a commit: SQLite copies its log into the database when the
// log is long enough, in the middle of some commit, and then fifty others wait for ten milliseconds.
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
