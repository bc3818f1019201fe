package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Live is told what becomes of sessions that are in live rooms. connection is the number of a session.
type Live interface {
	// Parted says that a session has left a live room without a command: its device logged out, or, broken, the connection ended. A
	// guest has the account 0.
	Parted(room bus.Subject, account im.AccountID, connection uint64, broken bool)
	// Returned says that a device has a new session, and gives the live rooms that it is in. It may be said again.
	Returned(account im.AccountID, device im.DeviceID, connection uint64) []bus.Subject
	// Heard says what is pushed into a live room, which sessions of this node have joined. The bus waits meanwhile.
	Heard(room bus.Subject, push []byte)
	// Draining says that the gateway ends, so that calls that wait for something to happen are to be answered, now and later.
	Draining()
	// Walked says that a push that brings messages was given to so many sessions, and that so many have skipped it. What was given
	// and is skipped after all is taken back: given is below zero then.
	Walked(room bus.Subject, carried event.Carried, given, skipped int)
}

// noLive is of a server without live rooms.
type noLive struct{}

func (noLive) Parted(bus.Subject, im.AccountID, uint64, bool) {}

func (noLive) Walked(bus.Subject, event.Carried, int, int) {}

func (noLive) Returned(im.AccountID, im.DeviceID, uint64) []bus.Subject { return nil }

func (noLive) Heard(bus.Subject, []byte) {}

func (noLive) Draining() {}

// WalkHere takes a push round those in a live room on this node. It waits while the walker is behind.
func (g *Gateway) WalkHere(room bus.Subject, push []byte) {
	g.live.Heard(room, push)
	w := g.walkerOf(room)
	w.count(room, 1)
	select {
	case w.jobs <- walk{room, event.BusMessage{Frame: push}}:
	case <-g.stop:
		w.count(room, -1)
	}
}

// comeBack brings a device's new session into the live rooms in which the device was, of which its client does not think. Which they are is
// asked once more when it is there: what took the account out of one meanwhile found no session in it.
func (h *hub) comeBack(ctx context.Context, s *Session, d *device) {
	back := func() []bus.Subject { return h.gateway.live.Returned(d.Account.ID, d.ID, s.connection()) }
	rooms := back()
	if len(rooms) == 0 {
		return
	}
	var failed []bus.Subject
	for _, room := range rooms {
		err := h.enter(ctx, s, d, room)
		if err == nil {
			continue
		}
		failed = append(failed, room)
		if !errors.Is(err, errOver) && !errors.Is(err, errNotThere) {
			h.gateway.log.Warn("come back into a live room", telemetry.FieldSession, s.number, telemetry.FieldError, err)
		}
	}
	still := back()
	for _, room := range rooms {
		if !slices.Contains(still, room) {
			h.leave(s, d, room)
		}
	}
	for _, room := range failed {
		h.gateway.live.Parted(room, d.Account.ID, s.connection(), true)
	}
}

// parted tells of a session that left what it had joined.
func (h *hub) parted(s *Session, d *device, subject bus.Subject) {
	if subject.Kind != bus.KindLive {
		return
	}
	account := im.AccountID(0)
	if d != nil {
		account = d.Account.ID
	}
	h.gateway.live.Parted(subject, account, s.connection(), s.lost())
}
