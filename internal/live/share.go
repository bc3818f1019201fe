package live

import (
	"time"

	"github.com/magpie-im/magpie/internal/live/window"
)

// A room's rate is for all nodes together, though each decides by itself on what came to it. Nodes tell each other every second how many
// messages of each priority came to them, and each takes its share of the rate: the highest priorities of all nodes come first. So a
// share is a second old. While no more comes than may be pushed, everybody may push.

// traffic is how many messages came in a second, by priority, the highest first.
type traffic [4]int

// none reports whether nothing came.
func (t traffic) none() bool { return t == traffic{} }

// share is what came to this node and to all of them. The zero share is of a room that only this node has messages of.
type share struct {
	here, all traffic
	shared    bool
	told      bool // other nodes know of some that came here
}

// beginners is the part of the rate that a node has at least, so that who begins to speak there is heard.
const beginners = 8

// of is the node's share of a rate.
func (s *share) of(rate window.Rate) window.Rate {
	if !s.shared {
		return rate
	}
	left, own := rate.PerSecond, 0
	for p, n := range s.all {
		goes := min(n, left)
		left -= goes
		own += portion(goes, s.here[p], n)
	}
	own = max(own+left, rate.PerSecond/beginners, 1)
	reserved := rate.Reserved
	if s.all[window.High] > 0 {
		reserved = portion(reserved, s.here[window.High], s.all[window.High])
	}
	return window.Rate{PerSecond: min(own, rate.PerSecond), Reserved: min(reserved, own)}
}

// portion is a whole number's part of here in all, rounded up; 0 of nothing.
func portion(whole, here, all int) int {
	if all == 0 {
		return 0
	}
	return (whole*here + all - 1) / all
}

// roomTraffic is what a node tells of a room every second in which something came.
type roomTraffic struct {
	ID   int64   `json:"i"`
	Came traffic `json:"c"`
}

// cameElsewhere is what came to another node, and until when that is believed.
type cameElsewhere struct {
	traffic
	until time.Time
}

const (
	// trafficFor is how long another node's traffic is believed.
	trafficFor = 3 * tellEvery
	// roomsPerMessage is of how many rooms one bus message tells what came.
	roomsPerMessage = 4000
)

// tellTraffic tells other nodes what came here in the last second, and settles the rooms' shares.
func (l *Rooms) tellTraffic(now time.Time) {
	var told []roomTraffic
	for _, r := range l.all() {
		others, shared := l.elsewhere(r.id, now)
		came, tell := r.settle(now, others, shared)
		if !tell {
			continue
		}
		if told = append(told, roomTraffic{r.id, came}); len(told) >= roomsPerMessage {
			l.publish(&presence{Node: l.node(), Came: told})
			told = nil
		}
	}
	if len(told) > 0 {
		l.publish(&presence{Node: l.node(), Came: told})
	}
}

// settle takes what came to other nodes, and gives what came here in the last whole second. It is told while there is something, and
// once when there is nothing any more.
func (r *room) settle(now time.Time, others traffic, shared bool) (came traffic, tell bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	last := now.Unix() - 1
	for _, second := range r.window.Since(last) {
		if second.At == last {
			for p := range came {
				came[p] = int(second.Of(window.Priority(p)).Received)
				others[p] += came[p]
			}
		}
	}
	tell = !came.none() || r.share.told
	r.share = share{here: came, all: others, shared: shared, told: !came.none()}
	return came, tell
}

// elsewhere adds up what came into a room on other nodes, of which there are some if shared.
func (l *Rooms) elsewhere(id int64, now time.Time) (all traffic, shared bool) {
	l.others.mutex.Lock()
	defer l.others.mutex.Unlock()
	for _, one := range l.others.came[id] {
		if !now.Before(one.until) {
			continue
		}
		for p, n := range one.traffic {
			all[p] += n
		}
		shared = true
	}
	return all, shared
}

// believeTraffic notes what came to another node; the mutex of the others is held.
func (o *others) believeTraffic(node int64, came []roomTraffic, now time.Time) {
	for _, one := range came {
		nodes := o.came[one.ID]
		if nodes == nil {
			nodes = map[int64]cameElsewhere{}
			o.came[one.ID] = nodes
		}
		if nodes[node] = (cameElsewhere{one.Came, now.Add(trafficFor)}); one.Came.none() {
			delete(nodes, node)
		}
		if len(nodes) == 0 {
			delete(o.came, one.ID)
		}
	}
}

// forgetTraffic forgets what came to nodes that tell nothing any more; the mutex of the others is held.
func (o *others) forgetTraffic(now time.Time) {
	for id, nodes := range o.came {
		for node, one := range nodes {
			if !now.Before(one.until) {
				delete(nodes, node)
			}
		}
		if len(nodes) == 0 {
			delete(o.came, id)
		}
	}
}
