package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
)

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
