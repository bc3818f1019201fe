package live

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// others is who is inside on other nodes, as they tell it every second of the rooms in which it changed, and of all rooms now and
// then. It is a hint: a node that tells nothing any more is forgotten.
type others struct {
	mutex  sync.Mutex
	rooms  map[int64]map[int64]elsewhere // by room and node
	ticks  int
	came   map[int64]map[int64]cameElsewhere // by room and node
	alone  time.Time                         // from when on, if no other node tells anything until then, nobody hears what this one tells
	askers askers
	calls  int64 // that have asked
}

// elsewhere is who is inside on one other node.
type elsewhere struct {
	online int64
	newest []lister
	until  time.Time
}

// lister is an account in the list of those inside; since is unix microseconds.
type lister struct {
	Account im.AccountID `json:"a"`
	Since   int64        `json:"s"`
	Marks   []uint32     `json:"m,omitempty"`
}

const (
	// tellAllTicks is in how many ticks a node tells of all its rooms.
	tellAllTicks = 10
	// believeFor is how long what another node told is believed.
	believeFor = 3 * tellAllTicks * tellEvery
	// accountsPerMessage bounds what one bus message tells: accounts, and rooms, each of which counts as one.
	accountsPerMessage = 4000
)

// presence is a bus message about who is inside.
type presence struct {
	Node  int64          `json:"n"`
	Rooms []roomPresence `json:"r,omitempty"`
	// Ended is a room that was destroyed.
	Ended int64 `json:"e,omitempty"`
	// Expelled are accounts that are not inside any more, wherever they were.
	Expelled *expelled `json:"x,omitempty"`
	// Came is what came into rooms in the last second.
	Came []roomTraffic `json:"t,omitempty"`
	// Ask is what the node wants to know of a room's messages, and Answer what another one is told of them.
	Ask    *ask    `json:"q,omitempty"`
	Answer *answer `json:"b,omitempty"`
	// Marking changes marks of members.
	Marking *marking `json:"k,omitempty"`
	// Changed is a room of which the limits were changed.
	Changed int64 `json:"h,omitempty"`
	// Broadcast is said in all live rooms of an application.
	Broadcast *broadcast `json:"y,omitempty"`
}

type expelled struct {
	Room     int64          `json:"i"`
	Accounts []im.AccountID `json:"a"`
}

type roomPresence struct {
	ID     int64    `json:"i"`
	Online int64    `json:"o"`
	Newest []lister `json:"l,omitempty"`
	// Entered are accounts that have entered, Both those that are inside on this and on another node, Gone those that are not inside on
	// this node any more.
	Entered []im.AccountID `json:"e,omitempty"`
	Both    []im.AccountID `json:"b,omitempty"`
	Gone    []im.AccountID `json:"g,omitempty"`
}

// tellOthers tells other nodes who is inside here.
func (l *Rooms) tellOthers() {
	l.others.mutex.Lock()
	l.others.ticks++
	everything, now := l.others.ticks%tellAllTicks == 0, l.clock.Now()
	alone := !now.Before(l.others.alone)
	l.others.mutex.Unlock()
	var changed []roomPresence
	for _, r := range l.all() {
		if one, tell := r.presence(l.node(), now, everything); tell {
			if alone { // who enters at another node is told of, and answered
				one.Entered = nil
			}
			changed = append(changed, one)
		}
	}
	for len(changed) > 0 {
		n := together(changed)
		l.publish(&presence{Node: l.node(), Rooms: changed[:n]})
		changed = changed[n:]
	}
	l.tellTraffic(now)
	l.forgetOthers()
}

// together is how many of the rooms, the first ones, one bus message tells of; at least one.
func together(rooms []roomPresence) (n int) {
	accounts := 0
	for n < len(rooms) {
		one := &rooms[n]
		accounts += 1 + len(one.Newest) + (len(one.Entered)+len(one.Both)+len(one.Gone))/2 // these are shorter
		if n > 0 && accounts > accountsPerMessage {
			break
		}
		n++
	}
	return n
}

