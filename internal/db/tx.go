package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime/debug"
	"time"
)

// Tx is an open transaction of one committer. It is used by one goroutine, inside the function it was given to.
type Tx struct {
	ctx  context.Context
	conn *writer
	now  time.Time
	ids  *idSource
	done []func()

	apart     bool  // every write has a savepoint of its own
	lookFirst bool  // of the write that runs
	wrote     bool  // the write that runs has changed something
	failure   error // of the first statement that failed and was not taken back: PostgreSQL commits nothing then
}

// Now is the transaction's time: the same for every row that it writes.
func (tx *Tx) Now() time.Time { return tx.now }

// OnCommit has run called once the transaction is on disk. run is called by the committer, so it must be quick; it is not
// called when the transaction fails.
func (tx *Tx) OnCommit(run func()) { tx.done = append(tx.done, run) }

// NextID makes a new id: it rises with time on one node, differs on every node, and is never reused.
func (tx *Tx) NextID() int64 { return tx.ids.next(tx.now) }

// LookFirst says whether the write should look for rows that exist already before it inserts. It is false as long as
// keys are never taken, so that such a look costs nothing; it is true when the write runs again after a failure, and for
// some dozens of transactions after a unique index or a primary key refused a write of this kind.
func (tx *Tx) LookFirst() bool { return tx.lookFirst }

// Exec runs a statement and gives the number of rows it changed.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	stmt, err := tx.conn.prepare(tx.ctx, query)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("prepare: %w", err))
	}
	tx.wrote = true
	result, err := stmt.ExecContext(tx.ctx, tx.dialect().bind(args)...)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("exec: %w", err))
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("rows affected: %w", err)
	}
	return changed, nil
}

// Returning runs a writing statement that returns rows and visits each.
func (tx *Tx) Returning(visit func(Scanner) error, query string, args ...any) error {
	tx.wrote = true
	return Each(tx.ctx, tx, visit, query, args...)
}

func (tx *Tx) dialect() *dialect { return &tx.conn.db.kind }

func (tx *Tx) query(_ context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := tx.conn.prepare(tx.ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(tx.ctx, tx.dialect().bind(args)...)
}

// fail notes that a statement failed.
func (tx *Tx) fail(err error) error {
	if tx.failure == nil {
		tx.failure = err
	}
	return err
}

// control runs a statement that begins or ends a part of the transaction.
func (tx *Tx) control(statement string) error {
	if err := tx.conn.run(tx.ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// writer is a committer's own connection with the statements prepared on it. A connection that failed is dropped and
// the next transaction opens another.
type writer struct {
	db     *DB
	conn   *sql.Conn
	byText map[string]*sql.Stmt
}

func (w *writer) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.writers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the store: %w", err)
	}
	w.conn, w.byText = conn, map[string]*sql.Stmt{}
	return nil
}

func (w *writer) drop() {
	for _, stmt := range w.byText {
		_ = stmt.Close()
	}
	if w.conn != nil {
		// Closed alone it would go back to the pool, with the transaction that could not be ended.
		_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = w.conn.Close()
	}
	w.conn, w.byText = nil, nil
}

func (w *writer) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := w.byText[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, w.db.kind.text(query))
	if err != nil {
		return nil, err
	}
	w.byText[query] = stmt
	return stmt, nil
}

func (w *writer) run(ctx context.Context, query string) error {
	stmt, err := w.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx)
	return err
}

// transact runs body in a transaction. Any error rolls back; when the rollback fails too, the connection is dropped.
func (w *writer) transact(ctx context.Context, body func(*Tx) error) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	if err := w.run(ctx, w.db.kind.begin); err != nil {
		w.drop()
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{ctx: ctx, conn: w, now: w.db.now(), ids: w.db.ids}
	err := guarded(tx, body)
	if err == nil {
		if err = w.run(ctx, "COMMIT"); err == nil {
			for _, run := range tx.done {
				w.db.afterCommit(run)
			}
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	if rollback := w.run(ctx, "ROLLBACK"); rollback != nil {
		w.drop()
	}
	return err
}

// guarded turns a panic of a write into that write's error: it must not end the committer, on which all others wait.
func guarded(tx *Tx, body func(*Tx) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", fault, debug.Stack())
		}
	}()
	return body(tx)
}

// afterCommit calls what is called when a commit has ended. A panic there must end neither the committer nor who tells of ends.
func (d *DB) afterCommit(call func()) {
	defer func() {
		if d.panicked == nil {
			return
		}
		if fault := recover(); fault != nil {
			d.panicked(fmt.Errorf("panic after a commit: %v\n%s", fault, debug.Stack()))
		}
	}()
	call()
}
