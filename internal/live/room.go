package live

import (
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
)

// room is a live room on this node: who is inside here, and what waits to be pushed.
type room struct {
	id      int64
	groupID string

	mutex   sync.Mutex
	app     *im.App      // as of the latest call
	group   *group.Group // the same
	window  window.Window[*spoken]
	due     time.Time // when the window ends; zero is a room that has nothing to push
	members map[im.AccountID]*member
	away    map[im.AccountID]struct{} // members of whom a connection broke
	parted  []im.AccountID            // who left without a command, of whom nobody was told yet
	states  []state                   // of members, of which the back end was not told yet
	newest  []im.AccountID            // those who entered last, the latest last; some have left
	twice   twice
	share   share
	news    news
	numbers numbers
	waiting map[int64]*spoken // for the end of the window, by number
	limits  limits
	backlog backlog
	guests  map[uint64]*guest // by connection; nil is none
	recent  recent            // for the guests
	used    time.Time         // of the latest call
	ended   bool              // the group was destroyed
	gone    bool              // it was let go
}

// member is an account that is inside on this node.
type member struct {
	userID string
	since  int64 // unix microseconds
	seats  []seat
	marks  []uint32 // rising
}

// seat is a connection with which an account is inside. until is when one that broke has left; zero while it is there.
type seat struct {
	connection uint64
	device     im.DeviceID
	until      time.Time
}

// newestMost is how many of those who entered last a node knows in their order.
const newestMost = 1000

// open finds the room of a group, or makes it. app is nil where the caller does not know its settings.
func (l *Rooms) open(app *im.App, of *group.Group) *room {
	for {
		r := l.find(of.ID)
		if r == nil {
			r = l.begin(app, of)
		}
		if r.use(app, of, l.clock.Now()) {
			return r
		}
	}
}

// begin makes the room of a group, unless somebody else has just done so. Whoever finds it finds it whole.
func (l *Rooms) begin(app *im.App, of *group.Group) *room {
	if app == nil {
		app = &im.App{ID: of.App}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if r := l.rooms[of.ID]; r != nil {
		return r
	}
	r := &room{
		id: of.ID, groupID: of.GroupID, app: app, group: of, used: l.clock.Now(),
		members: map[im.AccountID]*member{}, away: map[im.AccountID]struct{}{},
	}
	r.window.Resume(l.past[of.ID])
	delete(l.past, of.ID)
	l.rooms[of.ID] = r
	return r
}

// use notes a call for the room; false: the room was let go meanwhile, and the group has another one.
func (r *room) use(app *im.App, of *group.Group, now time.Time) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.gone {
		return false
	}
	if app != nil {
		r.app = app
	}
	r.group, r.used = of, now
	return true
}

func (l *Rooms) find(id int64) *room {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.rooms[id]
}

// all lists the rooms of this node.
func (l *Rooms) all() []*room {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	all := make([]*room, 0, len(l.rooms))
	for _, r := range l.rooms {
		all = append(all, r)
	}
	return all
}

// keepFor is how long a room that nobody is inside of and in which nothing is said is kept for its ledger.
const keepFor = 3 * time.Minute

// forgetIdle lets go of the rooms that nobody uses any more.
func (l *Rooms) forgetIdle() {
	now := l.clock.Now()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for id, r := range l.rooms {
		r.mutex.Lock()
		if r.idle() && (r.ended || now.Sub(r.used) > r.keptFor()) {
			l.keepSums(r)
			l.forget(r)
			r.gone = true
			delete(l.rooms, id)
		}
		r.mutex.Unlock()
	}
}

// keptFor is how long the room is kept when nobody uses it; the caller holds the mutex.
func (r *room) keptFor() time.Duration {
	if r.backlog.bytes > 0 {
		return backlogFor
	}
	return keepFor
}

// inside is how many accounts and guests are inside on this node; the caller holds the mutex.
func (r *room) inside() int { return len(r.members) + len(r.guests) }

// counted is how many of them are counted for everybody to read, without those that count on another node; the caller holds the mutex.
func (r *room) counted() int64 {
	if r.app != nil && !guestsCount.Of(r.app) {
		return int64(len(r.members) - r.twice.yields)
	}
	return int64(r.inside() - r.twice.yields)
}

// idle reports whether nobody is inside and nothing waits; the caller holds the mutex.
func (r *room) idle() bool {
	return r.inside() == 0 && r.window.Waiting() == 0 && r.news.empty() && len(r.parted) == 0 && len(r.states) == 0
}
