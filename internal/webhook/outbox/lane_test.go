package outbox

import (
	"log/slog"
	"testing"

	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook/backend"
)

// So much of one lane is held in memory and no more; what follows goes to rows of its own, in order.
func TestLaneIsBounded(t *testing.T) {
	t.Parallel()
	q := aQueue()
	const all = 3 * laneMost
	for id := range int64(all) {
		q.add(&waiting{id: id, lane: 7})
	}
	l := q.lanes[7]
	if len(l.callbacks) != laneMost || q.held != laneMost || l.pending != len(q.unrecorded) || len(q.unrecorded) != all-laneMost {
		t.Fatalf("%d of the lane are held, %d in all; %d of %d go to the store", len(l.callbacks), q.held, len(q.unrecorded), l.pending)
	}
	for id := range int64(all) {
		if id < laneMost {
			if l.callbacks[id].id != id {
				t.Errorf("%d is held in the place of %d", l.callbacks[id].id, id)
			}
		} else if r := q.unrecorded[id-laneMost]; r.callback.id != id || r.then != moved {
			t.Errorf("%d goes to the store in the place of %d: %d", r.callback.id, id, r.then)
		}
	}
}

// A queue that records nothing, as when the store is broken, reads no more and calls no more.
func TestUnrecordedIsBounded(t *testing.T) {
	t.Parallel()
	q := aQueue()
	for id := range int64(laneMost + unrecordedMost) {
		q.add(&waiting{id: id, lane: 7})
	}
	if q.hasRoom() || !q.full() {
		t.Errorf("%d results wait to be recorded, and there is room for more", len(q.unrecorded))
	}
	if q.start(t.Context()); q.calling != 0 {
		t.Errorf("%d calls are made", q.calling)
	}
}

// aQueue is one that nobody runs.
func aQueue() *queue {
	metrics := telemetry.NewMetrics()
	endpoints := backend.New(metrics, backend.Options{After: 1})
	return newQueue(New(Parts{Log: slog.New(slog.DiscardHandler), Metrics: metrics, Endpoints: endpoints, After: 1}), queueKey{1, ""})
}
