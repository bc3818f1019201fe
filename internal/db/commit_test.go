package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// Everything that waits while a commit runs is committed together by the next one.
func TestWritersShareACommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		var batches commits
		o.Observe = batches.observe
		d := open(t, o)
		release := hold(t, d)
		batches.reset()
		const writers = 200
		all := start(writers, func(n int) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
		})
		waiting(t, d, writers)
		release()
		for _, err := range all() {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := len(stated(t, d)); got != writers {
			t.Errorf("%d facts are stored, want %d", got, writers)
		}
		// Each committer's own held write, and then all 200: at once, or shared by the two committers of PostgreSQL.
		if held, rest := d.Committers(), batches.list(); len(rest) > 2*held || slices.Max(rest) < writers/held {
			t.Errorf("commits of %v writes, want the %d that waited together", rest, writers)
		}
	})
}

// A batch has a bound; what is more goes into the next.
func TestCommitBatchIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		var batches commits
		o.Observe, o.CommitBatch = batches.observe, 8
		d := open(t, o)
		release := hold(t, d)
		batches.reset()
		const writers = 50
		all := start(writers, func(n int) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
		})
		waiting(t, d, writers)
		release()
		all()
		if got := slices.Max(batches.list()); got != 8 {
			t.Errorf("the largest commit held %d writes, want 8", got)
		}
	})
}

// An idle store commits at once: nobody waits for companions.
func TestIdleStoreCommitsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		var batches commits
		o.Observe = batches.observe
		d := open(t, o)
		batches.reset()
		for n := range 5 {
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) }); err != nil {
				t.Fatal(err)
			}
		}
		if got := batches.list(); !slices.Equal(got, []int{1, 1, 1, 1, 1}) {
			t.Errorf("commits of %v writes, want five of one", got)
		}
	})
}

var errRefused = errors.New("refused")

