package live

import (
	"log/slog"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
)

// alone is the live rooms of a node that nobody else is on, upon a store.
func alone(t *testing.T, o db.Options) *Rooms {
	t.Helper()
	b := bus.NewMemory()
	t.Cleanup(func() { _ = b.Close() })
	return New(Parts{
		DB: dbtest.Open(t, o), Bus: b, Clock: clock.System(), Router: event.NewRouter(b), Log: slog.New(slog.DiscardHandler),
		Node: func() int64 { return 1 },
	})
}

// A message that comes when its room is destroyed ends, and so do the news that come then: the room is let go.
func TestLateForTheEnd(t *testing.T) {
	t.Parallel()
	l := alone(t, db.Options{Dir: t.TempDir()})
	r := l.open(nil, &group.Group{ID: 7})
	l.end(7)
	d, told := &groupmessage.Draft{}, make(chan error, 1)
	l.add(r, window.Arrival[*spoken]{At: time.Now(), Value: &spoken{draft: d, ended: func(err error) { told <- err }}})
	select {
	case err := <-told:
		if err != nil {
			t.Errorf("the sender is told %v", err)
		}
	default:
		t.Error("the sender waits for ever")
	}
	l.note(r, func(n *news) { n.left.add(&im.Actor{}, account.Account{ID: 1}) })
	l.forgetIdle()
	if l.find(7) != nil {
		t.Error("the room is kept for ever")
	}
}

// Nothing of a room is left when it has ended, in the store or in memory.
func TestNothingIsLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		l, of := alone(t, o), &group.Group{ID: 7, App: 1, GroupID: "show"}
		l.admit(l.open(nil, of), &account.Account{ID: 1, UserID: "bob"}, seat{connection: 1, device: 3})
		var news group.News
		err := l.db.Write(t.Context(), func(tx *db.Tx) (err error) {
			news, err = l.tell(tx, &group.Happening{Kind: group.HappenedDestroyed, Group: of})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		news.Then()
		l.forgetIdle()
		rows, err := db.One(t.Context(), l.db, db.Number, `SELECT COUNT(*) FROM live_room`)
		if err != nil || rows != 0 {
			t.Errorf("the store has %d rooms yet (%v)", rows, err)
		}
		if at := l.whereabouts.of(3); len(at) != 0 {
			t.Errorf("the device is in %v yet", at)
		}
	})
}
