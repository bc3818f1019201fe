package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/magpietest"
)

// The checker of logins is worth something only if it fails when it should: each row makes the run believe, or the server
// do, what is not so.
func TestEveryFaultOfALoginIsFound(t *testing.T) {
	for _, row := range []struct {
		name    string
		spoil   func(t *testing.T, s *magpietest.Server, b *loginBook)
		want    LoginTally
		finding string
	}{
		{"nothing", func(*testing.T, *magpietest.Server, *loginBook) {}, LoginTally{}, ""},
		{"served and back after its end", func(_ *testing.T, _ *magpietest.Server, b *loginBook) {
			b.logins[0].end(now().Add(-time.Minute), "a kick")
		}, LoginTally{Served: 1, Returned: 1}, "answered 1m0s after a kick"},
		{"back after its end", func(_ *testing.T, _ *magpietest.Server, b *loginBook) {
			b.logins[0].on.close()
			b.logins[0].end(now(), "a kick")
		}, LoginTally{Returned: 1}, "came back by its token after a kick"},
		{"served on the connection before", func(t *testing.T, s *magpietest.Server, b *loginBook) {
			b.logins[0].on.end(now().Add(-time.Minute), "a return") // there was none
		}, LoginTally{Served: 1}, "answered 1m0s after a return"},
		{"refused", func(t *testing.T, s *magpietest.Server, b *loginBook) {
			s.MustREST(t, "im_open_login_svc/kick", magpietest.M{"UserID": b.user}, nil) // of which the run knows nothing
		}, LoginTally{Refused: 1}, "its return was refused"},
		{"nobody to write to", func(t *testing.T, s *magpietest.Server, b *loginBook) {
			b.logins[0].end(now(), "a deletion")
			s.MustREST(t, "im_open_login_svc/account_delete", magpietest.M{"DeleteItem": []magpietest.M{{"UserID": b.user}}}, nil)
		}, LoginTally{Unserved: 1}, "could not be written to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := magpietest.Enter(t)
			run := &torture{report: &TortureReport{}, crowd: newCrowd(0, 1, 0, 1)}
			run.stage = &stage{app: im.AppID(s.AppID), key: s.Key, nodes: []*node{{address: strings.TrimPrefix(s.URL, "http://")}}}
			b := &loginBook{user: "alice", of: run, chance: newChance(1, row.name, 0)}
			run.accounts = []*loginBook{b}
			s.Import(t, "alice")
			in := b.comeIn(0)
			for in.note(in.do(t.Context())); b.logins[0].expires.Sub(now()) < time.Minute; in.note(in.do(t.Context())) {
				b.logins, b.sessions = nil, nil
				in = b.comeIn(0)
			}
			row.spoil(t, s, b)
			run.checkLogins(t.Context())
			got := run.report.LoginTally
			got.Logins = 0
			if got != row.want || row.finding != "" && !strings.Contains(strings.Join(run.report.Findings, "\n"), row.finding) {
				t.Errorf("found %+v and %q, want %+v and %q", got, run.report.Findings, row.want, row.finding)
			}
		})
	}
}

// What was done to messages is held against the history.
func TestEveryFaultOfAChangeIsFound(t *testing.T) {
	sent := client.Sent{Time: 1}
	for _, row := range []struct {
		name  string
		spoil func(b *book, lines []line)
		want  ChangeTally
	}{
		{"nothing", func(*book, []line) {}, ChangeTally{}},
		{"recall undone", func(_ *book, lines []line) { lines[0].recalled = false }, ChangeTally{RecallsUndone: 1}},
		{"edit lost", func(b *book, lines []line) { lines[1].text = b.text(2) }, ChangeTally{EditsLost: 1}},
		{"an edit of nobody", func(b *book, lines []line) { lines[1].text = b.edit(2, 4) }, ChangeTally{EditsLost: 1}},
		{"an edit that may have been made", func(b *book, lines []line) {
			lines[1].text = b.edit(2, 3)
			b.changed(2, func(one *change) { one.version = 3 })
		}, ChangeTally{}},
		{"mark gone back", func(b *book, _ []line) { b.back = append(b.back, "the mark") }, ChangeTally{MarksBack: 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBook("alice", "bob")
			for number := 1; number <= 3; number++ {
				b.acked(b.next(), sent)
			}
			b.changed(1, func(one *change) { one.recall = acked })
			b.changed(2, func(one *change) { one.edited, one.version = 2, 2 })
			lines := []line{{"alice", b.text(1), true}, {"alice", b.edit(2, 2), false}, {"alice", b.text(3), false}}
			row.spoil(b, lines)
			var got Tally
			got.checkChanges(b, lines)
			got.Recalled, got.Edited = 0, 0
			if got.ChangeTally != row.want || got.Clean() != (row.want.faults() == 0) {
				t.Errorf("found %+v, want %+v", got.ChangeTally, row.want)
			}
		})
	}
}

// A seed gives each actor the same draws again, whatever the others draw in between.
func TestASeedRepeatsItsDraws(t *testing.T) {
	draw := func(seed uint64, actor string, others bool) (drawn []time.Duration) {
		c, other := newChance(seed, actor, 1), newChance(seed, actor, 2)
		for range 5 {
			if others {
				other.Uint64()
			}
			drawn = append(drawn, c.between(time.Second, time.Minute))
		}
		return drawn
	}
	first := draw(7, "kills", false)
	if again := draw(7, "kills", true); !slices.Equal(first, again) {
		t.Errorf("drew %v, then %v", first, again)
	}
	for _, other := range [][]time.Duration{draw(8, "kills", false), draw(7, "account", false)} {
		if slices.Equal(first, other) {
			t.Errorf("another seed or actor draws %v too", other)
		}
	}
}
