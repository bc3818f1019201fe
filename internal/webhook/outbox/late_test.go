package outbox_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/magpietest"
)

// A transaction draws its ids and becomes visible long after others with higher ids. Its callbacks are not passed over,
// however late it is.
func TestLateTransaction(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"a little": 0, "more than anybody should": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := db.Options{URL: dbtest.URL(t)}
			e := node(t, dbtest.Open(t, o), bus.NewMemory())
			e.back = magpietest.NewBackEnd(t)
			e.set(t, "webhook.url", e.back.URL, "webhook.commands", command)
			e.run(t)
			other := node(t, dbtest.Open(t, o), bus.NewMemory()) // it stores, and its news never arrives
			var events []webhook.Callback
			for _, text := range numbered(1, 3) {
				events = append(events, other.event(t, 7, text))
			}
			begun, release, committed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				committed <- other.db.Write(t.Context(), func(tx *db.Tx) error {
					err := other.hooks.Add(tx, events...)
					close(begun)
					<-release
					return err
				})
			}()
			<-begun
			e.tell(t, 1, "early")
			e.soon(t, "the early one comes", func() bool { return len(e.texts(1)) == 1 })
			e.pass(t, late)
			close(release)
			if err := <-committed; err != nil {
				t.Fatal(err)
			}
			e.soon(t, "the late ones come", func() bool { return len(e.texts(7)) == 3 })
			if got, want := e.texts(7), numbered(1, 3); !slices.Equal(got, want) {
				t.Errorf("the late ones come as %q", got)
			}
			calls := e.back.Calls(command)
			for _, c := range calls[1:] {
				if c.Event() >= calls[0].Event() {
					t.Errorf("a late one has the id %s, the early one %s: the test tests nothing", c.Event(), calls[0].Event())
				}
			}
			if len(calls) != 4 {
				t.Errorf("%d calls", len(calls))
			}
		})
	}
}

// The clock of the node that delivers is set forward while such a transaction is under way. Its callbacks come before later ones of
// their lane all the same.
func TestLateTransactionWhenTheClockIsSetForward(t *testing.T) {
	t.Parallel()
	o := db.Options{URL: dbtest.URL(t)}
	e := node(t, dbtest.Open(t, o), bus.NewMemory())
	e.back = magpietest.NewBackEnd(t)
	e.set(t, "webhook.url", e.back.URL, "webhook.commands", command)
	e.run(t)
	other := node(t, dbtest.Open(t, o), bus.NewMemory())
	first := other.event(t, 7, "1")
	begun, release, committed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		committed <- other.db.Write(t.Context(), func(tx *db.Tx) error {
			err := other.hooks.Add(tx, first)
			close(begun)
			<-release
			return err
		})
	}()
	<-begun
	e.tell(t, 1, "early")
	e.soon(t, "the early one comes", func() bool { return len(e.texts(1)) == 1 })
	e.manual.Set(e.manual.Clock().Now().Add(time.Minute))
	close(release)
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	e.tell(t, 7, "2")
	e.soon(t, "the later one comes", func() bool { return slices.Contains(e.texts(7), "2") })
	if got := e.texts(7); !slices.Equal(got, numbered(1, 2)) {
		t.Errorf("the callbacks of the lane come as %q", got)
	}
}

// The node that delivers may hear of a new application later than the node that stores the first callbacks. None is lost.
func TestApplicationUnknownYet(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()})
	other, fresh := node(t, e.db, bus.NewMemory()), appID+1
	err := errors.Join(other.apps.Ensure(t.Context(), fresh, magpietest.Key),
		other.apps.Set(t.Context(), fresh, map[string]string{"webhook.url": e.back.URL, "webhook.commands": command}))
	if err != nil {
		t.Fatal(err)
	}
	by := &im.Actor{App: other.apps.App(fresh), Door: im.DoorClient, Platform: im.PlatformWeb, Address: "::1"}
	events, err := toldSpec().Prepare(by, 7, func() (note, error) { return note{7, "first"}, nil })
	if err != nil {
		t.Fatal(err)
	}
	e.keep(t, events...)
	e.soon(t, "the callback waits for its application", func() bool {
		kept, err := db.One(t.Context(), e.db, db.Number, `SELECT COUNT(*) FROM webhook_event WHERE app_id = $1`, int64(fresh))
		return err == nil && kept == 1
	})
	if err := e.apps.Set(t.Context(), appID, map[string]string{"webhook.retry": "on"}); err != nil { // it reads all applications
		t.Fatal(err)
	}
	e.soon(t, "the callback is delivered", func() bool { return len(e.back.Calls("")) == 1 })
}
