package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
)

// told is a group of three, of whom the third came after the third second, with six messages that the first two said in turn, one
// a second. Everybody was pushed what the others said while he was in.
type toldGroup struct {
	torture *torture
	group   *groupBook
	lines   []groupLine
	start   time.Time
}

func (g *toldGroup) second(n int) time.Time { return g.start.Add(time.Duration(n) * time.Second) }

func newToldGroup(whole bool) *toldGroup {
	t := &torture{report: &TortureReport{}, crowd: newCrowd(0, 1, 0, 1)}
	g := &toldGroup{torture: t, group: &groupBook{id: "g", whole: whole}, start: time.Unix(1_700_000_000, 0)}
	for user, name := range []string{"alice", "bob", "carol"} {
		m := &memberBook{book: newBook(name, "g"), group: g.group, user: user, said: make([]saying, 1)}
		m.stays = []stay{{asked: g.start.Add(-time.Hour), in: g.start.Add(-time.Hour)}}
		g.group.members = append(g.group.members, m)
		t.crowd.links = append(t.crowd.links, &links{all: []link{{from: g.start.Add(-time.Hour)}}})
	}
	g.carol().stays = []stay{{asked: g.second(3).Add(400 * time.Millisecond), in: g.second(3).Add(500 * time.Millisecond)}}
	for i := range 6 {
		g.say(g.group.members[i%2], g.second(i+1))
	}
	return g
}

func (g *toldGroup) alice() *memberBook { return g.group.members[0] }
func (g *toldGroup) carol() *memberBook { return g.group.members[2] }

func (g *toldGroup) say(m *memberBook, at time.Time) {
	number, sequence := m.next(), int64(len(g.lines)+1)
	m.said = append(m.said, saying{at, at.Add(time.Millisecond)})
	m.acked(number, client.Sent{Time: at.Unix(), Sequence: sequence})
	m.tell(number, m.text(number))
	g.lines = append(g.lines, groupLine{sequence: sequence, line: line{from: m.from, text: m.text(number)}})
	for _, to := range g.group.members {
		if to != m && to.stays[0].in.Before(at) {
			to.pushes = append(to.pushes, groupPush{sequence, m, number, at.Add(time.Millisecond)})
		}
	}
}

// judge is what the run finds, when carol reads what is given.
func (g *toldGroup) judge(own []groupLine) *TortureReport {
	r := g.torture.report
	g.torture.checkSaid(g.group, g.lines)
	for _, m := range g.group.members {
		g.torture.checkPushes(m, g.lines)
	}
	if fault := g.carol().readsWrongly(own, g.lines); fault != "" {
		r.find(&r.Differing, "carol: %s", fault)
	}
	return r
}

func TestNothingWrongInAGroup(t *testing.T) {
	g := newToldGroup(false)
	if got := g.judge(g.lines[3:]); !got.Clean() || got.Acked != 6 || got.Unpushed != 0 {
		t.Errorf("%+v", got)
	}
	whole := newToldGroup(true)
	if got := whole.judge(whole.lines); !got.Clean() {
		t.Errorf("%+v", got)
	}
}

