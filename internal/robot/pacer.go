package robot

import (
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/im"
)

const (
	// pace is the least time between two announcements of one growing answer. Models write faster than people read, and
	// each announcement carries the whole answer.
	pace = 150 * time.Millisecond
	// mostPaced bounds the answers that are paced together; those beyond are announced at every piece.
	mostPaced = 10_000
)

// pacer announces growing answers: at once when nothing was announced lately, otherwise when the pace allows it, the
// latest state only. It forgets an answer that did not grow for a pace, finished or not. It holds announcements only: the
// answers themselves are stored before they come here.
type pacer struct {
	clock *clock.Clock
	mutex sync.Mutex
	held  map[streamID]*paced
}

// streamID names an answer: the robot, the account or the group that it speaks to, and the message's key.
type streamID struct {
	from    string
	app     im.AppID
	to, key string
}

// grown is an answer that has a new piece: the version of its message, and what tells its readers of it.
type grown struct {
	version  int64
	announce func()
}

// paced is an answer that was announced less than a pace ago.
type paced struct{ next *grown }

func newPacer(c *clock.Clock) *pacer { return &pacer{clock: c, held: map[streamID]*paced{}} }

// begun notes that the message itself was pushed just now.
func (p *pacer) begun(id streamID) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hold(id)
}

func (p *pacer) hold(id streamID) {
	if len(p.held) < mostPaced {
		one := &paced{}
		p.held[id] = one
		p.wake(id, one)
	}
}

func (p *pacer) wake(id streamID, one *paced) {
	p.clock.AfterFunc(pace, func() { p.tick(id, one) })
}

// waiting tells whether the latest piece is still to be announced from here.
func (p *pacer) waiting(id streamID) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	one := p.held[id]
	return one != nil && one.next != nil
}

// grown takes an answer that has a new piece. The last piece is announced without waiting.
func (p *pacer) grown(id streamID, e *grown, last bool) {
	if !last && p.keep(id, e) {
		return
	}
	if last {
		p.forget(id)
	}
	e.announce()
}

// keep notes what to announce next, or tells that it can be announced at once.
func (p *pacer) keep(id streamID, e *grown) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	one := p.held[id]
	if one == nil {
		p.hold(id)
		return false
	}
	if one.next == nil || one.next.version < e.version {
		one.next = e
	}
	return true
}

func (p *pacer) forget(id streamID) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.held, id)
}

func (p *pacer) tick(id streamID, one *paced) {
	if next := p.take(id, one); next != nil {
		next.announce()
	}
}

func (p *pacer) take(id streamID, one *paced) *grown {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.held[id] != one { // it was finished meanwhile
		return nil
	}
	next := one.next
	if one.next = nil; next == nil {
		delete(p.held, id)
	} else {
		p.wake(id, one)
	}
	return next
}
