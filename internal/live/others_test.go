package live

import (
	"encoding/json"
	"testing"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// listsMost has as many listed as may be.
type listsMost struct{}

// Choice implements [im.Choices].
func (listsMost) Choice(declaration any) (any, bool) {
	return newestMost, declaration == any(listedMost)
}

// toldRooms counts what a node tells of its rooms.
type toldRooms struct {
	messages int
	rooms    map[int64]int // how many are listed of each
}

// Receive implements [bus.Handler].
func (o *toldRooms) Receive(_ bus.Subject, message []byte) {
	var p presence
	if json.Unmarshal(message, &p) != nil {
		return
	}
	o.messages++
	for _, one := range p.Rooms {
		o.rooms[one.ID] = len(one.Newest)
	}
}

// Other nodes hear of all rooms, whatever number of members an operator has listed: the bus takes what a node tells.
func TestTellsOfLongLists(t *testing.T) {
	t.Parallel()
	const rooms, firstAccount = 30, 1 << 60
	l := alone(t, db.Options{Dir: t.TempDir()})
	heard := &toldRooms{rooms: map[int64]int{}}
	if err := l.bus.Subscribe(bus.Subject{Kind: bus.KindPresence}, heard); err != nil {
		t.Fatal(err)
	}
	for id := range int64(rooms) {
		r := l.open(&im.App{ID: 1, Chosen: listsMost{}}, &group.Group{ID: id + 1, App: 1})
		for n := range newestMost {
			who := account.Account{ID: im.AccountID(firstAccount + n)}
			l.admit(r, &who, seat{connection: uint64(n), device: im.DeviceID(n)})
		}
	}
	l.tellOthers()
	for id := range int64(rooms) {
		if heard.rooms[id+1] != newestMost {
			t.Fatalf("other nodes hear of %d members of the room %d, want %d", heard.rooms[id+1], id+1, newestMost)
		}
	}
	if heard.messages >= rooms {
		t.Errorf("%d rooms are told of in %d bus messages", rooms, heard.messages)
	}
}