// One write of a shared commit goes wrong. Its caller is told, nothing of it is stored, and its companions are.
func TestABadWriteHarmsNobody(t *testing.T) {
	const bad = 7
	for _, row := range []struct {
		name string
		run  func(tx *db.Tx) error
		want string
	}{
		{"refuses before it wrote", func(*db.Tx) error { return errRefused }, "refused"},
		{"refuses after it wrote", func(tx *db.Tx) error { return errors.Join(state(tx, bad), errRefused) }, "refused"},
		{"refuses after it read", func(tx *db.Tx) error {
			_, err := db.One(context.Background(), tx, db.Number, `SELECT COUNT(*) FROM fact`)
			return errors.Join(err, errRefused)
		}, "refused"},
		{"breaks a rule of the schema", func(tx *db.Tx) error { return errors.Join(state(tx, bad), state(tx, bad)) }, "exec: "},
		{"has a statement that is none", func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO nowhere (n) VALUES ($1)`, bad)
			return err
		}, "nowhere"},
		{"has a query that is none", func(tx *db.Tx) error {
			_, err := db.One(context.Background(), tx, db.Number, `SELECT n FROM nowhere`)
			return err
		}, "nowhere"},
		{"panics", func(*db.Tx) error { panic("boom") }, "boom"},
		{"panics after it wrote", func(tx *db.Tx) error { panic(fmt.Sprint("boom ", state(tx, bad))) }, "boom"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, o db.Options) {
				d := open(t, o)
				release := hold(t, d)
				const writers = 20
				all := start(writers, func(n int) error {
					return d.Write(t.Context(), func(tx *db.Tx) error {
						if n == bad {
							return row.run(tx)
						}
						return state(tx, n)
					})
				})
				waiting(t, d, writers)
				release()
				for n, err := range all() {
					if n == bad && (err == nil || !strings.Contains(err.Error(), row.want)) {
						t.Errorf("the bad write's error is %v, want %q in it", err, row.want)
					}
					if n != bad && err != nil {
						t.Errorf("write %d: %v", n, err)
					}
				}
				if got := stated(t, d); len(got) != writers-1 || slices.Contains(got, bad) {
					t.Errorf("stored are %v, want 0 to %d without %d", got, writers-1, bad)
				}
				// And the store goes on.
				if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 100) }); err != nil {
					t.Errorf("the next write: %v", err)
				}
			})
		})
	}
}

// A caller whose context ends does not wait any longer. His write may happen all the same.
func TestContextEndsTheWait(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		release := hold(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- d.Write(ctx, func(tx *db.Tx) error { return state(tx, 1) }) }()
		waiting(t, d, 1)
		cancel()
		select {
		case err := <-result:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v, want the context's", err)
			}
		case <-time.After(patience):
			t.Fatal("the writer still waits")
		}
		release()
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 2) }); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

// Close commits what waits already, and takes nothing more.
func TestCloseFinishesTheQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		release := hold(t, d)
		const writers = 50
		all := start(writers, func(n int) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
		})
		waiting(t, d, writers)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			if err := d.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		release()
		for n, err := range all() {
			if err != nil {
				t.Errorf("write %d: %v", n, err)
			}
		}
		within(t, "the store closes", closed)
		if err := d.Write(t.Context(), func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
			t.Errorf("a write after Close: %v, want ErrClosed", err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
		if got := len(stated(t, dbtest.Open(t, o))); got != writers {
			t.Errorf("%d facts are stored, want %d", got, writers)
		}
	})
}

// A store that closes while a write does not end says so when its context ends, and closes when the write has ended.
// Whoever waits for room in the queue is refused.
func TestShutdownDoesNotHang(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		release := hold(t, d)
		const more = 10
		all := start(db.QueueCap+more, func(n int) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) })
		})
		waiting(t, d, db.QueueCap)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.Shutdown(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), " writes under way") {
			t.Errorf("with writes that do not end: %v, want the context's end and their number", err)
		}
		if err := d.Write(t.Context(), func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
			t.Errorf("a write after Shutdown: %v, want ErrClosed", err)
		}
		release()
		if err := d.Shutdown(t.Context()); err != nil {
			t.Errorf("shut down again: %v", err)
		}
		refused := 0
		for _, err := range all() {
			if errors.Is(err, db.ErrClosed) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused > more {
			t.Errorf("%d writes are refused, want at most those that were not in the queue yet", refused)
		}
		if got := len(stated(t, dbtest.Open(t, o))); got != db.QueueCap+more-refused {
			t.Errorf("%d facts are stored, want the %d that were acknowledged", got, db.QueueCap+more-refused)
		}
	})
}

// Writers that come while the store closes are served or refused, and none is left waiting. The moment that matters is
// short, so it is tried often.
func TestCloseWhileWriting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		const rounds, writers = 6, 2000
		for round := range rounds {
			d := open(t, o)
			errs := make([]error, writers)
			gate, ended := make(chan struct{}), make(chan struct{})
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() {
					<-gate
					errs[i] = d.Write(context.Background(), func(tx *db.Tx) error { return state(tx, round*writers+i) })
				})
			}
			go func() {
				all.Wait()
				close(ended)
			}()
			close(gate)
			time.Sleep(time.Duration(round) * 100 * time.Microsecond)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			within(t, "every writer is answered after Close", ended)
			wantStored(t, dbtest.Open(t, o), round*writers, errs)
		}
	})
}

// wantStored compares the facts from first on with the writes' outcomes: acknowledged is stored, refused is not.
func wantStored(t *testing.T, d *db.DB, first int, errs []error) {
	t.Helper()
	there := map[int64]bool{}
	for _, n := range stated(t, d) {
		there[n] = true
	}
	for i, err := range errs {
		switch stored := there[int64(first+i)]; {
		case err != nil && !errors.Is(err, db.ErrClosed):
			t.Fatalf("a writer gets %v, want ErrClosed", err)
		case stored != (err == nil):
			t.Fatalf("a write ended with %v, and stored is %v", err, stored)
		}
	}
}

// Inside a transaction the time stands still and one's own writes are seen; outside they are not, until they are on disk.
func TestTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			now := tx.Now()
			if err := state(tx, 1); err != nil {
				return err
			}
			if inside, err := db.One(t.Context(), tx, db.Number, `SELECT n FROM fact`); err != nil || inside != 1 {
				t.Errorf("inside: %d (%v), want 1", inside, err)
			}
			if outside := stated(t, d); len(outside) != 0 {
				t.Errorf("outside: %v before the commit", outside)
			}
			changed, err := tx.Exec(`UPDATE fact SET said = said + 1 WHERE n <= $1`, 5)
			if err != nil || changed != 1 {
				t.Errorf("%d rows changed (%v), want 1", changed, err)
			}
			var said int64
			err = tx.Returning(func(row db.Scanner) error { return row(&said) },
				`UPDATE fact SET said = said + 1 WHERE n = $1 RETURNING said`, 1)
			if err != nil || said != 2 {
				t.Errorf("returned %d (%v), want 2", said, err)
			}
			if !tx.Now().Equal(now) {
				t.Error("the transaction's time moved")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := stated(t, d); !slices.Equal(got, []int64{1}) {
			t.Errorf("stored are %v, want 1", got)
		}
	})
}

// commits records how many writes each commit held.
type commits struct {
	mutex sync.Mutex
	sizes []int
}

func (c *commits) observe(writes int, _ time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.sizes = append(c.sizes, writes)
}

func (c *commits) reset() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.sizes = nil
}

func (c *commits) list() []int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Clone(c.sizes)
}

// start runs n writers at once; all waits for them and gives their errors, by number.
func start(n int, write func(n int) error) (all func() []error) {
	errs := make([]error, n)
	var writers sync.WaitGroup
	for i := range n {
		writers.Go(func() { errs[i] = write(i) })
	}
	return func() []error {
		writers.Wait()
		return errs
	}
}
