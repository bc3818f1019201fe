package dbtest

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/magpie-im/magpie/internal/db"
)

// ErrFault is what a statement ends with that Faults made fail.
var ErrFault = errors.New("dbtest: the store fails, as the test wants")

// Mode says how a statement fails.
type Mode int

// The modes.
const (
	// Refused statements are not run: the disk is full, say. The next one is run.
	Refused Mode = iota
	// Lost statements are run, and their answer is lost with the connection: a COMMIT may have taken place.
	Lost
	// Down is Refused for every statement from that one on, until Heal.
	Down
)

// Modes are all of them.
func Modes() []Mode { return []Mode{Refused, Lost, Down} }

// String names the mode.
func (m Mode) String() string { return [...]string{"refused", "lost", "down"}[m] }

// Faults lets a store fail at one of its statements: a write, a read, or one that begins or ends a transaction, so that
// COMMIT is the sync. The zero value lets all pass. It is safe for concurrent use.
type Faults struct {
	mutex sync.Mutex
	mode  Mode
	of    string // part of the text of the statements that count; empty is all
	left  int    // of these, until one fails; 0 is none
	down  bool
	fired bool
	seen  map[string]int // how often each statement ran since Seen
	stall *stall         // of a statement that is still to come; nil is none
}

// Into has a store that is opened with the options fail as f says.
func (f *Faults) Into(o db.Options) db.Options {
	o.Driver = f.Driver
	return o
}

// Driver is for db.Options.
func (f *Faults) Driver(under driver.Connector) driver.Connector { return &faultyConnector{under, f} }

// Fail lets the nth statement from now on fail; the next is the first.
func (f *Faults) Fail(n int, how Mode) { f.fail("", n, how) }

// FailOf lets the next statement fail whose text has the part.
func (f *Faults) FailOf(part string, how Mode) { f.fail(part, 1, how) }

func (f *Faults) fail(of string, n int, how Mode) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.of, f.mode, f.left, f.down, f.fired = of, how, n, false, false
}

// Heal lets all pass again, and reports whether a statement has failed.
func (f *Faults) Heal() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.left, f.down = 0, false
	return f.fired
}

// Seen gives how many statements have come since it was called last, of those whose text has one of the parts.
func (f *Faults) Seen(parts ...string) (count int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for text, times := range f.seen {
		if slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) }) {
			count += times
		}
	}
	f.seen = nil
	return count
}

// fate is what becomes of a statement.
type fate int

const (
	passes fate = iota
	refused
	lost
)

// next counts a statement and says what becomes of it.
func (f *Faults) next(text string) fate {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[text]++
	if f.down {
		return refused
	}
	if f.left == 0 || !strings.Contains(text, f.of) {
		return passes
	}
	if f.left--; f.left > 0 {
		return passes
	}
	f.fired, f.down = true, f.mode == Down
	if f.mode == Lost {
		return lost
	}
	return refused
}

type faultyConnector struct {
	driver.Connector

	faults *Faults
}

// Connect opens a connection that may fail.
func (c *faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: conn, faults: c.faults}, nil
}

// faultyConn counts its statements. Once it is lost it answers none.
type faultyConn struct {
	driver.Conn

	faults *Faults
	mutex  sync.Mutex
	lost   bool
}

// guard runs a statement, or not.
func guard[T any](c *faultyConn, text string, statement func() (T, error)) (T, error) {
	var none T
	if !c.IsValid() {
		return none, ErrFault
	}
	becomes := c.faults.next(text)
	if becomes == refused {
		return none, ErrFault
	}
	got, err := statement()
	c.faults.wait(text)
	if becomes == passes {
		return got, err
	}
	if rows, ok := any(got).(driver.Rows); ok && err == nil {
		_ = rows.Close()
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.lost = true
	return none, ErrFault
}

// IsValid tells database/sql whether to keep the connection.
func (c *faultyConn) IsValid() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return !c.lost
}

// PrepareContext prepares a statement, which does not count yet.
func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if !c.IsValid() {
		return nil, ErrFault
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &faultyStmt{stmt, c, query}, nil
}

// ExecContext runs a statement.
func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return guard(c, query, func() (driver.Result, error) {
		return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	})
}

// QueryContext runs a statement that returns rows.
func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return guard(c, query, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	})
}

// BeginTx begins a snapshot.
func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return guard(c, "BEGIN", func() (driver.Tx, error) { return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o) })
}

// CheckNamedValue leaves arguments to the driver below, where it has a say.
func (c *faultyConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// Ping asks whether the database answers.
func (c *faultyConn) Ping(ctx context.Context) error {
	if pinger, ok := c.Conn.(driver.Pinger); ok {
		return pinger.Ping(ctx)
	}
	return nil
}

// ResetSession is asked before the connection is used again.
func (c *faultyConn) ResetSession(ctx context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	if resetter, ok := c.Conn.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// faultyStmt counts each time that it is run.
type faultyStmt struct {
	driver.Stmt

	conn *faultyConn
	text string
}

// ExecContext runs the statement.
func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return guard(s.conn, s.text, func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

// QueryContext runs the statement, which returns rows.
func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return guard(s.conn, s.text, func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}
