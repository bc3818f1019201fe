package live

import (
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// An account may be inside with devices on several nodes, and counts once: on that one of these nodes which has the lowest number; the
// others yield. Nodes tell each other who has entered, in the bus message that says how many are inside. A node at which somebody of
// them is inside too answers that, and both say so again now and then. Like all that nodes tell of live rooms this is a hint: what is
// not said again ends after believeFor, as does all of a node that was killed.

// twice is what a room knows of accounts that are inside on other nodes too.
type twice struct {
	nodes  map[im.AccountID]map[int64]time.Time // the other nodes, and until when that is believed
	yields int                                  // how many of the accounts count on another node

	entered, both, gone []im.AccountID // what other nodes are to be told: who entered, who is inside here too, who is here no more
}

const (
	// enteredMost is how many accounts wait to be told of as entered. Those above it are found when they are told of by lot.
	enteredMost = 20_000
	// toldMost is how many accounts of one kind a node tells of in one tick and room.
	toldMost = 1000
	// lotMost is how many of those inside are told of by lot in every tellAllTicks, so that what a lost bus message said is found.
	lotMost = 200
)

// note takes an account that has entered here; the room's mutex is held.
func (t *twice) note(who im.AccountID) {
	if len(t.entered) < enteredMost {
		t.entered = append(t.entered, who)
	}
}

// forget takes an account that has left here; the room's mutex is held.
func (t *twice) forget(who im.AccountID, node int64) {
	nodes := t.nodes[who]
	if nodes == nil {
		return
	}
	if yields(nodes, node) {
		t.yields--
	}
	delete(t.nodes, who)
	t.gone = append(t.gone, who)
}

// yields reports whether an account counts on another of the nodes.
func yields(nodes map[int64]time.Time, node int64) bool {
	for other := range nodes {
		if other < node {
			return true
		}
	}
	return false
}

// weigh counts the accounts that count on a node with a lower number.
func (t *twice) weigh(node int64) {
	t.yields = 0
	for _, nodes := range t.nodes {
		if yields(nodes, node) {
			t.yields++
		}
	}
}

// expire forgets what was not said again, and reports whether anything was; the room's mutex is held.
func (t *twice) expire(node int64, now time.Time) (changed bool) {
	for who, nodes := range t.nodes {
		for other, until := range nodes {
			if !now.Before(until) {
				delete(nodes, other)
				changed = true
			}
		}
		if len(nodes) == 0 {
			delete(t.nodes, who)
		}
	}
	if changed {
		t.weigh(node)
	}
	return changed
}

// saysMore reports whether there is something to tell beside how many are inside; the room's mutex is held.
func (t *twice) saysMore() bool { return len(t.entered)+len(t.both)+len(t.gone) > 0 }

// tell moves what other nodes are to be told into what the node tells of the room; the room's mutex is held.
func (r *room) tell(one *roomPresence, everything bool) {
	t := &r.twice
	if everything || len(t.nodes) > toldMost {
		t.both = some(t.nodes, toldMost, t.both)
	}
	if everything {
		t.entered = some(r.members, lotMost, t.entered)
	}
	one.Entered, t.entered = split(t.entered)
	one.Both, t.both = split(t.both)
	one.Gone, t.gone = split(t.gone)
}

// some adds accounts to a list, which are drawn by lot if there are more.
func some[V any](of map[im.AccountID]V, most int, to []im.AccountID) []im.AccountID {
	for who := range of {
		if most--; most < 0 {
			break
		}
		to = append(to, who)
	}
	return to
}

// split takes off what is told at once.
func split(all []im.AccountID) (told, left []im.AccountID) {
	if len(all) <= toldMost {
		return all, nil
	}
	return all[:toldMost], all[toldMost:]
}

// hearTwice takes what another node says of accounts in a room.
func (l *Rooms) hearTwice(other int64, one *roomPresence, until time.Time) {
	r := l.find(one.ID)
	if r == nil || len(one.Entered)+len(one.Both)+len(one.Gone) == 0 {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	t, before := &r.twice, r.twice.yields
	for _, who := range one.Entered {
		r.mark(who, other, until)
	}
	for _, who := range one.Both {
		if !r.mark(who, other, until) {
			t.gone = append(t.gone, who)
		}
	}
	for _, who := range one.Gone {
		delete(t.nodes[who], other)
		if len(t.nodes[who]) == 0 {
			delete(t.nodes, who)
		}
	}
	t.weigh(l.node())
	r.news.counted = r.news.counted || t.yields != before
}

// mark notes that an account is inside on another node, which is answered the first time, if it is inside here.
func (r *room) mark(who im.AccountID, other int64, until time.Time) (here bool) {
	if r.members[who] == nil {
		return false
	}
	t := &r.twice
	if t.nodes == nil {
		t.nodes = map[im.AccountID]map[int64]time.Time{}
	}
	if t.nodes[who] == nil {
		t.nodes[who] = map[int64]time.Time{}
	}
	if _, known := t.nodes[who][other]; !known {
		t.both = append(t.both, who)
	}
	t.nodes[who][other] = until
	return true
}
