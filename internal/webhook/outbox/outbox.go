// Package outbox stores the callbacks that only notify and delivers them from the store: in order per lane, until the
// back end has taken each, or the time for attempts is over; then the callback is kept as a dead letter.
//
// One node of the service delivers. It has a queue for each address; queue.go says which goroutine owns what. The package
// knows neither what callbacks mean nor which room tells them.
package outbox

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/backend"
)

// Parts are what the outbox is built on.
type Parts struct {
	DB        *db.DB
	Bus       bus.Bus
	Endpoints *backend.Endpoints
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	// Clock is what deliveries are timed by; nil is the system's.
	Clock *clock.Clock
	// After is how many calls to one address may be under way.
	After int
	// Keep is how long attempts and dead letters are kept.
	Keep time.Duration
	// Alone says that no other process delivers from this store.
	Alone bool
}

// Outbox is the room's state. It is a webhook.Outbox.
type Outbox struct {
	Parts
	apps webhook.Apps

	mutex      sync.Mutex
	dispatcher *dispatcher // nil while this node does not deliver
}

// New makes the room. Run delivers.
func New(p Parts) *Outbox { return &Outbox{Parts: p} }

// Commands is the room's table of contents.
func (o *Outbox) Commands() []command.Command {
	return []command.Command{o.listCommand(), o.attemptsCommand(), o.replayCommand()}
}

// Run delivers until ctx ends; on several nodes, one of them does. apps are looked up at each attempt.
func (o *Outbox) Run(ctx context.Context, apps webhook.Apps) error {
	defer o.Endpoints.CloseIdle()
	o.apps = apps
	if o.Alone {
		o.deliver(ctx)
		return nil
	}
	if err := o.Bus.Subscribe(committedSubject(), o); err != nil {
		return fmt.Errorf("subscribe to callbacks: %w", err)
	}
	o.takeTurns(ctx)
	return nil
}

// GoOn has what this node stores come behind the callbacks that wait in the store already: the clock may have been set back since
// those were stored, before this node was started again. The ids of rows that were stored at once overlap, so the newest hundred count.
func (o *Outbox) GoOn(ctx context.Context) error {
	newest, err := db.One(ctx, o.DB, db.Number, `SELECT COALESCE(MAX(newest), 0) FROM (
		SELECT MAX(last_id) AS newest FROM (SELECT last_id FROM webhook_outbox ORDER BY id DESC LIMIT 100) AS new
		UNION ALL SELECT MAX(id) FROM webhook_event) AS both_tables`)
	if err != nil {
		return fmt.Errorf("find the newest callback: %w", err)
	}
	o.DB.IDsAbove(newest)
	return nil
}

func committedSubject() bus.Subject { return bus.Subject{Kind: bus.KindWebhook} }

// Receive takes the bus message of another node that has stored callbacks.
func (o *Outbox) Receive(_ bus.Subject, data []byte) {
	const number = 8
	if len(data) < number {
		return
	}
	o.wake(queueKey{im.AppID(binary.BigEndian.Uint64(data)), string(data[number:])})
}

// Add implements webhook.Outbox. The callbacks of one address that stand together share rows.
func (o *Outbox) Add(tx *db.Tx, callbacks ...webhook.Callback) error {
	if len(callbacks) == 0 {
		return nil
	}
	rest := callbacks
	for len(rest) > 0 {
		n, size := together(rest)
		if err := insertPack(tx, rest[:n], size); err != nil {
			return fmt.Errorf("store callbacks: %w", err)
		}
		rest = rest[n:]
	}
	tx.OnCommit(func() { o.committed(callbacks) })
	return nil
}

// committed has callbacks that were just committed delivered, here or on the node that delivers.
func (o *Outbox) committed(callbacks []webhook.Callback) {
	done := queueKey{}
	for i := range callbacks {
		key := queueKey{callbacks[i].App, callbacks[i].Hook}
		if i > 0 && key == done {
			continue
		}
		done = key
		if o.wake(key) || o.Alone {
			continue
		}
		// The node that delivers looks into the store every few seconds, in case the bus loses this.
		_ = o.Bus.Publish(committedSubject(), append(binary.BigEndian.AppendUint64(nil, uint64(key.app)), key.hook...))
	}
}

// wake reports whether this node delivers, and if so makes it look at the address's callbacks.
func (o *Outbox) wake(key queueKey) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.dispatcher == nil {
		return false
	}
	o.dispatcher.queue(key).handover.tell()
	return true
}
