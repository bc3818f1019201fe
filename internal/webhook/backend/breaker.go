package backend

import (
	"sync"
	"time"
)

// breaker stops calling a back end that does not answer, and tries with single calls whether it does again. It opens
// when most of the last calls failed, so that one bad answer among many good ones does not open it.
type breaker struct {
	mutex   sync.Mutex
	url     string
	outcome [breakerWindow]bool // true is a failure
	counted int
	next    int
	failed  int
	state   breakerState
	opens   int // times in a row that it opened
	until   time.Time
}

type breakerState int

// The states, in the numbers of the metric.
const (
	closed   breakerState = iota // calls go through
	halfOpen                     // one call is under way to try
	open                         // no calls
)

const (
	breakerWindow = 20
	// breakerLeast is how many calls must have failed, whatever their share is.
	breakerLeast = 5
	breakerFirst = time.Second
	breakerMost  = 30 * time.Second
)

// to says where the calls go from now on. How they went elsewhere counts no more.
func (b *breaker) to(url string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.url != url {
		b.url = url
		b.reset()
	}
}

// reset closes the breaker and forgets all calls.
func (b *breaker) reset() {
	b.state, b.opens, b.counted, b.next, b.failed = closed, 0, 0, 0, 0
}

// allow reports whether a call may be made now. Whoever is allowed must report.
func (b *breaker) allow(now time.Time) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case b.state == closed:
		return true
	case b.state == open && !now.Before(b.until):
		b.state = halfOpen
		return true
	}
	return false
}

// reopens is when the next call may be tried; the past when it may be now.
func (b *breaker) reopens() time.Time {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.state == closed {
		return time.Time{}
	}
	return b.until
}

// report counts a call's outcome.
func (b *breaker) report(ok bool, now time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch {
	case b.state == closed:
		b.count(!ok)
		if b.failed >= breakerLeast && 2*b.failed >= b.counted {
			b.open(now)
		}
	case ok:
		b.reset()
	case b.state == halfOpen:
		b.open(now)
	}
}

func (b *breaker) count(failure bool) {
	if b.counted < breakerWindow {
		b.counted++
	} else if b.outcome[b.next] {
		b.failed--
	}
	b.outcome[b.next] = failure
	b.next = (b.next + 1) % breakerWindow
	if failure {
		b.failed++
	}
}

func (b *breaker) open(now time.Time) {
	wait := min(breakerFirst<<min(b.opens, 10), breakerMost)
	b.opens++
	b.state, b.until = open, now.Add(wait)
}

func (b *breaker) now() breakerState {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.state
}
