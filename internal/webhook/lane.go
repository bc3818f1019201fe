package webhook

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// laneMost bounds the callbacks of one lane that are held in memory, so that one busy conversation leaves room for
// others.
const laneMost = 32

// lane is the callbacks that go out one after the other.
//
// As long as all goes well they are held here, as they came from the outbox. When one fails, or there are too many, those
// that follow go to rows of their own, and the lane is read from there, from its beginning, until it has caught up. So a
// conversation whose callbacks the back end cannot take costs no memory while it waits, and holds up no other.
type lane struct {
	id      int64
	events  []*waiting
	state   laneState
	due     time.Time // when it is delayed
	stored  bool      // what comes is to be stored behind what is in rows of its own
	pending int       // results of its callbacks that are not recorded yet; the store cannot be read before
}

type laneState int

const (
	idle    laneState = iota // nothing to do
	ready                    // in queue.ready
	calling                  // its first callback is with a worker
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
	if l.stored || len(l.events) >= laneMost {
		q.spill(l, e)
		return
	}
	q.held++
	e.in = l
	at := len(l.events)
	for at > 0 && l.events[at-1].id > e.id && (at > 1 || l.state != calling) { // one that became visible late
		at--
	}
	l.events = append(l.events, nil)
	copy(l.events[at+1:], l.events[at:])
	l.events[at] = e
	if l.state == idle {
		q.next(l)
	}
}

// spill has a callback stored in a row of its own.
func (q *queue) spill(l *lane, e *waiting) {
	l.stored = true
	e.in = l
	q.hand(finished{event: *e, then: moved})
}

// hand gives a result to the recorder, which may itself wait to tell what it has stored.
func (q *queue) hand(r finished) {
	r.event.in.pending++
	for {
		select {
		case q.keep <- r:
			return
		case b := <-q.recorded:
			q.forget(b)
		}
	}
}

// next sees to a lane whose first callback, if it has one, is the next to go out.
func (q *queue) next(l *lane) {
	switch {
	case l.state == calling:
	case len(l.events) > 0:
		l.state = ready
		q.ready = append(q.ready, l)
	case l.stored:
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

// dueBy has the delayed lanes looked through then at the latest.
func (q *queue) dueBy(when time.Time) {
	if when.Before(q.due) {
		q.due = when
	}
}

// loadDue reads the lanes that are to be read from the store, some of them, as far as there is room. There may be many
// that wait, so it looks through them only when one is due.
func (q *queue) loadDue(ctx context.Context) {
	now := time.Now()
	if q.delayed == 0 || q.held >= window || now.Before(q.due) {
		return
	}
	q.due = now.Add(lookEvery)
	reads := 0
	for _, l := range q.lanes {
		switch {
		case l.state != delayed || l.pending > 0: // forget says when it can be read
		case l.due.After(now):
			q.dueBy(l.due)
		case q.held >= window || reads == fetchLanes:
			q.dueBy(now)
			return
		default:
			reads++
			q.load(ctx, l)
		}
	}
}

// load reads the beginning of a lane. One of which nothing is stored any more has caught up.
func (q *queue) load(ctx context.Context, l *lane) {
	found, err := fetchLane(ctx, q.w.db, q.key, l.id, laneMost)
	if err != nil {
		if ctx.Err() == nil {
			q.w.log.Error("read callbacks to deliver", telemetry.FieldError, err)
		}
		q.delay(l, time.Now().Add(lookEvery))
		return
	}
	if len(found) > 0 && time.UnixMilli(found[0].nextAt).After(time.Now()) {
		q.delay(l, time.UnixMilli(found[0].nextAt))
		return
	}
	for _, e := range found {
		e.in = l
	}
	q.delayed--
	l.state, l.events, l.stored = idle, found, len(found) > 0
	q.held += len(found)
	q.next(l)
}

// took goes on after a call.
func (q *queue) took(r finished) {
	q.calling--
	l := r.event.in
	l.state = idle
	switch r.then {
	case postponed:
		q.next(l)
		return
	case again:
		q.hand(r)
		q.park(l, time.UnixMilli(r.event.nextAt))
		return
	case dead:
		q.w.metrics.WebhookDead.Inc()
		q.w.log.Warn("callback is a dead letter", telemetry.FieldWebhook, r.event.command, telemetry.FieldApp, q.key.app,
			telemetry.FieldReason, r.reply)
	}
	q.hand(r)
	q.held--
	l.events[0] = nil
	l.events = l.events[1:]
	q.next(l)
}

// park puts a lane whose first callback failed away until its next attempt.
func (q *queue) park(l *lane, until time.Time) {
	q.held -= len(l.events)
	for _, e := range l.events[1:] {
		if e.pack != nil {
			q.spill(l, e)
		}
	}
	l.events, l.stored = nil, true
	q.delay(l, until)
}

// forget is told what the recorder has stored.
func (q *queue) forget(b *batch) {
	for i := range b.results {
		l := b.results[i].event.in
		if l.pending--; l.pending == 0 && l.state == delayed {
			q.dueBy(l.due)
		}
	}
	for _, id := range b.done {
		delete(q.packs, id)
	}
}
