package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

// dispatcher delivers the callbacks that wait, while this node holds the lease. It has a queue for each address.
type dispatcher struct {
	o       *Outbox
	ctx     context.Context
	queues  map[queueKey]*queue // guarded by Outbox.mutex
	running sync.WaitGroup
}

// lookEvery is how often a queue looks for callbacks of which it was not told.
const lookEvery = 2 * time.Second

// deliver runs a dispatcher until ctx ends and the calls under way have ended.
func (o *Outbox) deliver(ctx context.Context) {
	d := &dispatcher{o: o, ctx: ctx, queues: map[queueKey]*queue{}}
	o.mutex.Lock()
	o.dispatcher = d
	o.mutex.Unlock()
	d.running.Go(func() { o.prune(ctx) })
	d.look(ctx)
	o.mutex.Lock()
	o.dispatcher = nil
	o.mutex.Unlock()
	d.running.Wait()
}

// look finds the addresses that have callbacks waiting: at first in the store, then among the applications' settings.
func (d *dispatcher) look(ctx context.Context) {
	d.adopt(ctx)
	for d.o.pause(ctx, lookEvery) {
		d.o.apps.Each(func(app *im.App) {
			webhook.Addresses(app, func(hook *webhook.Hook) { d.o.wake(queueKey{app.ID, hook.Name}) })
		})
	}
}

// adopt takes over the callbacks that wait in the store, also for addresses that are configured no more.
func (d *dispatcher) adopt(ctx context.Context) {
	for {
		keys, err := outstanding(ctx, d.o.DB)
		if err == nil {
			for _, key := range keys {
				d.o.wake(key)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		d.o.Log.Error("look for callbacks to deliver", telemetry.FieldError, err)
		if !d.o.pause(ctx, lookEvery) {
			return
		}
	}
}

// queue returns the address's queue and starts it if it is new. The caller holds Outbox.mutex.
func (d *dispatcher) queue(key queueKey) *queue {
	q := d.queues[key]
	if q == nil {
		q = newQueue(d.o, key)
		d.queues[key] = q
		d.running.Go(func() { q.run(d.ctx) })
	}
	return q
}

// pause waits, and reports false when ctx ends first.
func (o *Outbox) pause(ctx context.Context, wait time.Duration) bool {
	timer := o.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
