package db_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

const sayAgain = `UPDATE fact SET said = said + 1 WHERE n = $1`

// Two nodes lock two rows in opposite orders. PostgreSQL ends one of them, which then is run again; neither caller
// notices.
func TestDeadlockIsTriedAgain(t *testing.T) {
	o := db.Options{URL: dbtest.URL(t)}
	nodes := []*db.DB{open(t, o), dbtest.Open(t, o)}
	err := nodes[0].Write(t.Context(), func(tx *db.Tx) error { return errors.Join(state(tx, 0), state(tx, 1)) })
	if err != nil {
		t.Fatal(err)
	}
	var runs, met atomic.Int64
	both := make(chan struct{})
	all := start(2, func(i int) error {
		return nodes[i].Write(t.Context(), func(tx *db.Tx) error {
			runs.Add(1)
			if _, err := tx.Exec(sayAgain, i); err != nil {
				return err
			}
			if met.Add(1) == 2 {
				close(both)
			}
			<-both // each has its first row now
			_, err := tx.Exec(sayAgain, 1-i)
			return err
		})
	})
	for i, err := range all() {
		if err != nil {
			t.Errorf("node %d: %v", i, err)
		}
	}
	if runs.Load() < 3 {
		t.Errorf("the two functions ran %d times, want one of them again: did they not collide?", runs.Load())
	}
	said, err := db.All(t.Context(), nodes[0], db.Number, `SELECT said FROM fact ORDER BY n`)
	if err != nil || !slices.Equal(said, []int64{2, 2}) {
		t.Errorf("said %v times (%v), want each twice", said, err)
	}
}

// Two nodes that insert the same row at once: the one that comes second sees the first one's row when it is run again.
func TestCollisionIsTriedAgain(t *testing.T) {
	o := db.Options{URL: dbtest.URL(t)}
	nodes := []*db.DB{open(t, o), dbtest.Open(t, o)}
	var runs [2]atomic.Int64
	all := start(2, func(i int) error {
		return nodes[i].Write(t.Context(), func(tx *db.Tx) error {
			runs[i].Add(1)
			there, err := db.One(context.Background(), tx, db.Number, `SELECT COUNT(*) FROM fact WHERE n = 1`)
			if err != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond) // the other one has looked too by now
			if there == 0 {
				return state(tx, 1)
			}
			_, err = tx.Exec(sayAgain, 1)
			return err
		})
	})
	for i, err := range all() {
		if err != nil {
			t.Errorf("node %d: %v after %d runs", i, err, runs[i].Load())
		}
	}
	if said, err := db.One(t.Context(), nodes[0], db.Number, `SELECT said FROM fact WHERE n = 1`); err != nil || said != 1 {
		t.Errorf("said %d times again (%v), want once", said, err)
	}
}

// A write that the database refuses for ever is given up, and its caller learns why.
func TestRetriesAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		runs := 0
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			runs++
			return errors.Join(state(tx, 1), state(tx, 1))
		})
		if err == nil || runs > 10 {
			t.Errorf("after %d runs: %v", runs, err)
		}
		if got := stated(t, d); len(got) != 0 {
			t.Errorf("stored are %v, want nothing", got)
		}
	})
}

// The database ends all connections, as when it is restarted. Writes that were not under way do not suffer for long, and
// none is acknowledged and lost.
func TestConnectionsLost(t *testing.T) {
	o := db.Options{URL: dbtest.URL(t)}
	d, other := open(t, o), dbtest.Open(t, o)
	kill := func() {
		_ = other.Write(t.Context(), func(tx *db.Tx) error {
			return db.Each(context.Background(), tx, func(db.Scanner) error { return nil }, `SELECT pg_terminate_backend(pid)
				FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		})
	}
	var acknowledged []int64
	failed := 0
	for n := range 200 {
		if n%50 == 25 {
			kill()
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, n) }); err != nil {
			failed++
		} else {
			acknowledged = append(acknowledged, int64(n))
		}
	}
	if failed > 4*d.Committers() {
		t.Errorf("%d writes failed after 4 losses, want at most one for each connection", failed)
	}
	var got []int64
	for range 10 { // readers' connections were ended too
		var err error
		if got, err = db.All(context.Background(), d, db.Number, `SELECT n FROM fact ORDER BY n`); err == nil {
			break
		}
	}
	for _, n := range acknowledged {
		if !slices.Contains(got, n) {
			t.Errorf("write %d was acknowledged and is not stored", n)
		}
	}
}
