package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	// fetchRows is how many rows of the outbox are read at once.
	fetchRows = 64
	// fetchLanes is how many lanes with failed callbacks are read at once.
	fetchLanes = 64
	// settleTime is how much later a transaction may become visible than its ids were drawn.
	settleTime = 5 * time.Second
)

// hasRoom reports whether callbacks may be read into memory.
func (q *queue) hasRoom() bool { return q.held < window && !q.full() }

// read reads callbacks that are due and new ones, as far as there is room.
func (q *queue) read(ctx context.Context) {
	if q.more && q.looked && q.held <= window*3/4 && !q.full() && len(q.ready) < q.o.After {
		q.fetch(ctx, q.cursor)
	}
	q.loadDue(ctx)
}

// look reads callbacks that the queue was not told of: first which lanes have callbacks that failed, as after a restart or a
// replay, since those behind them in the outbox must wait; then all.
func (q *queue) look(ctx context.Context) {
	q.aim()
	failed, err := failedLanes(ctx, q.o.DB, q.key)
	if err != nil {
		q.failed(ctx, err)
		return
	}
	for _, id := range failed {
		if l := q.lane(id); !l.spilled {
			l.spilled = true
			if l.state == idle {
				q.next(l)
			}
		}
	}
	q.looked = true
	q.fetch(ctx, 0)
}

// fetch reads more callbacks behind a row, as far as there is room. On several nodes a transaction may become visible
// after one with higher ids, so what was read lately is looked at again: lately by the clock, and by the row, as the clock may have
// been set forward since.
func (q *queue) fetch(ctx context.Context, after int64) {
	if !q.o.Alone {
		settled := func(at time.Time) int64 { return db.IDFloor(at.Add(-settleTime)) }
		after = min(after, settled(q.o.Clock.Now()), settled(db.IDTime(after)))
	}
	limit := len(q.packs) + fetchRows
	rows, err := packsBehind(ctx, q.o.DB, q.key, after, limit)
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
		if fresh++; fresh > fetchRows || !q.hasRoom() {
			q.more = true
			return
		}
		if err := q.takeRow(ctx, row); err != nil {
			q.failed(ctx, err)
			return
		}
		q.cursor = max(q.cursor, row)
	}
}

// takeRow reads a row and puts its callbacks into their lanes.
func (q *queue) takeRow(ctx context.Context, row int64) error {
	p, err := fetchPack(ctx, q.o.DB, row)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if errors.Is(err, errPack) { // the row stays, for an operator who can repair it, and holds up no other
		q.packs[row] = true
		q.o.Log.Error("read callbacks to deliver", telemetry.FieldError, fmt.Errorf("row %d: %w", row, err))
		return nil
	}
	if err != nil {
		return err
	}
	q.packs[row] = true
	for _, e := range p.callbacks {
		q.add(e)
	}
	return nil
}

// failed is for a read that failed; the next look tries again.
func (q *queue) failed(ctx context.Context, err error) {
	q.more = false
	if ctx.Err() == nil {
		q.o.Log.Error("read callbacks to deliver", telemetry.FieldError, err)
	}
}

// loadDue reads the lanes that are to be read from the store, some of them, as far as there is room. There may be many
// that wait, so it looks through them only when one is due.
func (q *queue) loadDue(ctx context.Context) {
	now := q.o.Clock.Now()
	if q.delayed == 0 || !q.hasRoom() || now.Before(q.due) {
		return
	}
	q.due = now.Add(lookEvery)
	reads := 0
	for _, l := range q.lanes {
		switch {
		case l.state != delayed || l.pending > 0: // wrote says when it can be read
		case l.due.After(now):
			q.dueBy(l.due)
		case !q.hasRoom() || reads == fetchLanes:
			q.dueBy(now)
			return
		default:
			reads++
			q.load(ctx, l)
		}
	}
}

// load reads the beginning of a lane. A lane without rows has caught up.
func (q *queue) load(ctx context.Context, l *lane) {
	now := q.o.Clock.Now()
	found, err := fetchLane(ctx, q.o.DB, q.key, l.id, laneMost)
	if err != nil {
		if ctx.Err() == nil {
			q.o.Log.Error("read callbacks to deliver", telemetry.FieldError, err)
		}
		q.delay(l, now.Add(lookEvery))
		return
	}
	if len(found) > 0 && time.UnixMilli(found[0].nextAt).After(now) {
		q.delay(l, time.UnixMilli(found[0].nextAt))
		return
	}
	for _, e := range found {
		e.in = l
	}
	q.delayed--
	l.state, l.callbacks, l.spilled = idle, found, len(found) > 0
	q.held += len(found)
	q.next(l)
}
