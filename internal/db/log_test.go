package db_test

import (
	"encoding/binary"
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
	id := 0
	write := func(size int) {
		t.Helper()
		id++
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO node_probe (id, written_at, filler) VALUES ($1, 0, $2)`, id, make([]byte, size))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for round := range rounds {
		before := begunAgain(t, o)
		for range bound/row + 1 {
			write(row)
		}
		for deadline := time.Now().Add(time.Minute); begunAgain(t, o) == before; write(1) {
			if time.Now().After(deadline) {
				t.Fatalf("in round %d the log of more than %d bytes is not begun again", round, bound)
			}
		}
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
