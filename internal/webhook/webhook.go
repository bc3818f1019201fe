// Package webhook tells an application's back end what happens, and asks it before some things do, over HTTP, as the
// reference system's callbacks (docs/protocol/webhooks.md).
//
// A room declares its callbacks beside its rules with NewBefore and NewAfter. What notifies is stored in the transaction
// of what it tells and delivered from there by one node of the service, in order per lane, until the back end has
// answered or the time for trying is over; then it is kept as a dead letter. The package does not know what callbacks
// mean, nor how applications are stored.
package webhook

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Apps is where the applications' settings are looked up, as they are now.
type Apps interface {
	// App returns nil for an application that does not exist.
	App(id im.AppID) *im.App
	// Each visits every application.
	Each(visit func(*im.App))
}

// Options bound what the room does.
type Options struct {
	// Before and After are how many calls to one address may be under way, of callbacks that block and that notify.
	Before, After int
	// ForbidPrivate refuses addresses of loopback, private and link-local networks.
	ForbidPrivate bool
	// Keep is how long attempts and dead letters are kept.
	Keep time.Duration
	// Alone says that no other process delivers from this store.
	Alone bool
}

// Webhooks is the room's state.
type Webhooks struct {
	db        *db.DB
	bus       bus.Bus
	apps      Apps
	options   Options
	log       *slog.Logger
	metrics   *telemetry.Metrics
	caller    *caller
	endpoints endpoints

	mutex      sync.Mutex
	dispatcher *dispatcher // nil while another node delivers
}

// New makes the room. Run delivers.
func New(d *db.DB, b bus.Bus, log *slog.Logger, metrics *telemetry.Metrics, o Options) *Webhooks {
	return &Webhooks{
		db: d, bus: b, log: log, metrics: metrics, options: o,
		caller:    newCaller(o.Before+o.After, o.ForbidPrivate),
		endpoints: endpoints{byKey: map[endpointKey]*endpoint{}, metrics: metrics, before: o.Before, after: o.After},
	}
}

// Commands is the room's table of contents.
func (w *Webhooks) Commands() []command.Command {
	return []command.Command{w.listCommand(), w.attemptsCommand(), w.replayCommand()}
}

// Run delivers until ctx ends; on several nodes, one of them does. apps are looked up at each attempt.
func (w *Webhooks) Run(ctx context.Context, apps Apps) error {
	defer w.caller.client.CloseIdleConnections()
	w.apps = apps
	if w.options.Alone {
		w.deliver(ctx)
		return nil
	}
	if err := w.bus.Subscribe(storedSubject(), w); err != nil {
		return fmt.Errorf("subscribe to callbacks: %w", err)
	}
	w.takeTurns(ctx)
	return nil
}

func storedSubject() bus.Subject { return bus.Subject{Kind: bus.KindWebhook} }

// Receive is news from another node that it stored callbacks.
func (w *Webhooks) Receive(_ bus.Subject, data []byte) {
	const number = 8
	if len(data) < number {
		return
	}
	w.wake(queueKey{im.AppID(binary.BigEndian.Uint64(data)), string(data[number:])})
}

// stored has callbacks that were just committed delivered, here or on the node that delivers.
func (w *Webhooks) stored(events []Event) {
	done := queueKey{}
	for i := range events {
		key := queueKey{events[i].app, events[i].hook}
		if i > 0 && key == done {
			continue
		}
		done = key
		if w.wake(key) || w.options.Alone {
			continue
		}
		// Whoever delivers looks for itself every few seconds, should this get lost.
		_ = w.bus.Publish(storedSubject(), append(binary.BigEndian.AppendUint64(nil, uint64(key.app)), key.hook...))
	}
}

// wake reports whether this node delivers, and if so makes it look at the address's callbacks.
func (w *Webhooks) wake(key queueKey) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.dispatcher == nil {
		return false
	}
	w.dispatcher.queue(key).wakeUp()
	return true
}