// The checker is worth something only if it fails when it should.
func TestEveryFaultOfAGroupIsFound(t *testing.T) {
	for _, row := range []struct {
		name    string
		whole   bool
		spoil   func(g *toldGroup) (own []groupLine)
		count   func(r *TortureReport) int
		finding string
	}{
		{"a message is gone", false, func(g *toldGroup) []groupLine {
			g.lines = slices.Delete(g.lines, 4, 5)
			return g.lines[3:]
		}, func(r *TortureReport) int { return min(r.Missing, r.SequenceBroken, r.Misplaced) }, "sequence 6 where 5 should be"},
		{"a message stands twice", false, func(g *toldGroup) []groupLine {
			again := g.lines[5]
			again.sequence = 7
			g.lines = append(g.lines, again)
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.Duplicated }, "is in the history 2 times"},
		{"two of one sender are swapped", false, func(g *toldGroup) []groupLine {
			g.lines[3].line, g.lines[5].line = g.lines[5].line, g.lines[3].line
			return g.lines[3:]
		}, func(r *TortureReport) int { return min(r.Reordered, r.Misplaced) }, "acknowledged as sequence"},
		{"pushed twice", false, func(g *toldGroup) []groupLine {
			g.carol().pushes = append(g.carol().pushes, g.carol().pushes[2])
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.DeliveredTwice }, "carol was pushed message 6 2 times"},
		{"pushed in another order", false, func(g *toldGroup) []groupLine {
			p := g.carol().pushes
			p[0], p[2] = p[2], p[0]
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.Misplaced }, "carol was pushed message 2 of bob after 3"},
		{"not pushed", false, func(g *toldGroup) []groupLine {
			g.carol().pushes = g.carol().pushes[:2]
			return g.lines[3:]
		}, func(r *TortureReport) int { return min(r.Undelivered, r.Unpushed) }, "carol was there and was not pushed 6"},
		{"pushed before joining", false, func(g *toldGroup) []groupLine {
			g.carol().pushes = slices.Insert(g.carol().pushes, 0, groupPush{2, g.group.members[1], 1, g.second(2).Add(time.Millisecond)})
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.AfterLeaving }, "carol was pushed 1 messages that were said after he had left, 2 among them"},
		{"pushed after leaving", false, func(g *toldGroup) []groupLine {
			s := &g.carol().stays[0]
			s.leaving, s.out = g.second(5).Add(time.Millisecond), g.second(5).Add(2*time.Millisecond)
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.AfterLeaving }, "6 among them"},
		{"a stray", false, func(g *toldGroup) []groupLine {
			g.carol().strays = []string{"who is there"}
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.Phantom }, "nobody has said"},
		{"a hole in one history", false, func(g *toldGroup) []groupLine { return slices.Delete(slices.Clone(g.lines[3:]), 1, 2) },
			func(r *TortureReport) int { return r.Differing }, "not the last ones"},
		{"less than since the join", false, func(g *toldGroup) []groupLine { return g.lines[4:] },
			func(r *TortureReport) int { return r.Differing }, "message 4 was said after he had joined"},
		{"more than since the join", false, func(g *toldGroup) []groupLine { return g.lines[2:] },
			func(r *TortureReport) int { return r.Differing }, "message 3 was said before he joined"},
		{"not all", true, func(g *toldGroup) []groupLine { return g.lines[1:] },
			func(r *TortureReport) int { return r.Differing }, "he may read all of them"},
		{"an edit is undone", false, func(g *toldGroup) []groupLine {
			g.alice().changed(1, func(one *change) { one.edited, one.version = 1, 1 })
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.EditsLost }, "is not what the last edit made of it"},
		{"a recall is undone", false, func(g *toldGroup) []groupLine {
			g.alice().changed(1, func(one *change) { one.recall = acked })
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.RecallsUndone }, "its recall was acknowledged"},
		{"the back end was not told", false, func(g *toldGroup) []groupLine {
			g.alice().told[2] = 0
			return g.lines[3:]
		}, func(r *TortureReport) int { return r.Untold }, "the back end was never told"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newToldGroup(row.whole)
			got := g.judge(row.spoil(g))
			if row.count(got) == 0 || got.Clean() || !strings.Contains(strings.Join(got.Findings, "\n"), row.finding) {
				t.Errorf("%+v, want %q", got.Tally, row.finding)
			}
		})
	}
}

// With a bus that is cut, what is not pushed is no fault, nor is what comes for a moment after a leave.
func TestPushesOverABusAreHints(t *testing.T) {
	g := newToldGroup(false)
	g.torture.Bus = "nats://somewhere"
	g.carol().pushes = g.carol().pushes[:2]
	g.alice().stays[0].out = g.second(2)
	if got := g.judge(g.lines[3:]); got.Unpushed != 1 || got.AfterLeaving != 0 || !got.Clean() {
		t.Errorf("%+v", got)
	}
}

// A member whose connection ended meanwhile, or who was about to leave, need not be pushed anything.
func TestWhoWasNotThereIsOwedNothing(t *testing.T) {
	for name, spoil := range map[string]func(g *toldGroup){
		"a new connection": func(g *toldGroup) {
			g.torture.crowd.links[2].state(client.Disconnected, g.second(6))
			g.torture.crowd.links[2].state(client.Connected, g.second(6).Add(time.Millisecond))
		},
		"about to leave": func(g *toldGroup) { g.carol().stays[0].leaving = g.second(7) },
		"not acknowledged": func(g *toldGroup) {
			g.group.members[1].said[3].acked = time.Time{}
		},
	} {
		g := newToldGroup(false)
		g.carol().pushes = g.carol().pushes[:2]
		spoil(g)
		if got := g.judge(g.lines[3:]); got.Unpushed != 0 || !got.Clean() {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
