package outbox

import (
	"context"
	"sync"
	"time"
)

const (
	// window is how many callbacks of one address are held in memory; the others wait in the store. One row's callbacks
	// may come on top. It also bounds the results that one transaction records.
	window = 512
	// unrecordedMost is how many results may wait to be recorded before nothing new is begun.
	unrecordedMost = 2 * window
	// lastCalls is how long calls under way may still take when the node stops.
	lastCalls = time.Second

	// yieldAbove is how many writes must wait for their commits for the server to count as busy.
	yieldAbove = 32
	yieldFor   = 20 * time.Millisecond
)

// queue delivers the callbacks of one address: several at once, but of a lane one after the other.
//
// One goroutine, in run, owns all fields but the handover. Each call is made by a goroutine of its own, and so is a write of
// results, of which one is under way at a time. These goroutines get all they need when they start, and leave the result
// in the handover. So none of them waits for the owner, and the owner waits only for its signal and its timer.
type queue struct {
	line
	handover *handover
	helpers  sync.WaitGroup

	lanes   map[int64]*lane
	ready   []*lane
	held    int            // callbacks in memory
	packs   map[int64]bool // rows of which something is in memory, or is not yet recorded
	cursor  int64          // rows at or below it were seen, but for those that became visible late
	looked  bool           // the lanes with failed callbacks are known, without which no row may be read
	more    bool           // there may be something behind the cursor
	delayed int            // lanes that wait until they are due
	due     time.Time      // when they are to be looked through
	calling int            // calls under way

	unrecorded []finished // results, oldest first
	writing    bool       // a batch is under way
	gaveUp     bool       // a batch could not be stored when the node stopped

	granted   int // calls that may still be started of those of grantedAt
	grantedAt time.Time
}

func newQueue(o *Outbox, key queueKey) *queue {
	return &queue{line: newLine(o, key), handover: newHandover(), lanes: map[int64]*lane{}, packs: map[int64]bool{}}
}

// run delivers until ctx ends. Then it gives the calls under way a moment, and leaves the rest in the store.
func (q *queue) run(ctx context.Context) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	q.loop(ctx, calls)
	q.finish(ctx, cancel)
	if !q.gaveUp {
		q.leave(context.WithoutCancel(ctx))
	}
}

func (q *queue) loop(ctx, calls context.Context) {
	look, timer := q.o.Clock.NewTicker(lookEvery), q.o.Clock.NewTimer(lookEvery)
	defer look.Stop()
	defer timer.Stop()
	q.look(ctx)
	for ctx.Err() == nil {
		q.open(q.handover.take())
		q.read(ctx)
		q.start(calls)
		q.write(ctx)
		timer.Reset(q.wait())
		select {
		case <-ctx.Done():
		case <-q.handover.signal:
		case <-timer.C:
		case <-look.C:
			q.look(ctx)
		}
	}
}

// open takes what was left in the handover.
func (q *queue) open(all handed) {
	if all.told {
		q.more = true
		q.aim()
	}
	for i := range all.calls {
		q.took(all.calls[i])
	}
	if all.write != nil {
		q.wrote(all.write)
	}
}

// finish waits a moment for the calls under way, and for their results to be recorded. The moment is one of the system's
// clock: a node stops also when a test's clock stands.
func (q *queue) finish(ctx context.Context, cancel func()) {
	timer := time.AfterFunc(lastCalls, cancel)
	defer timer.Stop()
	for {
		q.open(q.handover.take())
		q.write(ctx)
		if q.calling == 0 && !q.writing {
			break
		}
		<-q.handover.signal
	}
	q.helpers.Wait()
}

// full reports whether so many results are to be recorded that no call may begin.
func (q *queue) full() bool { return len(q.unrecorded) >= unrecordedMost }

// start makes calls, as many as may be under way. While the back end does not answer it is one at a time.
func (q *queue) start(ctx context.Context) {
	for len(q.ready) > 0 && q.calling < q.o.After && !q.full() && !q.yields() {
		l := q.ready[0]
		trial, reopens := l.tried > 0, q.endpoint.Reopens()
		if !trial && !reopens.IsZero() && (q.calling > 0 || q.o.Clock.Now().Before(reopens)) {
			return
		}
		q.ready = q.ready[1:]
		l.state = calling
		q.calling++
		q.granted--
		next := *l.callbacks[l.tried]
		q.helpers.Go(func() { q.handover.called(q.attempt(ctx, next, trial)) })
	}
}

// yields reports whether no more calls are to be started now, because the processors are needed for what users wait
// for: while writes queue up for their commits, as many calls as may be under way are started every yieldFor.
func (q *queue) yields() bool {
	if q.granted > 0 || q.o.DB.Pending() < yieldAbove {
		return false
	}
	if now := q.o.Clock.Now(); now.Sub(q.grantedAt) >= yieldFor {
		q.granted, q.grantedAt = q.o.After, now
		return false
	}
	return true
}

// wait is how long the owner sleeps unless the signal wakes it.
func (q *queue) wait() time.Duration {
	now := q.o.Clock.Now()
	next := now.Add(lookEvery)
	if q.delayed > 0 && q.hasRoom() && q.due.Before(next) {
		next = q.due
	}
	if len(q.ready) > 0 && q.calling < q.o.After && !q.full() {
		reopens := q.endpoint.Reopens()
		switch {
		case reopens.IsZero():
			next = q.grantedAt.Add(yieldFor)
		case q.calling == 0 && reopens.Before(next):
			next = reopens
		}
	}
	return max(next.Sub(now), 0)
}
