package live

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	// pollHold is for how long a poll waits for something to be said; clients give a request 15 seconds.
	pollHold = 12 * time.Second
	// recentMost and recentBytes bound what a room keeps for guests that are about to ask. Who asks later misses some.
	recentMost  = 256
	recentBytes = 256 << 10
)

// recent is what was pushed into a room lately, the oldest first, each with a number of this node's. It is kept while guests are
// inside.
type recent struct {
	first int64 // the number of the oldest
	texts []wire.Raw
	bytes int
}

// begin settles the first number. It is a time, so that a guest who comes from another node is not taken for one who has heard all.
func (k *recent) begin(now time.Time) { *k = recent{first: now.UnixMilli()} }

func (k *recent) next() int64 { return k.first + int64(len(k.texts)) }

func (k *recent) add(texts ...wire.Raw) {
	for _, one := range texts {
		k.texts, k.bytes = append(k.texts, one), k.bytes+len(one)
	}
	old := 0
	for len(k.texts)-old > recentMost || k.bytes > recentBytes && len(k.texts)-old > 1 {
		k.bytes -= len(k.texts[old])
		old++
	}
	if old > 0 {
		k.texts, k.first = append([]wire.Raw(nil), k.texts[old:]...), k.first+int64(old)
	}
}

// from is what there is from a number on.
func (k *recent) from(start int64) []wire.Raw {
	if start >= k.next() {
		return nil
	}
	return k.texts[max(0, start-k.first):]
}

// poll is a request that waits until something is said.
type poll struct {
	number int // of those of the guest
	start  int64
	until  time.Time
	answer func(*pollReply, error)
}

// end answers a poll, if there is one.
func (p *poll) end(reply *pollReply) {
	if p != nil {
		p.answer(reply, nil)
	}
}

type pollRequest struct {
	Key   string      `json:"Key"`
	Start wire.Number `json:"StartSeq"`
}

type pollReply struct {
	Key  string     `json:"Key"`
	Next int64      `json:"NextSeq"`
	List []wire.Raw `json:"RspMsgList"`
}

func (l *Rooms) pollCommand() command.Command {
	return command.NewDeferred(command.Spec{
		Service: pollService, Name: "get_msg", By: command.Guest, Family: im.FamilyGroup(),
		Doc: "wait for what is said in a live room, as a guest", Section: "wire.md#live-anonymous",
	}, l.pollAsGuest)
}

// pollAsGuest answers when there is something that the guest has not heard. One whose connection is new is brought in again.
func (l *Rooms) pollAsGuest(ctx context.Context, call *command.Call, q *pollRequest, answer func(*pollReply, error)) {
	r, err := l.roomOfPoll(ctx, call, q.Key)
	if err != nil {
		answer(nil, err)
		return
	}
	number := l.beginPoll(r, call.Session.Number())
	if err := call.StepAside(ctx, "guest:"+strconv.FormatInt(r.id, 10)); err != nil {
		answer(nil, err)
		return
	}
	one := &poll{number: number, start: int64(q.Start), until: l.clock.Now().Add(pollHold), answer: answer}
	if reply, err := l.await(r, call.Session.Number(), one); reply != nil || err != nil {
		answer(reply, err)
	}
}

// roomOfPoll finds the room that a guest is inside of, or brings him in. Of one that is destroyed he is told the end yet.
func (l *Rooms) roomOfPoll(ctx context.Context, call *command.Call, key string) (*room, error) {
	for _, id := range l.stays.of(call.Session.Number()) {
		if r := l.find(id); r != nil && r.groupID == key && guestsEnter.Of(call.App) {
			return r, nil
		}
	}
	of, err := l.openToGuests(ctx, call, key)
	if err != nil {
		return nil, err
	}
	_, err = l.admitGuest(ctx, call, of)
	return l.open(call.App, of), err
}

// await has a poll wait; if there is something to say already, or the node stops, it is answered with what is returned.
func (l *Rooms) await(r *room, connection uint64, p *poll) (*pollReply, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	one := r.guests[connection]
	if one == nil {
		return &pollReply{Key: r.key(), Next: p.start, List: []wire.Raw{}}, nil
	}
	one.seen = l.clock.Now()
	if p.start = max(p.start, one.start); p.start > r.recent.next() {
		p.start = r.recent.next()
	}
	switch told := len(r.recent.from(p.start)) > 0; {
	case r.ended && !told:
		return nil, group.ErrUnknown(r.groupID)
	case told, l.polls.over(), p.number != one.polls: // or another one has come meanwhile
		return r.pollReply(p.start), nil
	}
	one.poll = p
	return nil, nil //nolint:nilnil // it waits
}

// pollReply is the answer to a poll that began at a number; the room's mutex is held.
func (r *room) pollReply(start int64) *pollReply {
	return &pollReply{Key: r.key(), Next: r.recent.next(), List: append([]wire.Raw{}, r.recent.from(start)...)}
}

// key is what a client names the room by; the mutex need not be held, as it never changes.
func (r *room) key() string { return r.groupID }

// beginPoll gives a poll its number among those of its guest, and answers the one before, if that waits.
func (l *Rooms) beginPoll(r *room, connection uint64) (number int) {
	r.mutex.Lock()
	one := r.guests[connection]
	if one == nil {
		r.mutex.Unlock()
		return 0
	}
	one.polls++
	number = one.polls
	waiting := one.poll
	one.poll = nil
	var reply *pollReply
	if waiting != nil {
		reply = r.pollReply(waiting.start)
	}
	r.mutex.Unlock()
	waiting.end(reply)
	return number
}

// polls are the rooms with polls that are to be answered. One goroutine answers them, so that whoever pushes does not wait.
type polls struct {
	mutex   sync.Mutex
	rooms   map[*room]struct{}
	wake    chan struct{}
	stopped bool
}

// due says that a room's polls are to be answered.
func (p *polls) due(r *room) {
	p.mutex.Lock()
	p.rooms[r] = struct{}{}
	p.mutex.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *polls) take() map[*room]struct{} {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	taken := p.rooms
	p.rooms = map[*room]struct{}{}
	return taken
}

// over reports whether the node stops, so that no poll waits any more.
func (p *polls) over() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.stopped
}

// Draining has all polls answered, now and from now on: the node stops.
func (l *Rooms) Draining() {
	l.polls.mutex.Lock()
	l.polls.stopped = true
	l.polls.mutex.Unlock()
	for _, r := range l.all() {
		l.answerPolls(r)
	}
}

// answerGuests answers polls until ctx ends.
func (l *Rooms) answerGuests(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.polls.wake:
			for r := range l.polls.take() {
				l.answerPolls(r)
			}
		}
	}
}

// answerPolls answers the polls of a room for which there is something, or which have waited long.
func (l *Rooms) answerPolls(r *room) {
	type answered struct {
		poll  *poll
		reply *pollReply
	}
	var all []answered
	replies := map[int64]*pollReply{} // those who wait mostly wait for the same
	over, now := l.polls.over(), l.clock.Now()
	r.mutex.Lock()
	for _, one := range r.guests {
		p := one.poll
		if p == nil || !over && now.Before(p.until) && p.start >= r.recent.next() {
			continue
		}
		if replies[p.start] == nil {
			replies[p.start] = r.pollReply(p.start)
		}
		one.poll, one.seen = nil, now
		all = append(all, answered{p, replies[p.start]})
	}
	r.mutex.Unlock()
	for _, one := range all {
		one.poll.end(one.reply)
	}
}
