// Package window decides what of a live room's messages is pushed, and when: messages that come in one stretch of time, the
// window, are pushed together, and what is too much for the room's rate is dropped, the lowest priority first.
//
// It does not know what a message is, nor rooms, members or the wire, and takes the time from whoever calls it.
package window

import "time"

// Priority is how much a message matters beside others of its room. The zero Priority is High.
type Priority uint8

// The priorities, the highest first.
const (
	High Priority = iota
	Normal
	Low
	Lowest
	priorities = 4
)

// Priorities lists all of them, the highest first.
func Priorities() []Priority { return []Priority{High, Normal, Low, Lowest} }

// String is the name on the wire.
func (p Priority) String() string {
	return [...]string{"High", "Normal", "Low", "Lowest"}[min(p, Lowest)]
}

// Rate bounds what a room pushes.
type Rate struct {
	// PerSecond is how many messages are pushed in any second at most; below 1 none is.
	PerSecond int
	// Reserved is how many of them are for the priority High alone. 0 reserves none.
	Reserved int
}

// Arrival is a message that came into a room.
type Arrival[T any] struct {
	Priority Priority
	At       time.Time
	Value    T
}

// Window is the stretch that one room is in, with what waits for its end. The zero Window is a quiet room's. It is not safe for
// concurrent use.
type Window[T any] struct {
	Ledger
	waiting []Arrival[T] // in the order in which they came
	counts  [priorities]int
	pushed  []pushed  // of the last second, the oldest first
	closed  time.Time // when the last window ended
}

// pushed is how many messages one window has pushed.
type pushed struct {
	at           time.Time
	high, others int
}

// Waiting is how many messages wait for the end of the window.
func (w *Window[T]) Waiting() int { return len(w.waiting) }

// Add takes a message. When as many wait as can be pushed in a second, the newest of the lowest priority is dropped at once,
// which may be this one; it is returned.
func (w *Window[T]) Add(a Arrival[T], r Rate) (dropped Arrival[T], full bool) {
	w.receive(a.Priority, a.At)
	w.waiting = append(w.waiting, a)
	w.counts[a.Priority]++
	if len(w.waiting) <= max(r.PerSecond, 0) {
		return dropped, false
	}
	for i := len(w.waiting) - 1; i >= 0; i-- {
		if w.waiting[i].Priority == w.lowest() {
			dropped = w.waiting[i]
			w.remove(i)
			break
		}
	}
	w.drop(dropped.Priority, Crowded, a.At)
	return dropped, true
}

// lowest is the lowest priority among those that wait.
func (w *Window[T]) lowest() Priority {
	for p := Lowest; p > High; p-- {
		if w.counts[p] > 0 {
			return p
		}
	}
	return High
}

func (w *Window[T]) remove(i int) {
	w.counts[w.waiting[i].Priority]--
	copy(w.waiting[i:], w.waiting[i+1:])
	last := len(w.waiting) - 1
	w.waiting[last] = Arrival[T]{}
	w.waiting = w.waiting[:last]
}

// Pace is how long windows are.
type Pace struct {
	// Length is the usual length of a window, and High that of one in which a message of the priority High waits; the shorter
	// one counts.
	Length, High time.Duration
}

func (p Pace) length(high bool) time.Duration {
	if high {
		return min(p.Length, p.High)
	}
	return p.Length
}

// Due is when the window ends; of a room in which the last one has ended long ago, now. It is zero if nothing waits.
func (w *Window[T]) Due(now time.Time, p Pace) time.Time {
	if len(w.waiting) == 0 {
		return time.Time{}
	}
	due := w.closed.Add(p.length(w.counts[High] > 0))
	if due.Before(now) {
		return now
	}
	return due
}

const (
	// late is how much later than it was due a window may be closed and count as closed in time, so that timers that are a
	// little late do not take from the rate.
	late = 20 * time.Millisecond
	// patience is how long a message waits that the rate has no room for, if few do.
	patience = time.Second
	// carriedPart is the part of the rate that may wait for the next window.
	carriedPart = 8
)

// Close ends the window at its time, due, and returns what is pushed and what is dropped, each in the order in which it came. A few
// messages above the rate wait for the next window, as those who send at just the rate never hit the second. No message is
// pushed while one of a higher priority that waited with it is not.
func (w *Window[T]) Close(now, due time.Time, r Rate) (out, dropped []Arrival[T]) {
	at := now
	if now.After(due) && now.Sub(due) <= late && due.After(w.closed) {
		at = due
	}
	w.forget(at)
	w.closed = at
	verdicts := w.judge(now, r)
	left := w.waiting[:0]
	var count pushed
	for i, a := range w.waiting {
		switch verdicts[i] {
		case goes:
			out = append(out, a)
			w.push(a.Priority, now)
			count.add(a.Priority)
		case waits:
			left = append(left, a)
			continue
		case falls:
			dropped = append(dropped, a)
			w.drop(a.Priority, OverRate, now)
		}
		w.counts[a.Priority]--
	}
	clear(w.waiting[len(left):])
	w.waiting = left
	if len(out) > 0 {
		count.at = at
		w.pushed = append(w.pushed, count)
	}
	return out, dropped
}

func (c *pushed) add(p Priority) {
	if p == High {
		c.high++
	} else {
		c.others++
	}
}

// verdict is what becomes of a message at the end of a window. The zero verdict drops it.
type verdict uint8

const (
	falls verdict = iota
	goes
	waits
)

// judge decides on all that wait: the highest priority first, and of one priority the oldest.
func (w *Window[T]) judge(now time.Time, r Rate) []verdict {
	verdicts := make([]verdict, len(w.waiting))
	high, others := w.used()
	all := max(r.PerSecond-high-others, 0)
	unreserved := max(r.PerSecond-max(r.Reserved, 0)-others, 0)
	carried := max(r.PerSecond/carriedPart, 1)
	for _, p := range Priorities() {
		for i, a := range w.waiting {
			switch {
			case a.Priority != p:
			case all > 0 && (p == High || unreserved > 0):
				verdicts[i] = goes
				all--
				if p != High {
					unreserved--
				}
			case carried > 0 && now.Sub(a.At) < patience:
				verdicts[i] = waits
				carried--
			default: // what is of the same priority and came later does not wait either
				carried = 0
			}
		}
	}
	return verdicts
}

// used is how many were pushed in the last second.
func (w *Window[T]) used() (high, others int) {
	for _, one := range w.pushed {
		high, others = high+one.high, others+one.others
	}
	return high, others
}

// forget leaves out what was pushed a second ago or earlier. A clock that was set back makes all of it be pushed now.
func (w *Window[T]) forget(now time.Time) {
	kept := w.pushed[:0]
	for _, one := range w.pushed {
		if one.at.After(now) {
			one.at = now
		}
		if now.Sub(one.at) < time.Second {
			kept = append(kept, one)
		}
	}
	w.pushed = kept
}

// Empty drops all that waits, as the room has ended, and returns it.
func (w *Window[T]) Empty(now time.Time) []Arrival[T] {
	dropped := w.waiting
	for _, a := range dropped {
		w.drop(a.Priority, Ended, now)
	}
	w.waiting, w.counts = nil, [priorities]int{}
	return dropped
}
