package db_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// SQLite's log is begun again when it is too long, though at every moment somebody reads in it: a reader ends when the next one
// has begun.
func TestLogIsBoundedUnderReaders(t *testing.T) {
	const bound, row, rounds = 2 << 20, 64 << 10, 4
	o := db.Options{Dir: t.TempDir(), LogBytes: bound}
	d := dbtest.Open(t, o)
	var (
		stop    atomic.Bool
		readers sync.WaitGroup
	)
	overlap(t, d, &stop, &readers)
	defer readers.Wait()
	defer stop.Store(true)
	for round := range rounds {
		before := begunAgain(t, o)
		for range bound/row + 1 {
			fill(t, d, row)
		}
		for deadline := time.Now().Add(time.Minute); begunAgain(t, o) == before; fill(t, d, 1) {
			if time.Now().After(deadline) {
				t.Fatalf("in round %d the log of more than %d bytes is not begun again", round, bound)
			}
		}
	}
}

// fill writes so many bytes.
func fill(t *testing.T, d *db.DB, size int) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO node_probe (id, written_at, filler) VALUES ($1, 0, $2)`, tx.NextID(), make([]byte, size))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// While a reader keeps much of the log from being copied, the log is not begun again: all of it would be copied with commits
// held up if the reader ended just then.
func TestLogWaitsForItsCopy(t *testing.T) {
	const bound, row, rows = 2 << 20, 64 << 10, 100
	var faults dbtest.Faults
	d := dbtest.Open(t, faults.Into(db.Options{Dir: t.TempDir()}))
	faults.FailOf("RESTART", dbtest.Refused)
	err := d.InSnapshot(t.Context(), func(from *db.Snapshot) error {
		if _, err := db.One(t.Context(), from, db.Number, `SELECT COUNT(*) FROM node`); err != nil {
			return err
		}
		for range rows {
			fill(t, d, row)
		}
		return d.TendLog(bound)
	})
	if err != nil {
		t.Errorf("beside a reader: %v", err)
	}
	if err := d.TendLog(bound); !errors.Is(err, dbtest.ErrFault) {
		t.Errorf("without a reader the log is not begun again: %v", err)
	}
}

// A connection whose patience cannot be set back is not used again.
func TestLogLeavesPatience(t *testing.T) {
	const bound = 1 << 12
	var faults dbtest.Faults
	d := dbtest.Open(t, faults.Into(db.Options{Dir: t.TempDir()}))
	before, err := d.FreePatience(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, d, 2*bound)
	faults.FailOf(fmt.Sprintf("busy_timeout(%d)", before), dbtest.Refused)
	if err := d.TendLog(bound); !errors.Is(err, dbtest.ErrFault) || !faults.Heal() {
		t.Errorf("the log is begun again with %v", err)
	}
	if after, err := d.FreePatience(t.Context()); err != nil || after != before {
		t.Errorf("a connection waits for %d ms (%v), want %d", after, err, before)
	}
}

// begunAgain is how often SQLite's log was begun again, which the log's head says.
func begunAgain(t *testing.T, o db.Options) uint32 {
	t.Helper()
	const head, count = 32, 12
	log, err := os.Open(filepath.Join(o.Dir, "magpie.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	text := make([]byte, head)
	if _, err := io.ReadFull(log, text); err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.Uint32(text[count:])
}

// overlap keeps snapshots open until stop, each until the next one has read.
func overlap(t *testing.T, d *db.DB, stop *atomic.Bool, readers *sync.WaitGroup) {
	t.Helper()
	var read func(before chan<- struct{})
	read = func(before chan<- struct{}) {
		err := d.InSnapshot(t.Context(), func(from *db.Snapshot) error {
			_, err := db.One(t.Context(), from, db.Number, `SELECT COUNT(*) FROM node`)
			close(before)
			if err != nil || stop.Load() {
				return err
			}
			next := make(chan struct{})
			readers.Go(func() { read(next) })
			<-next
			return nil
		})
		if err != nil {
			t.Errorf("read: %v", err)
		}
	}
	first := make(chan struct{})
	readers.Go(func() { read(first) })
	<-first
}
