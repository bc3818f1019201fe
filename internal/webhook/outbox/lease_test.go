package outbox_test

import (
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// Two nodes on one database: one delivers at a time. The other takes over at once when the first stops, and six seconds
// after the last that was heard of it when it vanishes.
func TestOneNodeDelivers(t *testing.T) {
	t.Parallel()
	for name, vanishes := range map[string]bool{"stops": false, "vanishes": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := db.Options{URL: dbtest.URL(t)}
			back := magpietest.NewBackEnd(t)
			first := node(t, dbtest.Open(t, o), bus.NewMemory())
			first.back = back
			first.set(t, "webhook.url", back.URL, "webhook.commands", command)
			first.run(t)
			first.tell(t, 1, "1")
			first.soon(t, "the first node delivers", func() bool { return len(first.texts(1)) == 1 })
			second := node(t, dbtest.Open(t, o), bus.NewMemory())
			second.back = back
			until, err := db.One(t.Context(), second.db, db.Number, `SELECT until FROM lease WHERE name = 'webhook'`)
			if err != nil {
				t.Fatal(err)
			}
			second.manual.Set(time.UnixMilli(until).Add(-6 * time.Second))
			second.run(t)
			second.manual.Advance(5 * time.Second)
			if vanishes { // its last word, that it gives its turn back, is not heard
				if err := first.db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			first.stop()
			second.tell(t, 1, "2")
			magpietest.Eventually(t, "the second node waits for its turn", func() bool { return second.manual.Waiting() > 0 })
			if n := len(back.Calls("")); vanishes && n != 1 {
				t.Errorf("%d calls before its turn", n)
			}
			second.manual.Advance(2 * time.Second)
			magpietest.Eventually(t, "the second node delivers", func() bool { return len(second.texts(1)) == 2 })
			if got := second.texts(1); !slices.Equal(got, numbered(1, 2)) || len(back.Calls("")) != 2 {
				t.Errorf("%d calls tell of %q", len(back.Calls("")), got)
			}
		})
	}
}

// While one node renews its lease no other delivers.
func TestLeaseIsKept(t *testing.T) {
	t.Parallel()
	o := db.Options{URL: dbtest.URL(t)}
	back := magpietest.NewBackEnd(t)
	both := []*engine{node(t, dbtest.Open(t, o), bus.NewMemory()), node(t, dbtest.Open(t, o), bus.NewMemory())}
	both[0].set(t, "webhook.url", back.URL, "webhook.commands", command)
	for _, e := range both {
		e.back = back
		if err := e.apps.Ensure(t.Context(), appID, magpietest.Key); err != nil {
			t.Fatal(err)
		}
	}
	both[0].run(t)
	both[0].tell(t, 1, "1")
	both[0].soon(t, "the first node delivers", func() bool { return len(both[0].texts(1)) == 1 })
	both[1].manual.Set(both[0].manual.Clock().Now())
	both[1].run(t)
	n := 1
	for range 10 {
		for _, e := range both {
			e.manual.Advance(time.Second)
			n++
			e.tell(t, 1, numbered(n, n)...)
		}
		magpietest.Eventually(t, "it comes", func() bool {
			both[0].manual.Advance(200 * time.Millisecond)
			both[1].manual.Advance(200 * time.Millisecond)
			return len(back.Calls("")) >= n
		})
	}
	if got := both[0].texts(1); !slices.Equal(got, numbered(1, n)) || len(back.Calls("")) != n {
		t.Errorf("%d calls tell of %q", len(back.Calls("")), got)
	}
}
