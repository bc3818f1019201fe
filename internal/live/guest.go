package live

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// A guest hears what is said in a live room without a login. He says nothing and is in no list; his client asks for what is new
// and is answered when there is something, as the official SDK does it (docs/protocol/wire.md#live-anonymous). A client that asks
// no more has left.

const (
	guestService = "group_open_http_noauth_svc"
	pollService  = "group_open_long_polling_http_noauth_svc"
	// guestRooms is in how many live rooms one connection may be.
	guestRooms = 8
	// guestPatience is after what time a guest who does not ask has left.
	guestPatience = 30 * time.Second
	// guestJoins is how many joins of one address a node serves in a second.
	guestJoins = 20
)

// guest is a connection without a login that is inside of a room.
type guest struct {
	of      origin
	session command.Session
	start   int64     // where his first poll begins
	seen    time.Time // of his latest poll
	polls   int       // how many came
	poll    *poll     // that waits for an answer; nil: none does
}

// origin is where guests come from.
type origin struct {
	app     im.AppID
	address string // empty of all together
}

// origins counts guests of this node, each as often as he is inside of a room.
type origins struct {
	mutex  sync.Mutex
	counts map[origin]int
}

// take counts one more, if there may be.
func (v *origins) take(app *im.App, address string) (origin, error) {
	one, all := origin{app.ID, address}, origin{app: app.ID}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if most := guestsOfAddress.Of(app); v.counts[one] >= most {
		return one, im.Errorf(im.CodeGroupFull, "%d guests of your address are inside live rooms already", most)
	}
	if most := guestsMost.Of(app); v.counts[all] >= most {
		return one, im.Errorf(im.CodeGroupFull, "%d guests are inside live rooms already", most)
	}
	v.counts[one]++
	v.counts[all]++
	return one, nil
}

func (v *origins) release(one origin) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for _, key := range []origin{one, {app: one.app}} {
		if v.counts[key]--; v.counts[key] <= 0 {
			delete(v.counts, key)
		}
	}
}

type guestRequest struct {
	GroupID string `json:"GroupId"`
}

type guestReply struct {
	Status  string    `json:"JoinedStatus"`
	Huge    wire.Bool `json:"HugeGroupFlag"`
	Start   int64     `json:"StartSeq"`
	PollKey string    `json:"LongPollingKey"`
}

func (l *Rooms) guestJoinCommand() command.Command {
	return command.New(command.Spec{
		Service: guestService, Name: "apply_join_group", By: command.Guest, Family: im.FamilyGroup(), ClientRate: guestJoins,
		Doc: "enter a live room without a login", Section: "wire.md#live-anonymous",
	}, l.joinAsGuest)
}

func (l *Rooms) joinAsGuest(ctx context.Context, call *command.Call, r *guestRequest) (*guestReply, error) {
	of, err := l.openToGuests(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	start, err := l.admitGuest(ctx, call, of)
	if err != nil {
		return nil, err
	}
	return &guestReply{Status: "JoinedSuccess", Huge: true, Start: start, PollKey: of.GroupID}, nil
}

// openToGuests finds a live room that guests may enter.
func (l *Rooms) openToGuests(ctx context.Context, call *command.Call, groupID string) (*group.Group, error) {
	of, err := l.liveRoom(ctx, call, groupID)
	if err == nil && (!guestsEnter.Of(call.App) || !of.Type.Yes("join.anonymous")) {
		err = im.Errorf(im.CodeGroupRights, "nobody enters a live room here without a login")
	}
	return of, err
}

// admitGuest brings a guest's connection into a room, and gives where his polls begin. One who is there already stays.
func (l *Rooms) admitGuest(ctx context.Context, call *command.Call, of *group.Group) (start int64, err error) {
	r, connection := l.open(call.App, of), call.Session.Number()
	if one := l.guestOf(r, connection); one != nil {
		return one.start, nil
	}
	if len(l.stays.of(connection)) >= guestRooms {
		return 0, im.Errorf(im.CodeGroupTooMany, "you are inside %d live rooms already", guestRooms)
	}
	from, err := l.origins.take(call.App, call.Address)
	if err != nil {
		return 0, err
	}
	start = l.seatGuest(r, &guest{of: from, session: call.Session, seen: l.clock.Now()})
	if err := call.Session.Join(ctx, event.LiveRoom(of.ID).Subject()); err != nil {
		l.guestLeaves(r, connection)
		return 0, fmt.Errorf("join a live room as a guest: %w", err)
	}
	if err := l.groups.Admits(ctx, of, account.Account{}); err != nil { // it was destroyed meanwhile
		l.guestLeaves(r, connection)
		return 0, err
	}
	return start, nil
}

func (l *Rooms) guestOf(r *room, connection uint64) *guest {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.guests[connection]
}

func (l *Rooms) seatGuest(r *room, one *guest) (start int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.guests == nil {
		r.guests = map[uint64]*guest{}
		r.recent.begin(l.clock.Now())
	}
	one.start = r.recent.next()
	r.guests[one.session.Number()] = one
	r.news.counted = true
	l.stays.add(one.session.Number(), r.id)
	return one.start
}

// guestLeaves ends that a guest is inside. His poll is answered, as his connection waits for it.
func (l *Rooms) guestLeaves(r *room, connection uint64) {
	r.mutex.Lock()
	one := r.guests[connection]
	if one == nil {
		r.mutex.Unlock()
		return
	}
	delete(r.guests, connection)
	r.news.counted = true
	if len(r.guests) == 0 {
		r.guests, r.recent = nil, recent{}
	}
	r.mayMiss()
	r.mutex.Unlock()
	l.stays.remove(connection, r.id)
	l.origins.release(one.of)
	one.session.Leave(event.LiveRoom(r.id).Subject())
	one.poll.end(&pollReply{Key: r.key(), List: []wire.Raw{}, Next: one.start})
}

// forgetGuests has those leave who do not ask any more, and answers polls that have waited long.
func (l *Rooms) forgetGuests() {
	now := l.clock.Now()
	for _, r := range l.all() {
		var gone []uint64
		late := false
		r.mutex.Lock()
		for connection, one := range r.guests {
			late = late || one.poll != nil && !now.Before(one.poll.until)
			if one.poll == nil && now.Sub(one.seen) > guestPatience {
				gone = append(gone, connection)
			}
		}
		r.mutex.Unlock()
		for _, connection := range gone {
			l.guestLeaves(r, connection)
		}
		if late {
			l.polls.due(r)
		}
	}
}
