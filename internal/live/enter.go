package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Enter implements [group.Presence]. It writes nothing: who is inside is known to the node of his session.
func (l *Rooms) Enter(ctx context.Context, call *command.Call, of *group.Group, late bool) (*group.Entered, error) {
	self, err := l.accounts.Find(ctx, call.App.ID, call.UserID)
	if errors.Is(err, account.ErrUnknown) {
		return nil, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", call.UserID)
	}
	if err != nil {
		return nil, err
	}
	r, on := l.open(call.App, of), seat{connection: call.Session.Number(), device: call.Device}
	fresh := l.admit(r, &self, on)
	if err := call.Session.Join(ctx, event.LiveRoom(of.ID).Subject()); err != nil {
		l.takeOut(r, self.ID, on.connection)
		return nil, fmt.Errorf("join a live room: %w", err)
	}
	if err := l.groups.Admits(ctx, of, self); err != nil {
		call.Session.Leave(event.LiveRoom(of.ID).Subject())
		l.takeOut(r, self.ID, on.connection)
		return nil, err
	}
	if fresh {
		actor := call.Actor
		call.Session.AfterReply(func() { l.note(r, func(n *news) { n.joined.add(&actor, self) }) })
	}
	entered := &group.Entered{Huge: true, Key: of.GroupID, Start: 1}
	if late {
		entered.Backlog, err = l.latest(ctx, r)
	}
	return entered, err
}

// admit notes that an account is inside with a connection, and reports whether it was not before.
func (l *Rooms) admit(r *room, who *account.Account, on seat) (fresh bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	m := r.members[who.ID]
	if m == nil {
		m = &member{userID: who.UserID, since: l.clock.Now().UnixMicro()}
		r.members[who.ID] = m
		r.remember(who.ID)
		r.twice.note(who.ID)
		r.news.counted, fresh = true, true
	}
	m.sit(on)
	l.whereabouts.add(on.device, r.id)
	return fresh
}

// sit notes a connection, which takes the seat of its device if that one was without.
func (m *member) sit(on seat) {
	for i, one := range m.seats {
		if one.connection == on.connection || one.device == on.device && !one.until.IsZero() {
			m.seats[i] = on
			return
		}
	}
	m.seats = append(m.seats, on)
}

// remember notes who entered last; the caller holds the mutex.
func (r *room) remember(who im.AccountID) {
	if len(r.newest) >= 2*newestMost {
		r.newest = slices.Clone(r.newest[len(r.newest)-newestMost:])
	}
	r.newest = append(r.newest, who)
}

// takeOut ends that an account is inside with a connection, and reports whether the account has left.
func (l *Rooms) takeOut(r *room, who im.AccountID, connection uint64) (left bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return l.clear(r, who, func(one seat) bool { return one.connection == connection })
}

// clear takes away the account's seats that go, and the account with its last one; the caller holds the room's mutex.
func (l *Rooms) clear(r *room, who im.AccountID, goes func(seat) bool) (left bool) {
	m := r.members[who]
	if m == nil {
		return false
	}
	for _, one := range m.seats {
		if goes(one) {
			l.whereabouts.remove(one.device, r.id)
		}
	}
	m.seats = slices.DeleteFunc(m.seats, goes)
	for _, one := range m.seats { // a device may have another seat still
		l.whereabouts.add(one.device, r.id)
	}
	if len(m.seats) > 0 {
		r.mayMiss()
		return false
	}
	delete(r.members, who)
	delete(r.away, who)
	r.twice.forget(who, l.node())
	r.news.counted = true
	r.mayMiss()
	return true
}

// Leave implements [group.Presence]: the asking device leaves.
func (l *Rooms) Leave(_ context.Context, call *command.Call, of *group.Group) bool {
	call.Session.Leave(event.LiveRoom(of.ID).Subject())
	r := l.find(of.ID)
	if r == nil || !l.takeOut(r, call.Account, call.Session.Number()) {
		return false
	}
	actor := call.Actor
	call.Session.AfterReply(func() {
		l.note(r, func(n *news) { n.left.add(&actor, account.Account{ID: actor.Account, UserID: actor.UserID}) })
	})
	return true
}

