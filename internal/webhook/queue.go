package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	// window is how many callbacks of one address are held in memory; the others wait in the store. One row's callbacks
	// may come on top.
	window = 512
	// fetchRows is how many rows of the outbox are read at once.
	fetchRows = 64
	// fetchLanes is how many lanes with failed callbacks are read at once.
	fetchLanes = 64
	// lastCalls is how long calls under way may still take when the node stops.
	lastCalls = time.Second
	// settleTime is how much later a transaction may become visible than its ids were drawn.
	settleTime = 5 * time.Second

	// yieldAbove is how many writes must wait for their commits for the server to count as busy.
	yieldAbove = 32
	yieldFor   = 20 * time.Millisecond
)

// queue delivers the callbacks of one address: several at once, but of a lane one after the other. One goroutine runs it
// and owns all fields; workers and the recorder talk to it by channels.
type queue struct {
	w        *Webhooks
	key      queueKey
	endpoint *endpoint

	nudge    chan struct{}
	work     chan waiting
	results  chan finished
	keep     chan finished // for the recorder
	recorded chan *batch   // what the recorder has stored
	gaveUp   bool          // results could not be recorded when the node stopped; the recorder's

	lanes   map[int64]*lane
	ready   []*lane
	held    int            // callbacks in memory
	packs   map[int64]bool // rows of which something is in memory, or is not yet recorded
	cursor  int64          // rows at or below it were seen, but for those that became visible late
	looked  bool           // the lanes with failed callbacks are known, without which no row may be read
	more    bool           // there may be something behind the cursor
	delayed int            // lanes that wait until they are due
	due     time.Time      // when they are to be looked through
	calling int
	workers int

	granted   int // calls that may still be started of those of grantedAt
	grantedAt time.Time
}

func newQueue(w *Webhooks, key queueKey) *queue {
	return &queue{
		w: w, key: key, endpoint: w.endpoints.get(endpointKey{key.app, key.hook, false}),
		nudge: make(chan struct{}, 1), work: make(chan waiting, w.options.After), results: make(chan finished, w.options.After),
		keep: make(chan finished, 2*window), recorded: make(chan *batch, 2*window),
		lanes: map[int64]*lane{}, packs: map[int64]bool{},
	}
}

// wakeUp makes the queue look for new callbacks; it never waits.
func (q *queue) wakeUp() {
	select {
	case q.nudge <- struct{}{}:
	default:
	}
}

// run delivers until ctx ends. Then it gives the calls under way a moment, and leaves the rest in the store.
func (q *queue) run(ctx context.Context) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		defer close(q.recorded)
		q.record(ctx)
	}()
	q.loop(ctx, calls)
	q.finishCalls(cancel)
	close(q.work)
	close(q.keep)
	for b := range q.recorded { // the recorder never waits for ever to tell what it has stored
		q.forget(b)
	}
	if !q.gaveUp {
		q.leave(context.WithoutCancel(ctx))
	}
}

func (q *queue) loop(ctx, calls context.Context) {
	look, timer := time.NewTicker(lookEvery), time.NewTimer(0)
	defer look.Stop()
	defer timer.Stop()
	q.look(ctx)
	for {
		if q.more && q.looked && q.hasRoom() && len(q.ready) < q.w.options.After {
			q.fetch(ctx, q.cursor)
		}
		q.loadDue(ctx)
		q.start(calls)
		timer.Reset(q.wait())
		select {
		case <-ctx.Done():
			return
		case <-q.nudge:
			q.more = true
		case <-look.C:
			q.look(ctx)
		case r := <-q.results:
			q.took(r)
		case b := <-q.recorded:
			q.forget(b)
		case <-timer.C:
		}
	}
}

// hasRoom reports whether it is worth reading more.
func (q *queue) hasRoom() bool { return q.held <= window*3/4 }

// finishCalls waits for the calls under way, a little.
func (q *queue) finishCalls(cancel func()) {
	timer := time.AfterFunc(lastCalls, cancel)
	defer timer.Stop()
	for q.calling > 0 {
		select {
		case r := <-q.results:
			q.took(r)
		case b := <-q.recorded:
			q.forget(b)
		}
	}
}

