package webhook

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// dispatcher delivers what waits, while this node is the one that does. It has a queue for each address.
type dispatcher struct {
	w       *Webhooks
	ctx     context.Context
	queues  map[queueKey]*queue // guarded by Webhooks.mutex
	running sync.WaitGroup
}

// lookEvery is how often a queue looks for callbacks of which it was not told.
const lookEvery = 2 * time.Second

// deliver runs a dispatcher until ctx ends and what is under way has ended.
func (w *Webhooks) deliver(ctx context.Context) {
	d := &dispatcher{w: w, ctx: ctx, queues: map[queueKey]*queue{}}
	w.mutex.Lock()
	w.dispatcher = d
	w.mutex.Unlock()
	d.running.Go(func() { w.prune(ctx) })
	d.look(ctx)
	w.mutex.Lock()
	w.dispatcher = nil
	w.mutex.Unlock()
	d.running.Wait()
}

// look finds the addresses that have callbacks waiting: at first in the store, then among the applications' settings.
func (d *dispatcher) look(ctx context.Context) {
	d.adopt(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.w.apps.Each(func(app *im.App) {
			for i := range app.Settings.Webhooks {
				if hook := &app.Settings.Webhooks[i]; hook.URL != "" {
					// An address that was changed is not left alone for what its old place did.
					d.w.endpoints.get(endpointKey{app.ID, hook.Name, false}).breaker.to(hook.URL)
					d.w.wake(queueKey{app.ID, hook.Name})
				}
			}
		})
	}
}

// adopt takes over what waits in the store, also for addresses that are configured no more.
func (d *dispatcher) adopt(ctx context.Context) {
	for {
		keys, err := outstanding(ctx, d.w.db)
		if err == nil {
			for _, key := range keys {
				d.w.wake(key)
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		d.w.log.Error("look for callbacks to deliver", telemetry.FieldError, err)
		if !pause(ctx, lookEvery) {
			return
		}
	}
}

// queue returns the address's queue and starts it if it is new. The caller holds Webhooks.mutex.
func (d *dispatcher) queue(key queueKey) *queue {
	q := d.queues[key]
	if q == nil {
		q = newQueue(d.w, key)
		d.queues[key] = q
		d.running.Go(func() { q.run(d.ctx) })
	}
	return q
}

// pause waits, and reports false when ctx ends first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// The lease by which nodes agree on who delivers. A node that dies is followed after leaseFor at the latest.
const (
	leaseName  = "webhook"
	leaseFor   = 6 * time.Second
	leaseRenew = 2 * time.Second
)

// takeTurns delivers whenever this node holds the lease.
func (w *Webhooks) takeTurns(ctx context.Context) {
	holder := rand.Int64()
	for {
		if w.holds(ctx, holder) {
			w.deliverWhileHolding(ctx, holder)
		}
		if !pause(ctx, leaseRenew) {
			return
		}
	}
}

func (w *Webhooks) deliverWhileHolding(ctx context.Context, holder int64) {
	held, release := context.WithCancel(ctx)
	defer release()
	var delivering sync.WaitGroup
	delivering.Go(func() { w.deliver(held) })
	until := time.Now().Add(leaseFor)
	for time.Now().Before(until) && pause(ctx, leaseRenew) {
		if w.holds(ctx, holder) {
			until = time.Now().Add(leaseFor)
		}
	}
	release()
	delivering.Wait()
	if ctx.Err() != nil {
		w.giveBack(context.WithoutCancel(ctx), holder)
	}
}

const takeLease = `INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder OR lease.until < $4`

// holds takes or renews the lease.
func (w *Webhooks) holds(ctx context.Context, holder int64) bool {
	var taken int64
	err := w.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		now := tx.Now().UnixMilli()
		taken, err = tx.Exec(takeLease, leaseName, holder, now+leaseFor.Milliseconds(), now)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("take the lease for delivering callbacks", telemetry.FieldError, err)
		}
		return false
	}
	return taken == 1
}

// giveBack lets another node deliver at once.
func (w *Webhooks) giveBack(ctx context.Context, holder int64) {
	err := w.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE lease SET until = 0 WHERE name = $1 AND holder = $2`, leaseName, holder)
		return err
	})
	if err != nil {
		w.log.Warn("give the lease for delivering callbacks back", telemetry.FieldError, err)
	}
}
