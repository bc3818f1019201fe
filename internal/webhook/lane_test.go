package webhook

import (
	"log/slog"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// So much of one lane is held in memory and no more; what follows goes to rows of its own, in order.
func TestLaneIsBounded(t *testing.T) {
	w := New(nil, bus.NewMemory(), slog.New(slog.DiscardHandler), telemetry.NewMetrics(), Options{After: 1})
	q := newQueue(w, queueKey{1, ""})
	const all = 3 * laneMost
	for id := range int64(all) {
		q.add(&waiting{id: id, lane: 7})
	}
	l := q.lanes[7]
	if len(l.events) != laneMost || q.held != laneMost || l.pending != len(q.keep) || len(q.keep) != all-laneMost {
		t.Fatalf("%d of the lane are held, %d in all; %d of %d go to the store", len(l.events), q.held, len(q.keep), l.pending)
	}
	for id := range int64(all) {
		if id < laneMost {
			if l.events[id].id != id {
				t.Errorf("%d is held in the place of %d", l.events[id].id, id)
			}
		} else if r := <-q.keep; r.event.id != id || r.then != moved {
			t.Errorf("%d goes to the store in the place of %d: %d", r.event.id, id, r.then)
		}
	}
}

// The recorder may wait to tell what it has stored; the queue does not wait for it then.
func TestQueueAndRecorderDoNotWaitForEachOther(t *testing.T) {
	w := New(nil, bus.NewMemory(), slog.New(slog.DiscardHandler), telemetry.NewMetrics(), Options{After: 1})
	q, spilled := newQueue(w, queueKey{1, ""}), make(chan struct{})
	go func() {
		for r := range q.keep {
			q.recorded <- &batch{results: []finished{r}}
		}
	}()
	go func() {
		defer close(spilled)
		for range 6 * window {
			q.spill(q.lane(1), &waiting{})
		}
	}()
	select {
	case <-spilled:
	case <-time.After(5 * time.Second):
		t.Error("both wait")
	}
}