// look reads what the queue was not told of: first which lanes have callbacks that failed, as after a restart or a replay,
// since what stands behind them in the outbox must wait; then everything.
func (q *queue) look(ctx context.Context) {
	q.aim()
	failed, err := failedLanes(ctx, q.w.db, q.key)
	if err != nil {
		q.failed(ctx, err)
		return
	}
	for _, id := range failed {
		if l := q.lane(id); !l.stored {
			l.stored = true
			if l.state == idle {
				q.next(l)
			}
		}
	}
	q.looked = true
	q.fetch(ctx, 0)
}

// fetch reads more callbacks behind a row, as far as there is room. On several nodes a transaction may become visible
// after one with higher ids, so what was read lately is looked at again.
func (q *queue) fetch(ctx context.Context, after int64) {
	if !q.w.options.Alone {
		after = min(after, db.IDFloor(time.Now().Add(-settleTime)))
	}
	limit := len(q.packs) + fetchRows
	rows, err := packsBehind(ctx, q.w.db, q.key, after, limit)
	if err != nil {
		q.failed(ctx, err)
		return
	}
	q.more = len(rows) == limit
	fresh := 0
	for _, row := range rows {
		if q.packs[row] {
			continue
		}
		if fresh++; fresh > fetchRows || q.held >= window {
			q.more = true
			return
		}
		if err := q.take(ctx, row); err != nil {
			q.failed(ctx, err)
			return
		}
		q.cursor = max(q.cursor, row)
	}
}

// take reads a row and puts its callbacks into their lanes.
func (q *queue) take(ctx context.Context, row int64) error {
	p, err := fetchPack(ctx, q.w.db, row)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if errors.Is(err, errPack) { // it stays, for whoever can repair it, and holds up nothing
		q.packs[row] = true
		q.w.log.Error("read callbacks to deliver", telemetry.FieldError, fmt.Errorf("row %d: %w", row, err))
		return nil
	}
	if err != nil {
		return err
	}
	q.packs[row] = true
	for _, e := range p.events {
		q.add(e)
	}
	return nil
}

// failed is for a read that failed; the next look tries again.
func (q *queue) failed(ctx context.Context, err error) {
	q.more = false
	if ctx.Err() == nil {
		q.w.log.Error("read callbacks to deliver", telemetry.FieldError, err)
	}
}

// start hands callbacks to workers, as many as may be under way. While the back end does not answer it is one at a time.
func (q *queue) start(ctx context.Context) {
	for len(q.ready) > 0 && q.calling < q.w.options.After && !q.yields() {
		if reopens := q.endpoint.breaker.reopens(); !reopens.IsZero() && (q.calling > 0 || time.Now().Before(reopens)) {
			return
		}
		l := q.ready[0]
		q.ready = q.ready[1:]
		l.state = calling
		q.calling++
		q.granted--
		if q.workers < q.calling {
			q.workers++
			go q.serve(ctx)
		}
		q.work <- *l.events[0]
	}
}

// yields reports whether no more calls are to be started now, because the processors are needed for what users wait
// for: while writes queue up for their commits, as many calls as may be under way are started every yieldFor.
func (q *queue) yields() bool {
	if q.granted > 0 || q.w.db.Pending() < yieldAbove {
		return false
	}
	if now := time.Now(); now.Sub(q.grantedAt) >= yieldFor {
		q.granted, q.grantedAt = q.w.options.After, now
		return false
	}
	return true
}

// wait is how long nothing is to be done unless something happens.
func (q *queue) wait() time.Duration {
	next := time.Now().Add(lookEvery)
	if q.delayed > 0 && q.held < window && q.due.Before(next) {
		next = q.due
	}
	if len(q.ready) > 0 {
		reopens := q.endpoint.breaker.reopens()
		switch {
		case !reopens.IsZero() && q.calling == 0 && reopens.Before(next):
			next = reopens
		case reopens.IsZero() && q.calling < q.w.options.After:
			next = q.grantedAt.Add(yieldFor)
		}
	}
	return max(time.Until(next), time.Millisecond)
}
