package live

import (
	"testing"

	"github.com/magpie-im/magpie/internal/live/window"
)

// Nodes share a room's rate by what came to each of them, the highest priorities first.
func TestShareOfARate(t *testing.T) {
	rate := window.Rate{PerSecond: 40, Reserved: 10}
	for _, row := range []struct {
		what           string
		share          share
		rate, reserved int
	}{
		{"a room that only this node has", share{here: traffic{0, 100, 0, 0}, all: traffic{0, 100, 0, 0}}, 40, 10},
		{"half of it", share{here: traffic{0, 100, 0, 0}, all: traffic{0, 200, 0, 0}, shared: true}, 20, 10},
		{"a quarter, and none of High", share{here: traffic{0, 100, 0, 0}, all: traffic{4, 400, 0, 0}, shared: true}, 9, 0},
		{"all of High, and more than the rate of others", share{here: traffic{30, 0, 0, 0}, all: traffic{30, 500, 0, 0}, shared: true}, 30, 10},
		{"a lower one, for which nothing is left", share{here: traffic{0, 0, 50, 0}, all: traffic{50, 0, 50, 0}, shared: true}, 5, 0},
		{"less than the rate in all", share{here: traffic{0, 10, 0, 0}, all: traffic{0, 20, 0, 0}, shared: true}, 30, 10},
		{"nothing here yet", share{all: traffic{0, 80, 0, 0}, shared: true}, 5, 5},
	} {
		row.share.here[window.High] = min(row.share.here[window.High], row.share.all[window.High])
		if got := row.share.of(rate); got.PerSecond != row.rate || got.Reserved != row.reserved {
			t.Errorf("%s: %+v, want %d and %d", row.what, got, row.rate, row.reserved)
		}
	}
	one := share{all: traffic{0, 9, 0, 0}, shared: true}
	if got := one.of(window.Rate{PerSecond: 1}); got.PerSecond != 1 {
		t.Errorf("of one message a second: %+v", got)
	}
}

// Two nodes to which a room's messages come push the room's rate together within two seconds, and the one that is left all of it when the
// other is gone.
func TestNodesShareARate(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	seconds := func(n int, came ...int) (together int) {
		for range n {
			for node, messages := range came {
				r := f.nodes[node].find(7)
				for range messages {
					r.window.Add(window.Arrival[*spoken]{Priority: window.Normal, At: f.hands.Clock().Now()}, window.Rate{PerSecond: 1000})
				}
			}
			f.pass(1)
		}
		for i, l := range f.nodes {
			if !f.dead[i] {
				together += l.find(7).rate().PerSecond
			}
		}
		return together
	}
	if got := seconds(1, 60, 60); got != 40+20 {
		t.Errorf("%d at first, when one has heard of the other; want 60", got)
	}
	if got := seconds(3, 60, 60); got != 40 {
		t.Errorf("%d together, want 40", got)
	}
	if got := seconds(3, 90, 30); got != 40 || f.nodes[0].find(7).rate().PerSecond != 30 {
		t.Errorf("%d together, %d of them at the first node", got, f.nodes[0].find(7).rate().PerSecond)
	}
	if got := seconds(2, 90, 0); got != 40+5 {
		t.Errorf("%d together, and one has nothing; want 45", got)
	}
	f.dead[1] = true
	if got := seconds(5, 90); got != 40 {
		t.Errorf("%d of the node that is left, want 40", got)
	}
}
