package gateway

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// Who is to leave a live room leaves it also when so many pushes wait for the room that others are dropped.
func TestLeavesWhileTheWalkerIsBehind(t *testing.T) {
	r := openRoom(t, 3, anyVariant)
	h, room := r.gateway.hub, event.LiveRoom(7)
	r.gateway.live = noLive{}
	r.gateway.walkers.each = make([]walker, 1)
	w := &r.gateway.walkers.each[0]
	w.jobs, w.rooms = make(chan walk, 1), map[bus.Subject]int{} // nobody runs it
	banned := &device{ID: 5}
	banned.Account.ID = 9
	for i, s := range r.sessions {
		var d *device
		if i == 0 {
			d, s.login.device = banned, banned
			if err := h.join(s, d, event.Devices(9).Subject()); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.join(s, d, room.Subject()); err != nil {
			t.Fatal(err)
		}
	}
	router := event.NewRouter(h.bus)
	say := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		say(router.Send(room, []byte("{}")))
	}
	say(router.LeaveLive(7, im.AccountID(9)))
	if found := present(h, room.Subject()); found[r.sessions[0]] != 0 || len(found) != 2 {
		t.Errorf("who was banned is there yet: %v", len(found))
	}
	say(router.EmptyLive(7))
	if found := present(h, room.Subject()); len(found) != 0 {
		t.Errorf("%d are in a room that is there no more", len(found))
	}
}

// bansMeanwhile is live rooms of which one is a device's until it is asked about again.
type bansMeanwhile struct {
	noLive
	room  bus.Subject
	asked int
}

// Returned implements [Live].
func (b *bansMeanwhile) Returned(im.AccountID, im.DeviceID, uint64) []bus.Subject {
	if b.asked++; b.asked > 1 {
		return nil
	}
	return []bus.Subject{b.room}
}

// A device that comes back while its account is banned from a live room does not hear what is said there.
func TestComesBackWhileBanned(t *testing.T) {
	r := openRoom(t, 1, anyVariant)
	h, s, d := r.gateway.hub, r.sessions[0], &device{ID: 5}
	s.login.device, s.descriptor = d, noDescriptor
	room := event.LiveRoom(7).Subject()
	r.gateway.live, r.gateway.devices = &bansMeanwhile{room: room}, &devices.Devices{}
	h.comeBack(t.Context(), s, d)
	if found := present(h, room); len(found) != 0 {
		t.Errorf("%d are in the room", len(found))
	}
}

// What is said in all live rooms of a node is said in each, however many there are: it waits for the walker.
func TestWalkHereWaits(t *testing.T) {
	const rooms = 5
	r := openRoom(t, 0, anyVariant)
	g := r.gateway
	g.live, g.walkers.each = noLive{}, make([]walker, 1)
	w := &g.walkers.each[0]
	w.jobs, w.rooms = make(chan walk, 1), map[bus.Subject]int{}
	go func() {
		for id := range int64(rooms) {
			g.WalkHere(event.LiveRoom(id+1).Subject(), []byte("{}"))
		}
	}()
	for id := range int64(rooms) {
		select {
		case one := <-w.jobs:
			if one.room.ID != id+1 {
				t.Fatalf("the room %d comes, want %d", one.room.ID, id+1)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the room %d never comes", id+1)
		}
	}
}
