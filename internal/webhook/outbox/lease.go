package outbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// The lease by which nodes agree on which one delivers. When that node dies, another one delivers after leaseFor at the
// latest.
const (
	leaseName  = "webhook"
	leaseFor   = 6 * time.Second
	leaseRenew = 2 * time.Second
)

// takeTurns delivers whenever this node holds the lease.
func (o *Outbox) takeTurns(ctx context.Context) {
	holder := rand.Int64()
	for {
		if until, held := o.holds(ctx, holder); held {
			o.deliverWhileHolding(ctx, holder, until)
		}
		if !o.pause(ctx, leaseRenew) {
			return
		}
	}
}

func (o *Outbox) deliverWhileHolding(ctx context.Context, holder int64, until time.Time) {
	delivering, release := context.WithCancel(ctx)
	defer release()
	var running sync.WaitGroup
	running.Go(func() { o.deliver(delivering) })
	for o.Clock.Now().Before(until) && o.pause(ctx, leaseRenew) {
		if longer, held := o.holds(ctx, holder); held {
			until = longer
		}
	}
	release()
	running.Wait()
	if ctx.Err() != nil {
		o.giveBack(context.WithoutCancel(ctx), holder)
	}
}

const takeLease = `INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder OR lease.until < $4`

// holds takes or renews the lease, and tells until when. That time counts from before the store was asked, so that this
// node never believes in its lease for longer than the others do.
func (o *Outbox) holds(ctx context.Context, holder int64) (until time.Time, held bool) {
	now := o.Clock.Now()
	until = now.Add(leaseFor)
	var taken int64
	err := o.DB.Write(ctx, func(tx *db.Tx) error {
		var err error
		taken, err = tx.Exec(takeLease, leaseName, holder, until.UnixMilli(), now.UnixMilli())
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			o.Log.Error("take the lease for delivering callbacks", telemetry.FieldError, err)
		}
		return until, false
	}
	return until, taken == 1
}

// giveBack lets another node deliver at once.
func (o *Outbox) giveBack(ctx context.Context, holder int64) {
	err := o.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE lease SET until = 0 WHERE name = $1 AND holder = $2`, leaseName, holder)
		return err
	})
	if err != nil {
		o.Log.Warn("give the lease for delivering callbacks back", telemetry.FieldError, err)
	}
}
