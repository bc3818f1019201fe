package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// The tests of this package write numbers into a table of their own and look which of them are there.

// patience is how long a test waits for what must happen. Only a failing test waits for it.
const patience = 20 * time.Second

// open opens a store with an empty table of facts.
func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d := dbtest.Open(t, o)
	makeFacts(t, d)
	return d
}

func makeFacts(t testing.TB, d *db.DB) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`CREATE TABLE IF NOT EXISTS fact (n BIGINT PRIMARY KEY, said BIGINT NOT NULL)`)
		return err
	})
	if err != nil {
		t.Fatalf("create table: %v", err)
	}
}

// state writes one fact.
func state(tx *db.Tx, n int) error {
	_, err := tx.Exec(`INSERT INTO fact (n, said) VALUES ($1, 0)`, n)
	return err
}

// stated lists the facts that are committed.
func stated(t testing.TB, d *db.DB) []int64 {
	t.Helper()
	found, err := db.All(context.Background(), d, db.Number, `SELECT n FROM fact ORDER BY n`)
	if err != nil {
		t.Fatalf("read facts: %v", err)
	}
	return found
}

// hold keeps every committer busy until release is called, so that what a test writes meanwhile gathers for one commit.
func hold(t testing.TB, d *db.DB) (release func()) {
	t.Helper()
	free := make(chan struct{})
	ended := make(chan error, db.MostCommitters)
	for range d.Committers() {
		begun := make(chan struct{})
		go func() {
			ended <- d.Write(context.Background(), func(*db.Tx) error {
				close(begun)
				<-free
				return nil
			})
		}()
		within(t, "a committer begins", begun)
	}
	return func() {
		close(free)
		for range d.Committers() {
			if err := <-ended; err != nil {
				t.Errorf("the write that held a committer: %v", err)
			}
		}
	}
}

// waiting returns when so many writes wait for their commit.
func waiting(t testing.TB, d *db.DB, writes int) {
	t.Helper()
	for deadline := time.Now().Add(patience); d.QueueLength() != writes; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d writes wait for a commit, want %d", d.QueueLength(), writes)
		}
	}
}

// within waits for a channel to be closed.
func within(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("it does not happen that %s", what)
	}
}
