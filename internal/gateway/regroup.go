package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// A session is in the audiences of the groups that its account is a member of, as the store says. What the bus tells of a
// membership is a hint: it is followed at once, and then the store is asked, because hints of two nodes may come in another
// order than what they tell of was stored in. A leave comes by the group's subject, in the order of what is pushed there, and by
// the account's, for a session that is about to join.

// regroups are the sessions whose groups are being read.
type regroups struct {
	mutex   sync.Mutex
	running map[*Session]*regrouping
}

// regrouping is one session whose groups are being read. stale says that they changed since the reading began, so what is
// read does not count.
type regrouping struct{ stale atomic.Bool }

// begin marks a reading that runs as stale, or begins one.
func (r *regroups) begin(s *Session) (mine *regrouping) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if other := r.running[s]; other != nil {
		other.stale.Store(true)
		return nil
	}
	if r.running == nil {
		r.running = map[*Session]*regrouping{}
	}
	mine = &regrouping{}
	r.running[s] = mine
	return mine
}

// spoil marks a reading that runs as stale.
func (r *regroups) spoil(s *Session) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if other := r.running[s]; other != nil {
		other.stale.Store(true)
	}
}

// again reports whether the reading has to be done once more; otherwise it has ended.
func (r *regroups) again(s *Session, mine *regrouping, failed bool) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if mine.stale.Swap(false) && !failed {
		return true
	}
	delete(r.running, s)
	return false
}

// regroup is told that an account, by its subject, is in a group now, or is not any more.
func (g *Gateway) regroup(account, group bus.Subject, in bool) {
	members := g.hub.members(account)
	for i := range members {
		m := &members[i]
		s := m.session.Load()
		if s == nil {
			continue
		}
		mine := g.regroups.begin(s)
		if in {
			g.joinHinted(s, m.device, group)
		} else {
			g.hub.leave(s, m.device, group)
		}
		if mine != nil {
			g.readGroups(s, mine)
		}
	}
}

// leaveAtOnce takes an account, by its subject, out of a group; the store is asked when the account's subject tells of it too.
func (g *Gateway) leaveAtOnce(account, group bus.Subject) {
	members := g.hub.members(account)
	for i := range members {
		if s := members[i].session.Load(); s != nil {
			g.regroups.spoil(s)
			g.hub.leave(s, members[i].device, group)
		}
	}
}

// empty takes everybody out of a group that is there no more.
func (g *Gateway) empty(group bus.Subject) {
	members := g.hub.members(group)
	for i := range members {
		if s := members[i].session.Load(); s != nil {
			g.regroups.spoil(s)
			g.hub.leave(s, members[i].device, group)
		}
	}
}

// joinHinted joins a group that the store was not asked about yet.
func (g *Gateway) joinHinted(s *Session, d *device, group bus.Subject) {
	err := g.hub.join(s, d, group)
	if err != nil && !errors.Is(err, errOver) && !errors.Is(err, errNotThere) {
		g.log.Warn("join a group", telemetry.FieldSession, s.number, telemetry.FieldSubject, group.String(), telemetry.FieldError, err)
	}
}

// readGroups has a session's groups read by a goroutine of its own, so that the bus does not wait.
func (g *Gateway) readGroups(s *Session, mine *regrouping) {
	if !g.crew.join() {
		g.regroups.again(s, mine, true)
		return
	}
	go func() {
		defer g.crew.done()
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		defer cancel()
		if err := g.joinGroups(ctx, s, mine); err != nil {
			g.log.Warn("join an account's groups", telemetry.FieldSession, s.number, telemetry.FieldError, err)
		}
	}()
}

// enterGroups has the session join its account's groups, unless somebody else does it just now.
func (g *Gateway) enterGroups(ctx context.Context, s *Session) error {
	mine := g.regroups.begin(s)
	if mine == nil {
		return nil
	}
	return g.joinGroups(ctx, s, mine)
}

// joinGroups brings the session into the audiences of just those groups that the store says, and ends the reading.
func (g *Gateway) joinGroups(ctx context.Context, s *Session, mine *regrouping) error {
	for {
		err := g.joinRead(ctx, s, mine)
		if !g.regroups.again(s, mine, err != nil) {
			return err
		}
	}
}

func (g *Gateway) joinRead(ctx context.Context, s *Session, mine *regrouping) error {
	d, kicked := s.loggedIn()
	if d == nil || kicked != 0 {
		return nil
	}
	ids, err := g.groups(ctx, d.Account.ID)
	if err != nil {
		return err
	}
	want := make(map[bus.Subject]bool, len(ids))
	for _, id := range ids {
		want[event.Group(id).Subject()] = true
	}
	for _, subject := range s.subjects() {
		if subject.Kind == bus.KindGroup && !want[subject] {
			g.hub.leaveUnless(s, d, subject, mine.stale.Load)
		}
		delete(want, subject)
	}
	return g.joinAll(ctx, s, d, want, mine)
}

// joinAll joins the audiences, and returns when every node publishes their events here, or when the bus does not answer: a login
// does not wait for it, and the gap that follows has the groups held against the store again.
func (g *Gateway) joinAll(ctx context.Context, s *Session, d *device, want map[bus.Subject]bool, mine *regrouping) error {
	if len(want) == 0 {
		return nil
	}
	for subject := range want {
		err := g.hub.joinUnless(s, d, subject, mine.stale.Load)
		switch {
		case errors.Is(err, errOver), errors.Is(err, errNotThere):
			return nil
		case errors.Is(err, errTooMany): // it has the history of the others
			g.log.WarnContext(ctx, "join groups", telemetry.FieldSession, s.number, telemetry.FieldError, err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return g.hub.awaitBus(ctx)
}

// holdGroups holds the groups of sessions against the store: of all of them, or of that share of them whose turn it is.
func (g *Gateway) holdGroups(ctx context.Context, all bool, turn uint64) {
	var due []*Session
	g.connections.Range(func(each, _ any) bool {
		if s := each.(*Session); all || s.number%groupAuditTurns == turn%groupAuditTurns {
			due = append(due, s)
		}
		return true
	})
	for s := range slices.Values(due) {
		if d, _ := s.loggedIn(); d != nil {
			g.presence.Heard(d.Account.ID, event.WatchesChanged)
		}
		if err := g.enterGroups(ctx, s); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "hold an account's groups against the store", telemetry.FieldSession, s.number, telemetry.FieldError, err)
			return
		}
	}
}

// groupAuditTurns is in how many audits every session's groups are held against the store once, when the bus has no gap.
const groupAuditTurns = 10
