package gateway

import (
	"slices"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/bus"
)

// audience is the sessions of this node that joined a subject. The shard's mutex guards it. A push walks over members
// without the mutex, so members do not move: one that joins is added at the end, one that leaves becomes nil, and when many
// have left, the others move to a new slice.
type audience struct {
	members []member
	living  int // the members that have not left
}

// member is a session and the device that was logged in there when it joined, nil being a guest. It gets nothing that
// is meant for another who logs in there later.
type member struct {
	session atomic.Pointer[Session] // nil when it has left
	device  *device
}

// join adds a session, unless it is there already or is not the device's any more.
func (a *audience) join(s *Session, d *device, subject bus.Subject) (added bool, err error) {
	a.makeRoom(subject)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	i := s.find(subject)
	switch {
	case s.phase == over:
		return false, errOver
	case !s.login.is(d):
		return false, errNotThere
	case i >= 0 && a.members[s.joined[i].index].device == d:
		return false, nil // it is there
	case i >= 0: // with a device that was logged in before and has not left yet
		a.remove(s, i)
	case len(s.joined) >= joinedAtMost:
		return false, errTooMany
	}
	a.members = append(a.members, member{device: d})
	at := len(a.members) - 1
	a.members[at].session.Store(s)
	a.living++
	s.joined = append(s.joined, joined{id: subject.ID, kind: subject.Kind, index: int32(at)})
	return true, nil
}

// makeRoom moves the living if the slice is full and enough have left to make that worth while.
func (a *audience) makeRoom(subject bus.Subject) {
	gone := len(a.members) - a.living
	if len(a.members) == cap(a.members) && gone > 0 && gone >= a.living/3 {
		a.move(subject)
	}
}

// leave takes out a session that the device joined with, and reports whether it was there.
func (a *audience) leave(s *Session, d *device, subject bus.Subject) bool {
	s.mutex.Lock()
	i := s.find(subject)
	if i < 0 || a.members[s.joined[i].index].device != d {
		s.mutex.Unlock()
		return false
	}
	a.remove(s, i)
	s.mutex.Unlock()
	const few = 32
	if len(a.members) > few && a.living < len(a.members)/4 {
		a.move(subject)
	}
	return true
}

// remove takes out a session by the index of its note; the caller holds the session's mutex.
func (a *audience) remove(s *Session, i int) {
	a.members[s.joined[i].index].session.Store(nil)
	a.living--
	s.joined = slices.Delete(s.joined, i, i+1)
}

// move takes the living to a new slice.
func (a *audience) move(subject bus.Subject) {
	old := a.members
	a.members = make([]member, 0, a.living+a.living/2+1)
	for i := range old {
		s := old[i].session.Load()
		if s == nil {
			continue
		}
		a.members = append(a.members, member{device: old[i].device})
		at := len(a.members) - 1
		a.members[at].session.Store(s)
		s.mutex.Lock()
		s.joined[s.find(subject)].index = int32(at)
		s.mutex.Unlock()
	}
}

// find returns the number of the session's note of a subject, or -1; the caller holds the mutex.
func (s *Session) find(subject bus.Subject) int {
	for i := range s.joined {
		if s.joined[i].id == subject.ID && s.joined[i].kind == subject.Kind {
			return i
		}
	}
	return -1
}
