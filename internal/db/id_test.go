package db_test

import (
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// Ids of one node rise whatever the clock does: history is ordered by them.
func TestIDsRise(t *testing.T) {
	var ids db.IDs
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	last := int64(0)
	for _, step := range []time.Duration{0, time.Millisecond, -time.Hour, 0, -time.Hour, 3 * time.Hour, 0, time.Second} {
		now = now.Add(step)
		// More than one millisecond's counter holds, so that it overflows into the next.
		for range 10_000 {
			id := ids.Next(now)
			if id <= last {
				t.Fatalf("after a step of %v comes %d after %d", step, id, last)
			}
			last = id
		}
	}
}

// Ids go on above one of another node, or of this one before it was started again with a clock that was set back.
func TestIDsGoOn(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	var before, after db.IDs
	before.SetNode(7)
	after.SetNode(3)
	last := before.Next(now)
	after.Above(last)
	if id := after.Next(now.Add(-time.Hour)); id <= last {
		t.Errorf("%d comes after %d", id, last)
	}
	after.Above(last)
	if id := after.Next(now.Add(time.Second)); !db.IDTime(id).Equal(now.Add(time.Second)) {
		t.Errorf("an id of a second later is of %v", db.IDTime(id))
	}
}

// Nodes make different ids at the same moment, and never one that sorts before an earlier second's.
func TestIDsOfNodes(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := map[int64]bool{}
	for node := range int64(db.MaxNodes) {
		var ids db.IDs
		ids.SetNode(node)
		for range 3 {
			id := ids.Next(now)
			if seen[id] {
				t.Fatalf("node %d makes %d, which is another's", node, id)
			}
			seen[id] = true
			if id < db.IDFloor(now) || id >= db.IDFloor(now.Add(time.Second)) {
				t.Fatalf("node %d makes %d, outside of its second", node, id)
			}
		}
	}
}

func TestIDFloor(t *testing.T) {
	if got := db.IDFloor(time.Unix(0, 0)); got != 0 {
		t.Errorf("the floor of 1970 is %d, want 0", got)
	}
	var ids db.IDs
	if id := ids.Next(time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)); id <= 0 {
		t.Errorf("the year 2090 gives %d", id)
	}
}

// Ids made in many transactions at once are different, on both committers of PostgreSQL too.
func TestIDsOfAStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		d.SetNode(7, time.Time{})
		var mutex sync.Mutex
		seen := map[int64]bool{}
		all := start(200, func(int) error {
			return d.Write(t.Context(), func(tx *db.Tx) error {
				mutex.Lock()
				defer mutex.Unlock()
				for range 10 {
					id := tx.NextID()
					if seen[id] {
						t.Errorf("%d twice", id)
					}
					seen[id] = true
				}
				return nil
			})
		})
		for _, err := range all() {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// A node's number is not always its own: what was made under it before it took it is another's.
func TestMade(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	since := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	d.SetNode(7, since)
	for _, row := range []struct {
		node int64
		at   time.Time
		want bool
	}{{7, since, true}, {7, since.Add(time.Hour), true}, {7, since.Add(-time.Millisecond), false}, {8, since.Add(time.Hour), false}} {
		var ids db.IDs
		ids.SetNode(row.node)
		if got := d.Made(ids.Next(row.at)); got != row.want {
			t.Errorf("an id of node %d at %v: %t, want %t", row.node, row.at, got, row.want)
		}
	}
}