// presence is what other nodes hear of the room, if they are to hear of it.
func (r *room) presence(node int64, now time.Time, everything bool) (one roomPresence, tell bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	expired := r.twice.expire(node, now)
	if !expired && !r.news.counted && !r.twice.saysMore() && (!everything || r.inside() == 0) {
		return one, false
	}
	r.news.counted = false
	one = roomPresence{ID: r.id, Online: r.counted(), Newest: r.listed(listedMost.Of(r.app))}
	r.tell(&one, everything)
	return one, true
}

// listed gives those who entered last, the latest first, and then others who have marks; the caller holds the mutex.
func (r *room) listed(most int) []lister {
	all := make([]lister, 0, min(most, len(r.members)))
	seen := make(map[im.AccountID]bool, cap(all))
	for _, who := range slices.Backward(r.newest) {
		if len(all) >= most {
			break
		}
		if m := r.members[who]; m != nil && !seen[who] {
			seen[who] = true
			all = append(all, lister{who, m.since, m.marks})
		}
	}
	for who, m := range r.members {
		if len(m.marks) > 0 && !seen[who] && len(all) < most+markedMost {
			all = append(all, lister{who, m.since, m.marks})
		}
	}
	return all
}

func (l *Rooms) publish(p *presence) {
	text, err := json.Marshal(p)
	if err == nil {
		err = l.bus.Publish(bus.Subject{Kind: bus.KindPresence}, text)
	}
	if err != nil {
		l.log.Warn("tell nodes who is inside live rooms", telemetry.FieldError, err)
	}
}

// Receive implements [bus.Handler]: another node tells who is inside there.
func (l *Rooms) Receive(_ bus.Subject, message []byte) {
	var p presence
	if json.Unmarshal(message, &p) != nil || p.Node == l.node() {
		return
	}
	switch {
	case p.Ended != 0:
		l.end(p.Ended)
	case p.Expelled != nil:
		l.expel(p.Expelled.Room, p.Expelled.Accounts)
	case p.Ask != nil:
		l.tellHeard(p.Node, p.Ask)
	case p.Answer != nil:
		l.hearAnswer(p.Answer)
	case p.Marking != nil:
		l.mark(p.Marking)
	case p.Changed != 0:
		l.changed(p.Changed)
	case p.Broadcast != nil:
		l.broadcasts.note(p.Broadcast)
		l.heardBroadcast(p.Broadcast)
	default:
		l.believe(&p)
	}
}

// believe notes who is inside on another node.
func (l *Rooms) believe(p *presence) {
	now := l.clock.Now()
	until := now.Add(believeFor)
	for i := range p.Rooms {
		l.hearTwice(p.Node, &p.Rooms[i], until)
	}
	l.others.mutex.Lock()
	defer l.others.mutex.Unlock()
	l.others.alone = until
	l.others.believeTraffic(p.Node, p.Came, now)
	for _, one := range p.Rooms {
		nodes := l.others.rooms[one.ID]
		if nodes == nil {
			nodes = map[int64]elsewhere{}
			l.others.rooms[one.ID] = nodes
		}
		if nodes[p.Node] = (elsewhere{one.Online, one.Newest, until}); one.Online == 0 {
			delete(nodes, p.Node)
		}
		if len(nodes) == 0 {
			delete(l.others.rooms, one.ID)
		}
	}
}

// forgetOthers forgets what nodes told that tell nothing any more.
func (l *Rooms) forgetOthers() {
	now := l.clock.Now()
	l.others.mutex.Lock()
	defer l.others.mutex.Unlock()
	l.others.forgetTraffic(now)
	for id, nodes := range l.others.rooms {
		for node, one := range nodes {
			if !now.Before(one.until) {
				delete(nodes, node)
			}
		}
		if len(nodes) == 0 {
			delete(l.others.rooms, id)
		}
	}
}

// Online implements [group.Presence].
func (l *Rooms) Online(id int64) int64 {
	here := int64(0)
	if r := l.find(id); r != nil {
		r.mutex.Lock()
		here = r.counted()
		r.mutex.Unlock()
	}
	return l.online(id, here)
}

// online adds those on other nodes to those here.
func (l *Rooms) online(id, here int64) int64 {
	l.others.mutex.Lock()
	defer l.others.mutex.Unlock()
	for _, one := range l.others.rooms[id] {
		here += one.online
	}
	return here
}