// Inside implements [group.Presence].
func (l *Rooms) Inside(id int64, who im.AccountID) int64 {
	r := l.find(id)
	if r == nil {
		return 0
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if m := r.members[who]; m != nil {
		return m.since / int64(time.Second/time.Microsecond)
	}
	return 0
}

// Parted is told that a connection has left a live room by itself: it ended, or its device logged out, or a guest logged in, whose
// account is 0. A device whose
// connection broke has a grace to come back. The bus may be waiting, so the store is not asked for names here.
func (l *Rooms) Parted(subject bus.Subject, who im.AccountID, connection uint64, broken bool) {
	r := l.find(subject.ID)
	if r != nil && who == 0 {
		l.guestLeaves(r, connection)
		return
	}
	if r == nil || broken && r.spare(who, connection, l.clock.Now()) || !l.takeOut(r, who, connection) {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.parted) < arrivalsMost {
		r.parted = append(r.parted, who)
	}
}

// tellGone has the room told of accounts that left without asking for it.
func (l *Rooms) tellGone(r *room, who []im.AccountID) {
	ctx, cancel := context.WithTimeout(context.Background(), fillWithin)
	defer cancel()
	names, err := l.accounts.ByID(ctx, l.db, who)
	if err != nil {
		l.warn(r.id, "find who left", err)
		return
	}
	r.mutex.Lock()
	app := r.app
	r.mutex.Unlock()
	l.note(r, func(n *news) {
		for _, id := range who {
			n.left.add(&im.Actor{App: app, UserID: names[id].UserID, Account: id, Door: im.DoorClient}, names[id])
		}
	})
}

// spare keeps the seat of a connection that broke for a while; false: there is none to keep.
func (r *room) spare(who im.AccountID, connection uint64, now time.Time) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	m, grace := r.members[who], time.Duration(graceSeconds.Of(r.app))*time.Second
	if m == nil || grace == 0 {
		return false
	}
	i := slices.IndexFunc(m.seats, func(one seat) bool { return one.connection == connection })
	if i < 0 {
		return false
	}
	m.seats[i].until = now.Add(grace)
	r.away[who] = struct{}{}
	r.mayMiss()
	if !m.there() {
		r.moved(state{who: who})
	}
	return true
}

// Returned is told of a device's new connection, and gives the live rooms that it is inside of again.
func (l *Rooms) Returned(who im.AccountID, device im.DeviceID, connection uint64) []bus.Subject {
	var back []bus.Subject
	for _, id := range l.whereabouts.of(device) {
		if r := l.find(id); r != nil && r.readmit(who, seat{connection: connection, device: device}) {
			back = append(back, event.LiveRoom(id).Subject())
		}
	}
	return back
}

func (r *room) readmit(who im.AccountID, on seat) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	m := r.members[who]
	if m == nil || r.ended {
		return false
	}
	if !m.there() {
		r.moved(state{who: who, online: true})
	}
	m.sit(on)
	return true
}

// endGraces takes out who did not come back in time, and tells of them and of those who parted.
func (l *Rooms) endGraces() {
	now := l.clock.Now()
	for _, r := range l.all() {
		if left := l.late(r, now); len(left) > 0 {
			l.tellGone(r, left)
		}
	}
}

// late takes away the seats whose grace is over, and gives the accounts that have left by that, or parted.
func (l *Rooms) late(r *room, now time.Time) (left []im.AccountID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	left, r.parted = r.parted, nil
	for who := range r.away {
		waits := false
		gone := l.clear(r, who, func(one seat) bool {
			over := !one.until.IsZero() && !now.Before(one.until)
			waits = waits || !one.until.IsZero() && !over
			return over
		})
		if gone {
			left = append(left, who)
		} else if !waits {
			delete(r.away, who)
		}
	}
	return left
}

func (l *Rooms) warn(id int64, what string, err error) {
	l.log.Warn(what, telemetry.FieldGroup, id, telemetry.FieldError, err)
}
