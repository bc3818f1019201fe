package clock

import (
	"slices"
	"sync"
	"time"
)

// Manual is a clock that stands until a test moves it. It is safe for concurrent use.
type Manual struct {
	mutex   sync.Mutex
	wall    time.Time     // what Now tells
	elapsed time.Duration // what timers count; Set does not move it
	waits   []*wait       // by end, and in the order in which they were made
}

// NewManual makes a clock that stands at a moment.
func NewManual(at time.Time) *Manual { return &Manual{wall: at} }

// Clock returns the clock for those who only read it.
func (m *Manual) Clock() *Clock { return &Clock{manual: m} }

func (m *Manual) now() time.Time {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.wall
}

// Advance lets time pass, and ends the timers that are due on the way, each at its own moment and in their order.
func (m *Manual) Advance(d time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	until := m.elapsed + max(d, 0)
	for len(m.waits) > 0 && m.waits[0].end <= until {
		next := m.waits[0]
		m.pass(next.end - m.elapsed)
		m.waits = m.waits[1:]
		if next.every > 0 {
			next.end += next.every
			m.insert(next)
		} else {
			next.over = true
		}
		next.due(m.wall)
	}
	m.pass(until - m.elapsed)
}

func (m *Manual) pass(d time.Duration) {
	m.elapsed += d
	m.wall = m.wall.Add(d)
}

// Set makes the clock show another time, as an operator or a time server does who sets it: forward or back, and no timer
// ends by it.
func (m *Manual) Set(to time.Time) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.wall = to
}

// Waiting is how many timers have not ended. A test that advances the clock waits first until what it expects waits.
func (m *Manual) Waiting() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.waits)
}

// wait is a timer of a Manual.
type wait struct {
	of    *Manual
	end   time.Duration // in elapsed
	every time.Duration // 0: it ends once
	over  bool
	due   func(now time.Time) // must not block
}

func (m *Manual) add(d, every time.Duration, due func(time.Time)) *wait {
	w := &wait{of: m, every: every, due: due, over: true}
	w.reset(d)
	return w
}

// insert keeps the order of waits; the caller holds the mutex.
func (m *Manual) insert(w *wait) {
	at, _ := slices.BinarySearchFunc(m.waits, w.end, func(other *wait, end time.Duration) int {
		if other.end <= end {
			return -1
		}
		return 1
	})
	m.waits = slices.Insert(m.waits, at, w)
}

func (w *wait) stop() bool {
	w.of.mutex.Lock()
	defer w.of.mutex.Unlock()
	return w.remove()
}

// remove takes a wait out; the caller holds the mutex.
func (w *wait) remove() bool {
	if w.over {
		return false
	}
	w.over = true
	w.of.waits = slices.DeleteFunc(w.of.waits, func(other *wait) bool { return other == w })
	return true
}

func (w *wait) reset(d time.Duration) bool {
	m := w.of
	m.mutex.Lock()
	defer m.mutex.Unlock()
	before := w.remove()
	w.over = false
	if d <= 0 && w.every == 0 { // it is due already
		w.over = true
		w.due(m.wall)
		return before
	}
	w.end = m.elapsed + d
	m.insert(w)
	return before
}
