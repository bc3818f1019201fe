package event

import (
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
)

// Audience is whom an event is for: an account's devices, a group's online members, a live room, or everybody of an
// application; of these all, all but one device, or one device only. A push is published once, under the subject of its
// audience, and each node finds its own sessions (docs/adr/0008-audiences.md). Make an Audience with Devices, Group,
// Subscribers, LiveRoom, Watchers or Everybody; the zero Audience is nobody, and a push to it fails.
type Audience struct {
	subject      bus.Subject
	except, only im.DeviceID
	brings       Sequence
}

// Sequence is a message's sequence in its chat. The zero Sequence is no message's.
type Sequence struct {
	Chat   int64 // the chat's id
	Number int64 // counts from 1 in the chat
}

// Carried is how many messages a push of a live room brings, by priority, the highest first. The zero Carried is none.
type Carried [4]uint16

// Devices is every device of an account that has a session.
func Devices(account im.AccountID) Audience { return of(bus.KindDevices, int64(account)) }

// Group is every device of a group's members that has a session. id is the group's number in the store.
func Group(id int64) Audience { return of(bus.KindGroup, id) }

// Subscribers is every device of an official account's subscribers that has a session. Groups and official accounts share the kind
// of their subjects, as the numbers of groups and accounts never meet.
func Subscribers(official im.AccountID) Audience { return of(bus.KindGroup, int64(official)) }

// LiveRoom is every session with a login that has joined a live room; a guest's has its node hear of the room, and asks. id is the live room's number in the store.
func LiveRoom(id int64) Audience { return of(bus.KindLive, id) }

// Watchers is every session whose account watches the presence of an account.
func Watchers(account im.AccountID) Audience { return of(bus.KindWatch, int64(account)) }

// Everybody is every session that has joined this audience of the application; no session does by itself.
func Everybody(app im.AppID) Audience { return of(bus.KindApp, int64(app)) }

func of(kind bus.Kind, id int64) Audience { return Audience{subject: bus.Subject{Kind: kind, ID: id}} }

// Except leaves one device out: the one that caused the event and learns of it by its reply. 0 leaves none out.
func (a Audience) Except(device im.DeviceID) Audience {
	a.except = device
	return a
}

// Only names the one device that gets the push. 0 names none, and all get it.
func (a Audience) Only(device im.DeviceID) Audience {
	a.only = device
	return a
}

// At says which message the push brings, so that a device that has the message from its sync does not get it twice.
func (a Audience) At(sequence Sequence) Audience {
	a.brings = sequence
	return a
}

// Carrying says how many messages a push of a live room brings, which is known to those who count what became of them. Such a push
// has no sequence: no sync brings what a live room was pushed.
func (a Audience) Carrying(messages Carried) Audience {
	a.brings = Sequence{Number: messages.pack()}
	return a
}

// pack gives the counts as one number, and unpack them back.
func (c Carried) pack() (packed int64) {
	for _, one := range c {
		packed = packed<<16 | int64(one)
	}
	return packed
}

func unpack(packed int64) (c Carried) {
	for i := len(c) - 1; i >= 0; i-- {
		c[i], packed = uint16(packed), packed>>16
	}
	return c
}

// For reports whether a device that has joined the audience's subject gets the push.
func (a Audience) For(device im.DeviceID) bool {
	return (a.except == 0 || a.except != device) && (a.only == 0 || a.only == device)
}

// Subject is where the audience's pushes are published. A node subscribes to the subject while one of the node's sessions
// has joined.
func (a Audience) Subject() bus.Subject { return a.subject }
