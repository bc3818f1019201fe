package event_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// An account, a group, a room and an application of the same number are four audiences. A push reaches one of them, in one
// message for all its devices.
func TestAudiencesAreApart(t *testing.T) {
	audiences := map[string]event.Audience{
		"u.7": event.Devices(7), "g.7": event.Group(7), "l.7": event.LiveRoom(7), "e.7": event.Everybody(7),
	}
	b, all := bus.NewMemory(), map[string]*heard{}
	for name, a := range audiences {
		if got := a.Subject().String(); got != name {
			t.Errorf("the subject %s, want %s", got, name)
		}
		all[name] = &heard{}
		if err := b.Subscribe(a.Subject(), all[name]); err != nil {
			t.Fatal(err)
		}
	}
	router := event.NewRouter(b)
	for name, a := range audiences {
		if err := router.Push(a.Except(3), greeting.Of([]string{name})); err != nil {
			t.Fatal(err)
		}
	}
	for name, h := range all {
		if d := h.one(t); d.Except != 3 || d.Only != 0 || d.Brings != (event.Sequence{}) {
			t.Errorf("%s got %+v", name, d)
		}
	}
}

// A push of a live room says how many messages of each priority it brings, as many as there may be.
func TestPushSaysWhatItCarries(t *testing.T) {
	for _, carried := range []event.Carried{{}, {1, 2, 3, 4}, {65535, 0, 65535, 0}, {0, 65535, 0, 65535}, {65535, 65535, 65535, 65535}} {
		b, h := bus.NewMemory(), &heard{}
		room := event.LiveRoom(7)
		if err := b.Subscribe(room.Subject(), h); err != nil {
			t.Fatal(err)
		}
		if err := event.NewRouter(b).Push(room.Carrying(carried), greeting.Of([]string{"hello"})); err != nil {
			t.Fatal(err)
		}
		d := h.one(t)
		if got := d.Carries(); got != carried {
			t.Errorf("it carries %v, want %v", got, carried)
		}
	}
}

// To name a device changes a copy: an audience may be kept and used again.
func TestAudienceIsAValue(t *testing.T) {
	all := event.Group(7)
	if all.Except(1) == all || all.Only(1) == all || all.At(event.Sequence{Chat: 1, Number: 1}) == all || all != event.Group(7) {
		t.Error("an audience changed")
	}
}

func TestNobody(t *testing.T) {
	router, _ := listen(t)
	if err := router.Push(event.Audience{}, greeting.Of(nil)); err == nil {
		t.Error("a push to nobody succeeded")
	}
}

func TestBusMessageFor(t *testing.T) {
	for _, row := range []struct {
		except, only, device im.DeviceID
		want                 bool
	}{
		{0, 0, 1, true}, {0, 0, 0, true}, {1, 0, 1, false}, {1, 0, 2, true}, {1, 0, 0, true},
		{0, 1, 1, true}, {0, 1, 2, false}, {0, 1, 0, false}, {1, 1, 1, false},
	} {
		d := event.BusMessage{Except: row.except, Only: row.only}
		if got := d.For(row.device); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}
