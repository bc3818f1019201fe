package gateway

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Presence is what the gateway tells and asks the room of that name.
type Presence interface {
	// Heard is told of what the bus says of an account that has sessions or watchers on this node. It does not wait.
	Heard(of im.AccountID, what event.Presence)
	// HearAll is told that the bus may have lost any of that.
	HearAll()
	// Greet gives the custom status of an account that logs in, as the reply has it.
	Greet(ctx context.Context, of im.AccountID) (custom string, err error)
}

// nobody stands for the room where there is none.
type nobody struct{}

func (nobody) Heard(im.AccountID, event.Presence)                  {}
func (nobody) HearAll()                                            {}
func (nobody) Greet(context.Context, im.AccountID) (string, error) { return "", nil }

// Watch makes the sessions of an account on this node watch these accounts and no others. It returns those that a device did
// not watch before. What is pushed to their watchers elsewhere reaches this node after the bus's next Flush.
func (g *Gateway) Watch(of im.AccountID, targets []im.AccountID) map[im.DeviceID][]im.AccountID {
	fresh := map[im.DeviceID][]im.AccountID{}
	members := g.hub.members(event.Devices(of).Subject())
	for i := range members {
		if s, d := members[i].session.Load(), members[i].device; s != nil {
			if joined := g.watch(s, d, targets); len(joined) > 0 {
				fresh[d.ID] = append(fresh[d.ID], joined...)
			}
		}
	}
	return fresh
}

// watch is Watch for one session.
func (g *Gateway) watch(s *Session, d *device, targets []im.AccountID) (fresh []im.AccountID) {
	want := make(map[bus.Subject]bool, len(targets))
	for _, id := range targets {
		want[event.Watchers(id).Subject()] = true
	}
	for _, subject := range s.subjects() {
		if subject.Kind == bus.KindWatch && !want[subject] {
			g.hub.leave(s, d, subject)
		}
		delete(want, subject)
	}
	for subject := range want {
		err := g.hub.join(s, d, subject)
		switch {
		case err == nil:
			fresh = append(fresh, im.AccountID(subject.ID))
		case errors.Is(err, errOver), errors.Is(err, errNotThere):
			return nil
		default:
			g.log.Warn("watch accounts", telemetry.FieldSession, s.number, telemetry.FieldSubject, subject.String(), telemetry.FieldError, err)
			return fresh
		}
	}
	return fresh
}

// Watched reports whether a session of this node watches the account.
func (g *Gateway) Watched(target im.AccountID) bool {
	return len(g.hub.members(event.Watchers(target).Subject())) > 0
}

// PushHere pushes a frame to the sessions of the audience that are on this node.
func (g *Gateway) PushHere(to event.Audience, payload []byte) {
	g.hub.pushTo(to.Subject(), &frame{payload: payload}, to.For)
}
