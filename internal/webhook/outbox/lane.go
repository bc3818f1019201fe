package outbox

import (
	"slices"
	"time"
)

// laneMost bounds the callbacks of one lane that are held in memory, so that one busy chat leaves room for
// others.
const laneMost = 32

// lane is the callbacks that go out one after the other.
//
// While no attempt fails, the callbacks are held here, as they came from the outbox. When one fails, or there are too many,
// those that follow go to rows of their own, and the lane is read from there, from its beginning, until it has caught up.
// So a chat whose callbacks the back end cannot take costs no memory while it waits, and holds up no other.
type lane struct {
	id        int64
	callbacks []*waiting
	state     laneState
	due       time.Time // when it is delayed
	spilled   bool      // callbacks that come are stored behind those in rows of their own
	pending   int       // results of its callbacks that are not recorded yet; the store cannot be read before
	passed    int64     // the newest that arrived before one with a smaller id
	trial               // of its first callback
}

type laneState int

const (
	idle    laneState = iota // nothing to do
	ready                    // in queue.ready
	calling                  // its callback no. tried is being called
	delayed                  // until due; then it is read from the store
)

// lane returns the lane of that id.
func (q *queue) lane(id int64) *lane {
	l := q.lanes[id]
	if l == nil {
		l = &lane{id: id}
		q.lanes[id] = l
	}
	return l
}

// add puts a callback from the outbox into its lane.
func (q *queue) add(e *waiting) {
	l := q.lane(e.lane)
	if l.spilled || len(l.callbacks) >= laneMost {
		q.spill(l, e)
		return
	}
	q.held++
	e.in = l
	at := len(l.callbacks)
	for at > 0 && l.callbacks[at-1].id > e.id && (at > 1 || l.state != calling) { // one that became visible late
		at--
	}
	l.callbacks = append(l.callbacks, nil)
	copy(l.callbacks[at+1:], l.callbacks[at:])
	l.callbacks[at] = e
	if l.state == idle {
		q.next(l)
	}
}

// spill has a callback stored in a row of its own.
func (q *queue) spill(l *lane, e *waiting) {
	l.spilled = true
	e.in = l
	q.keep(finished{callback: *e, then: moved})
}

// keep has a result recorded.
func (q *queue) keep(r finished) {
	r.callback.in.pending++
	q.unrecorded = append(q.unrecorded, r)
}

// next makes a lane ready whose first callback, if it has one, is the next to be delivered.
func (q *queue) next(l *lane) {
	switch {
	case l.state == calling:
	case len(l.callbacks) > 0:
		l.state = ready
		q.ready = append(q.ready, l)
	case l.spilled:
		q.delay(l, time.Time{})
	default:
		delete(q.lanes, l.id)
	}
}

func (q *queue) delay(l *lane, until time.Time) {
	if l.state != delayed {
		q.delayed++
	}
	l.state, l.due = delayed, until
	q.dueBy(until)
}

// dueBy has the delayed lanes looked through at that time at the latest.
func (q *queue) dueBy(when time.Time) {
	if when.Before(q.due) {
		q.due = when
	}
}

// took takes the result of a call.
func (q *queue) took(r finished) {
	q.calling--
	l := r.callback.in
	l.state = idle
	switch r.then {
	case postponed:
		q.goBack(l)
	case again:
		q.failedAgain(l, r)
	case dead:
		q.bury(l, r)
	default:
		q.delivered(l, r)
	}
}

// remove takes the callback that was called out of memory.
func (q *queue) remove(l *lane, r finished) {
	q.keep(r)
	q.held--
	l.callbacks = slices.Delete(l.callbacks, l.tried, l.tried+1)
}

// park leaves a lane in the store until the next attempt of its first callback.
func (q *queue) park(l *lane) {
	until := time.UnixMilli(l.callbacks[0].nextAt)
	q.held -= len(l.callbacks)
	for _, e := range l.callbacks[1:] {
		if e.pack != nil {
			q.spill(l, e)
		}
	}
	l.callbacks, l.spilled, l.trial = nil, true, trial{}
	q.delay(l, until)
}
