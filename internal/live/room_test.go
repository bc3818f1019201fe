package live

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// A room is whole from when on others find it: whoever looks at all rooms may come before the call that makes it goes on.
func TestRoomsAreFoundWhole(t *testing.T) {
	t.Parallel()
	l, of := alone(t, db.Options{Dir: t.TempDir()}), &group.Group{ID: 7, App: 1, GroupID: "show"}
	r := l.begin(nil, of)
	l.forgetIdle()
	l.sayEverywhere(&broadcast{App: 1})
	found, err := l.ledgers(t.Context(), &command.Call{Actor: im.Actor{App: &im.App{ID: 1}}}, &ledgersRequest{})
	if err != nil || found.Rooms != 1 {
		t.Errorf("%+v are found (%v)", found, err)
	}
	if l.find(7) != r {
		t.Error("a room that is being made is let go")
	}
}

// A call that found a room just before it was let go gets another one, and not one that nobody else finds.
func TestRoomThatWasLetGo(t *testing.T) {
	t.Parallel()
	l, of := alone(t, db.Options{Dir: t.TempDir()}), &group.Group{ID: 7, App: 1}
	before := l.open(nil, of)
	before.used = before.used.Add(-keepFor - time.Second)
	l.forgetIdle()
	if before.use(nil, of, l.clock.Now()) {
		t.Error("a room that was let go is used")
	}
	if after := l.open(nil, of); after == before || l.find(7) != after {
		t.Error("the room that was let go is opened")
	}
}
