package live

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// A node hears what is said in a room while one of its sessions has joined. So it asks the others for the backlog when the first
// one does, and does not wait for long: who comes then is given what has come by then.

// gatherWithin bounds the wait for other nodes.
const gatherWithin = 250 * time.Millisecond

// ask is what a node wants to know of a room: some messages, who of some accounts is inside, or else the backlog.
type ask struct {
	Room     int64          `json:"i"`
	Call     int64          `json:"c"` // which of the calls of this node asks
	Numbers  []int64        `json:"m,omitempty"`
	Accounts []im.AccountID `json:"a,omitempty"`
}

// answer is what another node knows of it; the last one of that node says so.
type answer struct {
	Room     int64          `json:"i"`
	To       int64          `json:"t"`
	Call     int64          `json:"c"`
	Messages []heard        `json:"m,omitempty"`
	Inside   []im.AccountID `json:"a,omitempty"`
	Last     bool           `json:"l,omitempty"`
}

// answerBytes bounds what one bus message answers, well below what the bus takes.
const answerBytes = 256 << 10

// askers are the calls on this node that wait for answers, by their numbers.
type askers map[int64]chan *answer

// gather asks other nodes about a room, and waits until those on which somebody is inside have answered, or for a while. The room
// takes the messages; the accounts that are inside are returned.
func (l *Rooms) gather(ctx context.Context, a *ask) (inside []im.AccountID) {
	if l.alone {
		return nil
	}
	known := l.others.count(a.Room)
	last := make(chan *answer, known+1)
	a.Call = l.others.listen(last)
	defer l.others.unlisten(a.Call)
	l.publish(&presence{Node: l.node(), Ask: a})
	within, cancel := context.WithTimeout(ctx, gatherWithin)
	defer cancel()
	for range known {
		select {
		case one := <-last:
			inside = append(inside, one.Inside...)
		case <-within.Done():
			return inside
		}
	}
	return inside
}

// catchUp asks other nodes for the backlog, if this one began to hear of the room just now.
func (l *Rooms) catchUp(ctx context.Context, r *room) {
	r.mutex.Lock()
	begin := !r.backlog.gathered && r.late() > 0
	r.backlog.gathered = r.backlog.gathered || begin
	r.mutex.Unlock()
	if begin {
		l.gather(ctx, &ask{Room: r.id})
	}
}

// mayMiss has other nodes asked again, as no session here is sure to hear what is said now: the connections of all that are inside broke,
// or they have none. The room's mutex is held.
func (r *room) mayMiss() {
	if len(r.guests) == 0 && len(r.away) >= len(r.members) {
		r.backlog.gathered = false
	}
}

// tellHeard answers another node.
func (l *Rooms) tellHeard(to int64, a *ask) {
	r := l.find(a.Room)
	if r == nil {
		return
	}
	found, inside := r.answers(a)
	for last := false; !last; {
		n, bytes := 0, 0
		for n < len(found) && (n == 0 || bytes+len(found[n].Text) < answerBytes) {
			bytes += len(found[n].Text)
			n++
		}
		last = n == len(found)
		l.publish(&presence{Node: l.node(), Answer: &answer{Room: a.Room, To: to, Call: a.Call, Messages: found[:n], Inside: inside, Last: last}})
		found = found[n:]
	}
}

// answers gives what the room knows of what is asked.
func (r *room) answers(a *ask) (found []heard, inside []im.AccountID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, who := range a.Accounts {
		if r.members[who] != nil {
			inside = append(inside, who)
		}
	}
	for _, number := range a.Numbers {
		if one := r.backlog.find(number); one != nil {
			found = append(found, *one)
		}
	}
	if len(a.Accounts)+len(a.Numbers) > 0 {
		return found, inside
	}
	for _, one := range r.backlog.messages {
		if one.Text != nil {
			found = append(found, one)
		}
	}
	return found, nil
}

// hearAnswer takes what another node answered.
func (l *Rooms) hearAnswer(a *answer) {
	if a.To != l.node() {
		return
	}
	if r := l.find(a.Room); r != nil && len(a.Messages) > 0 {
		r.mutex.Lock()
		if !r.ended {
			l.merge(r, r.late(), a.Messages)
		}
		r.mutex.Unlock()
	}
	if a.Last {
		l.others.answered(a)
	}
}

func (o *others) listen(asker chan *answer) (call int64) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.calls++
	o.askers[o.calls] = asker
	return o.calls
}

func (o *others) unlisten(call int64) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	delete(o.askers, call)
}

// answered says that one node has answered.
func (o *others) answered(a *answer) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	select {
	case o.askers[a.Call] <- a:
	default:
	}
}

// count is how many other nodes have somebody inside.
func (o *others) count(room int64) int {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return len(o.rooms[room])
}

// latest gives the newest messages for who has joined.
func (l *Rooms) latest(ctx context.Context, r *room) ([]wire.Raw, error) {
	if err := l.limit(ctx, r); err != nil {
		return nil, err
	}
	l.catchUp(ctx, r)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.backlog.newest(l.clock.Now(), r.late()), nil
}
