package event

import (
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
)

// Audience is who gets a push: an account's devices, a group's online members, a live room, or everybody of an
// application; of these all, all but one device, or one device only. It is published once, under its subject of the bus,
// and each node finds its own sessions (docs/adr/0008-audiences.md). Make it with Devices, Group, Room or Everybody; the
// zero Audience is nobody, and a push to it fails.
type Audience struct {
	subject      bus.Subject
	except, only im.InstanceID
	brings       Sequence
}

// Sequence is a message's sequence in its chat. The zero Sequence is no message's.
type Sequence struct {
	Chat   int64 // the chat's id
	Number int64 // counts from 1 in the chat
}

// Devices is every device of an account that is logged in on a connection.
func Devices(account im.AccountID) Audience { return of(bus.KindUser, int64(account)) }

// Group is every device of a group's members that is logged in on a connection. id is the group's number in the store.
func Group(id int64) Audience { return of(bus.KindGroup, id) }

// Room is every connection that watches a live room, guests included. id is the room's number in the store.
func Room(id int64) Audience { return of(bus.KindLive, id) }

// Everybody is every connection of an application that has joined it; none does by itself.
func Everybody(app im.AppID) Audience { return of(bus.KindApp, int64(app)) }

func of(kind bus.Kind, id int64) Audience { return Audience{subject: bus.Subject{Kind: kind, ID: id}} }

// Except leaves one device out: the one that caused the event and learns of it by its reply. 0 leaves none out.
func (a Audience) Except(device im.InstanceID) Audience {
	a.except = device
	return a
}

// Only names the one device that gets the push. 0 names none, and all get it.
func (a Audience) Only(device im.InstanceID) Audience {
	a.only = device
	return a
}

// At says which message the push brings, so that a device that has it from its pull does not get it twice.
func (a Audience) At(sequence Sequence) Audience {
	a.brings = sequence
	return a
}

// Subject is where the audience's pushes are published. A node subscribes to it while a session of it has joined.
func (a Audience) Subject() bus.Subject { return a.subject }
