package live

import (
	"log/slog"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// fleet is nodes on one bus, with a room that all of them have.
type fleet struct {
	hands *clock.Manual
	nodes []*Rooms
	dead  map[int]bool
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	b := bus.NewMemory()
	t.Cleanup(func() { _ = b.Close() })
	f := &fleet{hands: clock.NewManual(time.Now()), dead: map[int]bool{}}
	if err := b.Subscribe(bus.Subject{Kind: bus.KindPresence}, f); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		l := New(Parts{
			Bus: b, Clock: f.hands.Clock(), Router: event.NewRouter(b), Log: slog.New(slog.DiscardHandler),
			Node: func() int64 { return int64(i + 1) },
		})
		l.open(&im.App{ID: 1}, &group.Group{ID: 7, App: 1})
		f.nodes = append(f.nodes, l)
	}
	return f
}

// Receive implements [bus.Handler]: all nodes that live hear what one tells.
func (f *fleet) Receive(subject bus.Subject, message []byte) {
	for i, l := range f.nodes {
		if !f.dead[i] {
			l.Receive(subject, message)
		}
	}
}

// enter and leave are of accounts, each with a connection that has the account's number.
func (f *fleet) enter(node int, accounts ...im.AccountID) {
	for _, who := range accounts {
		f.nodes[node].admit(f.nodes[node].find(7), &account.Account{ID: who}, seat{connection: uint64(who), device: im.DeviceID(who)})
	}
}

func (f *fleet) leave(node int, accounts ...im.AccountID) {
	for _, who := range accounts {
		f.nodes[node].takeOut(f.nodes[node].find(7), who, uint64(who))
	}
}

// pass lets seconds go by, in each of which the nodes that live tell the others.
func (f *fleet) pass(seconds int) {
	for range seconds {
		f.hands.Advance(time.Second)
		for i, l := range f.nodes {
			if !f.dead[i] {
				l.tellOthers()
			}
		}
	}
}

// counts has every node that lives say how many are inside.
func (f *fleet) counts(t *testing.T, when string, want int64) {
	t.Helper()
	for i, l := range f.nodes {
		if got := l.Online(7); !f.dead[i] && got != want {
			t.Errorf("%s: node %d counts %d, want %d", when, i+1, got, want)
		}
	}
}

// An account that is inside on several nodes counts once, whatever the order in which its devices come and go, and however long they stay.
func TestCountedOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.enter(1, 1, 2, 3)
	f.pass(2)
	f.counts(t, "three on one node", 3)
	f.enter(0, 3, 4)
	f.enter(2, 3, 1)
	f.pass(3)
	f.counts(t, "two of them on others too", 4)
	f.pass(100)
	f.counts(t, "after a while", 4)
	f.leave(0, 3)
	f.pass(3)
	f.counts(t, "one of three has left", 4)
	f.leave(1, 3)
	f.pass(3)
	f.counts(t, "two of three have left", 4)
	f.leave(2, 3)
	f.pass(3)
	f.counts(t, "the last one has left", 3)
	f.enter(1, 3)
	f.pass(3)
	f.counts(t, "it is back", 4)
}

// Who was inside on a node that is gone is counted no more after half a minute, unless he is inside elsewhere.
func TestKilledNode(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.enter(0, 1, 2, 3)
	f.enter(1, 3, 4)
	f.pass(3)
	f.counts(t, "before", 4)
	f.dead[0] = true
	f.pass(int(believeFor/time.Second) + 2)
	f.counts(t, "after the end of a node", 2)
	if all := f.nodes[1].listedOf(7, 10, 0); len(all) != 2 {
		t.Errorf("%v are listed", all)
	}
	f.enter(1, 1) // the client is back at another node
	f.pass(3)
	f.counts(t, "one is back", 3)
}

// Many who are inside on two nodes count once each, although nodes tell of a part of them at a time.
func TestManyCountedOnce(t *testing.T) {
	t.Parallel()
	const many = 3*toldMost + 5
	f := newFleet(t, 2)
	for n := range im.AccountID(many) {
		f.enter(int(n)%2, n+1)
	}
	f.pass(6)
	for n := range im.AccountID(many) {
		f.enter(int(n+1)%2, n+1)
	}
	f.pass(8)
	f.counts(t, "all are on both nodes", many)
}

// Many who are inside on two nodes leave one of them at once, and nobody waits for that.
func TestManyLeaveAtOnce(t *testing.T) {
	t.Parallel()
	const many = 10_000
	f := newFleet(t, 2)
	r, until := f.nodes[1].find(7), f.hands.Clock().Now().Add(believeFor)
	for n := range im.AccountID(many) {
		f.enter(1, n+1)
		r.mark(n+1, 1, until)
	}
	r.twice.weigh(2)
	if r.twice.yields != many {
		t.Fatalf("%d of %d count on the other node", r.twice.yields, many)
	}
	begin := time.Now()
	for n := range im.AccountID(many) {
		f.leave(1, n+1)
	}
	if took := time.Since(begin); took > 5*time.Second || r.twice.yields != 0 {
		t.Errorf("%d leave in %v, and %d count on the other node still", many, took, r.twice.yields)
	}
}

// An account that is marked as a robot by another node than the one where it is inside stays there when its connection has gone.
func TestRobotOfAnotherNode(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.enter(0, 5)
	f.pass(2)
	m := &marking{Room: 7, Set: true, Marks: map[im.AccountID][]uint32{5: {markRobot}}}
	f.nodes[1].takeRobots(&group.Group{ID: 7, App: 1}, m, map[im.AccountID]bool{5: true})
	f.nodes[1].mark(m)
	f.nodes[1].publish(&presence{Node: 2, Marking: m})
	f.leave(0, 5)
	f.pass(3)
	f.counts(t, "after the connection", 1)
	m.Set = false
	f.nodes[1].mark(m)
	f.nodes[1].publish(&presence{Node: 2, Marking: m})
	f.pass(3)
	f.counts(t, "as a robot no more", 0)
}
