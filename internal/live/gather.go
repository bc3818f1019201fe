package live

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/wire"
)

// A node hears what is said in a room while one of its sessions has joined. So it asks the others for the backlog when the first
// one does, and does not wait for long: who comes then is given what has come by then.

// gatherWithin bounds the wait for other nodes.
const gatherWithin = 250 * time.Millisecond

// ask is a node that wants to know the messages of a room: the backlog, or just some of them.
type ask struct {
	Room    int64   `json:"i"`
	Numbers []int64 `json:"m,omitempty"`
}

// answer is what another node has of them; the last one of that node says so.
type answer struct {
	Room     int64   `json:"i"`
	To       int64   `json:"t"`
	Messages []heard `json:"m,omitempty"`
	Last     bool    `json:"l,omitempty"`
}

// answerBytes bounds what one bus message answers, well below what the bus takes.
const answerBytes = 256 << 10

// askers are those on this node that wait for answers about a room.
type askers map[int64][]chan struct{}

// gather asks other nodes for messages of a room, and waits until those that have it have answered, or for a while.
func (l *Rooms) gather(ctx context.Context, r *room, numbers ...int64) {
	if l.alone {
		return
	}
	known := l.others.count(r.id)
	done := make(chan struct{}, known+1)
	l.others.listen(r.id, done)
	defer l.others.unlisten(r.id, done)
	l.publish(&presence{Node: l.node(), Ask: &ask{r.id, numbers}})
	within, cancel := context.WithTimeout(ctx, gatherWithin)
	defer cancel()
	for range known {
		select {
		case <-done:
		case <-within.Done():
			return
		}
	}
}

// catchUp asks other nodes for the backlog, if this one began to hear of the room just now.
func (l *Rooms) catchUp(ctx context.Context, r *room) {
	r.mutex.Lock()
	begin := !r.backlog.gathered && r.late() > 0
	r.backlog.gathered = r.backlog.gathered || begin
	r.mutex.Unlock()
	if begin {
		l.gather(ctx, r)
	}
}

// tellHeard answers another node.
func (l *Rooms) tellHeard(to int64, a *ask) {
	r := l.find(a.Room)
	if r == nil {
		return
	}
	r.mutex.Lock()
	var found []heard
	for _, one := range r.backlog.messages {
		if len(a.Numbers) == 0 && one.Text != nil {
			found = append(found, one)
		}
	}
	for _, number := range a.Numbers {
		if one := r.backlog.find(number); one != nil {
			found = append(found, *one)
		}
	}
	r.mutex.Unlock()
	for last := false; !last; {
		n, bytes := 0, 0
		for n < len(found) && (n == 0 || bytes+len(found[n].Text) < answerBytes) {
			bytes += len(found[n].Text)
			n++
		}
		last = n == len(found)
		l.publish(&presence{Node: l.node(), Answer: &answer{Room: a.Room, To: to, Messages: found[:n], Last: last}})
		found = found[n:]
	}
}

// hearAnswer takes what another node answered.
func (l *Rooms) hearAnswer(a *answer) {
	r := l.find(a.Room)
	if r == nil || a.To != l.node() {
		return
	}
	r.mutex.Lock()
	if !r.ended {
		l.merge(r, r.late(), a.Messages)
	}
	r.mutex.Unlock()
	if a.Last {
		l.others.answered(a.Room)
	}
}

func (o *others) listen(room int64, done chan struct{}) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.askers[room] = append(o.askers[room], done)
}

func (o *others) unlisten(room int64, done chan struct{}) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	left := o.askers[room][:0:0]
	for _, one := range o.askers[room] {
		if one != done {
			left = append(left, one)
		}
	}
	if o.askers[room] = left; len(left) == 0 {
		delete(o.askers, room)
	}
}

// answered says that one node has answered.
func (o *others) answered(room int64) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, one := range o.askers[room] {
		select {
		case one <- struct{}{}:
		default:
		}
	}
}

// count is how many other nodes have somebody inside.
func (o *others) count(room int64) int {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return len(o.rooms[room])
}

// latest gives the newest messages for who has joined.
func (l *Rooms) latest(ctx context.Context, r *room) []wire.Raw {
	l.catchUp(ctx, r)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.backlog.newest(l.clock.Now(), r.late())
}
