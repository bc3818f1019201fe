package window_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/live/window"
)

type room = window.Window[int]

var begin = time.Unix(1_800_000_000, 0)

// decision is what one end of a window made of the messages that waited.
type decision struct {
	at           time.Time
	out, dropped []window.Arrival[int]
}

// played is a room's life under a random pattern of arrivals.
type played struct {
	room      room
	rate      window.Rate
	arrived   []window.Arrival[int]
	crowded   []window.Arrival[int]
	decisions []decision
}

// play sends a random pattern through a window: quiet stretches, steady ones and bursts, of priorities with random weights.
func play(random *rand.Rand) *played {
	p := &played{rate: window.Rate{PerSecond: 1 + random.IntN(60)}}
	p.rate.Reserved = random.IntN(p.rate.PerSecond + 1)
	pace := window.Pace{Length: []time.Duration{100, 250, 500}[random.IntN(3)] * time.Millisecond, High: 100 * time.Millisecond}
	now, lean := begin, 1+random.IntN(4)
	for i := range 1500 {
		now = now.Add(gap(random))
		p.closeUntil(now, pace, random, 60)
		p.add(window.Arrival[int]{Priority: window.Priority(random.IntN(lean)), At: now, Value: i})
		p.closeUntil(now, pace, random, 60)
	}
	p.closeUntil(now.Add(5*time.Second), pace, random, 60)
	return p
}

// gap is the time until the next arrival.
func gap(random *rand.Rand) time.Duration {
	switch random.IntN(20) {
	case 0:
		return time.Duration(random.IntN(1500)) * time.Millisecond
	case 1, 2, 3, 4, 5:
		return time.Duration(random.IntN(25)) * time.Millisecond
	}
	return time.Duration(random.IntN(3)) * time.Millisecond
}

func (p *played) add(a window.Arrival[int]) {
	p.arrived = append(p.arrived, a)
	if dropped, full := p.room.Add(a, p.rate); full {
		p.crowded = append(p.crowded, dropped)
	}
}

// closeUntil ends the windows that are due, some of them late by less than so many milliseconds.
func (p *played) closeUntil(until time.Time, pace window.Pace, random *rand.Rand, atMost int) {
	last := begin
	if n := len(p.decisions); n > 0 {
		last = p.decisions[n-1].at
	}
	for {
		due := p.room.Due(last, pace)
		if due.IsZero() || due.After(until) {
			return
		}
		at := due
		if random.IntN(4) == 0 {
			at = at.Add(time.Duration(random.IntN(atMost)) * time.Millisecond)
		}
		if at.After(until) {
			at = until
		}
		out, dropped := p.room.Close(at, due, p.rate)
		p.decisions = append(p.decisions, decision{at: at, out: out, dropped: dropped})
		last = at
	}
}

func each(t *testing.T, hold func(t *testing.T, p *played)) {
	t.Helper()
	for seed := range uint64(40) {
		p := play(rand.New(rand.NewPCG(seed, 7)))
		if hold(t, p); t.Failed() {
			t.Fatalf("seed %d, rate %+v", seed, p.rate)
		}
	}
}

// Timers that are a little late count as in time, so a second may hold what the lateness adds to it.
const late = 20 * time.Millisecond

func TestNeverAboveTheRate(t *testing.T) {
	each(t, func(t *testing.T, p *played) {
		for i, from := range p.decisions {
			high, others := 0, 0
			for _, d := range p.decisions[i:] {
				if d.at.Sub(from.at) >= time.Second-late {
					break
				}
				for _, a := range d.out {
					if a.Priority == window.High {
						high++
					} else {
						others++
					}
				}
			}
			if high+others > p.rate.PerSecond || others > p.rate.PerSecond-p.rate.Reserved {
				t.Fatalf("%d of High and %d others in the second from %v", high, others, from.at)
			}
		}
	})
}

func TestNoLowerPriorityBeforeAHigherOne(t *testing.T) {
	each(t, func(t *testing.T, p *played) {
		for _, d := range p.decisions {
			for _, fell := range d.dropped {
				for _, went := range d.out {
					if went.Priority > fell.Priority {
						t.Fatalf("%v was pushed when %v was dropped", went, fell)
					}
					if went.Priority == fell.Priority && went.Value > fell.Value {
						t.Fatalf("%v was pushed when %v of the same priority, which came before, was dropped", went, fell)
					}
				}
			}
		}
	})
}

// Of those that are dropped at once because too many wait, no other is lower.
func TestCrowdedDropsTheLowest(t *testing.T) {
	var w room
	rate := window.Rate{PerSecond: 3}
	for i, p := range []window.Priority{window.Low, window.Lowest, window.High} {
		if _, full := w.Add(window.Arrival[int]{Priority: p, At: begin, Value: i}, rate); full {
			t.Fatalf("message %d was dropped", i)
		}
	}
	for i, want := range []int{1, 0, 12} {
		dropped, full := w.Add(window.Arrival[int]{Priority: window.High, At: begin, Value: 10 + i}, rate)
		if !full || dropped.Value != want {
			t.Fatalf("dropped %v (%v), want message %d", dropped, full, want)
		}
	}
	out, dropped := w.Close(begin, begin, rate)
	if len(out) != 3 || len(dropped) != 0 || out[0].Value != 2 || out[2].Value != 11 {
		t.Fatalf("out %v, dropped %v", out, dropped)
	}
}

func TestEveryMessageHasOneEnd(t *testing.T) {
	each(t, func(t *testing.T, p *played) {
		var ends []int
		order := -1
		for _, d := range p.decisions {
			if !slices.IsSortedFunc(d.out, func(x, y window.Arrival[int]) int { return x.Value - y.Value }) {
				t.Fatalf("pushed out of order: %v", d.out)
			}
			for _, a := range slices.Concat(d.out, d.dropped) {
				ends = append(ends, a.Value)
				order = max(order, a.Value)
			}
		}
		for _, a := range p.crowded {
			ends = append(ends, a.Value)
		}
		slices.Sort(ends)
		if p.room.Waiting() != 0 || len(ends) != len(p.arrived) || len(slices.Compact(ends)) != len(p.arrived) {
			t.Fatalf("%d messages came, %d ended, %d wait", len(p.arrived), len(ends), p.room.Waiting())
		}
	})
}

func TestLedgerIsExact(t *testing.T) {
	each(t, func(t *testing.T, p *played) {
		var want window.Account
		for _, a := range p.arrived {
			want.Of(a.Priority).Received++
		}
		for _, a := range p.crowded {
			want.Of(a.Priority).Dropped[window.Crowded]++
		}
		for _, d := range p.decisions {
			for _, a := range d.out {
				want.Of(a.Priority).Pushed++
			}
			for _, a := range d.dropped {
				want.Of(a.Priority).Dropped[window.OverRate]++
			}
		}
		if got := p.room.Total(); got != want {
			t.Fatalf("the ledger says %+v, want %+v", got, want)
		}
		all := want.All()
		if all.Received != all.Pushed+all.Drops() {
			t.Fatalf("sums differ: %+v", all)
		}
	})
}

func TestLedgerKnowsTheLastSeconds(t *testing.T) {
	var w room
	rate := window.Rate{PerSecond: 1}
	for i := range 400 {
		at := begin.Add(time.Duration(i) * time.Second)
		w.Add(window.Arrival[int]{At: at, Value: i}, rate)
		w.Close(at, at, rate)
	}
	seconds := w.Since(0)
	if len(seconds) != 180 || seconds[0].At != begin.Unix()+220 || seconds[179].At != begin.Unix()+399 {
		t.Fatalf("%d seconds are known", len(seconds))
	}
	if recent := w.Since(begin.Unix() + 398); len(recent) != 2 || recent[0].All().Pushed != 1 {
		t.Fatalf("the last two seconds: %+v", recent)
	}
}

// Whoever sends at just the rate loses nothing, although windows and seconds do not meet.
func TestASteadyRateLosesNothing(t *testing.T) {
	for _, length := range []time.Duration{100, 250, 500} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			p := &played{rate: window.Rate{PerSecond: 40}}
			random := rand.New(rand.NewPCG(1, 2))
			pace := window.Pace{Length: length * time.Millisecond, High: 100 * time.Millisecond}
			for i := range 4000 {
				now := begin.Add(time.Duration(i)*25*time.Millisecond + time.Duration(random.IntN(8))*time.Millisecond)
				p.closeUntil(now, pace, rand.New(rand.NewPCG(3, uint64(i))), 15)
				p.add(window.Arrival[int]{Priority: window.Normal, At: now, Value: i})
			}
			if all := p.room.Total(); all.Of(window.Normal).Drops() > 0 {
				t.Fatalf("%d of %d were dropped", all.Of(window.Normal).Drops(), len(p.arrived))
			}
		})
	}
}

func TestWhenAWindowEnds(t *testing.T) {
	pace := window.Pace{Length: 250 * time.Millisecond, High: 100 * time.Millisecond}
	rate := window.Rate{PerSecond: 40}
	var w room
	if due := w.Due(begin, pace); !due.IsZero() {
		t.Fatalf("an empty window is due at %v", due)
	}
	add := func(p window.Priority, at time.Time) { w.Add(window.Arrival[int]{Priority: p, At: at}, rate) }
	add(window.Low, begin)
	if due := w.Due(begin, pace); !due.Equal(begin) {
		t.Fatalf("the first message of a quiet room is due at %v", due)
	}
	w.Close(begin, begin, rate)
	add(window.Low, begin.Add(time.Millisecond))
	if due := w.Due(begin.Add(time.Millisecond), pace); due.Sub(begin) != 250*time.Millisecond {
		t.Fatalf("the next window ends after %v", due.Sub(begin))
	}
	add(window.High, begin.Add(2*time.Millisecond))
	if due := w.Due(begin.Add(2*time.Millisecond), pace); due.Sub(begin) != 100*time.Millisecond {
		t.Fatalf("a message of high priority ends the window after %v", due.Sub(begin))
	}
}

func TestEmptyAndClockSetBack(t *testing.T) {
	var w room
	rate := window.Rate{PerSecond: 2}
	for i := range 2 {
		w.Add(window.Arrival[int]{At: begin, Value: i}, rate)
	}
	w.Close(begin, begin, rate)
	back := begin.Add(-time.Hour)
	w.Add(window.Arrival[int]{At: back, Value: 2}, rate)
	if out, _ := w.Close(back, back, rate); len(out) != 0 {
		t.Fatalf("the clock that was set back let %v pass", out)
	}
	if out, _ := w.Close(back.Add(999*time.Millisecond), back, rate); len(out) != 0 {
		t.Fatalf("within the second the room pushes %v", out)
	}
	if out, _ := w.Close(back.Add(time.Second), back, rate); len(out) != 1 {
		t.Fatalf("a second later the room pushes %v", out)
	}
	w.Add(window.Arrival[int]{At: back.Add(3 * time.Second), Value: 4}, rate)
	if dropped := w.Empty(back); len(dropped) == 0 || w.Waiting() != 0 {
		t.Fatalf("emptied %v", dropped)
	}
	all := w.Total().All()
	if all.Received != all.Pushed+all.Drops() || all.Dropped[window.Ended] == 0 {
		t.Fatalf("the ledger says %+v", all)
	}
}
