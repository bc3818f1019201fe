// Package server is the composition root: it builds the rooms from the bottom up, opens the doors, and stops from the
// top down. It is the only place that knows all rooms, and holds no rule of its own.
package server

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/file"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live"
	"github.com/magpie-im/magpie/internal/mute"
	"github.com/magpie-im/magpie/internal/node"
	"github.com/magpie-im/magpie/internal/presence"
	"github.com/magpie-im/magpie/internal/rest"
	"github.com/magpie-im/magpie/internal/retention"
	"github.com/magpie-im/magpie/internal/server/listen"
	"github.com/magpie-im/magpie/internal/stranger"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/backend"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
	"github.com/magpie-im/magpie/internal/welcome"
)

// Server is a running node.
type Server struct {
	config    *config.Config
	log       *slog.Logger
	clock     *clock.Clock
	driver    func(driver.Connector) driver.Connector // nil but in tests of faults
	metrics   *telemetry.Metrics
	hooks     *webhook.Webhooks
	outbox    *outbox.Outbox
	lock      *dirLock
	db        *db.DB
	bus       meteredBus
	apps      *app.Apps
	accounts  *account.Accounts
	devices   *device.Devices
	presence  *presence.Presences
	mutes     *mute.Mutes
	lives     *live.Rooms
	files     *file.Files
	gateway   *gateway.Gateway
	groups    *group.Groups
	joined    func(ctx context.Context, of im.AccountID) ([]int64, error)
	retention *retention.Retention
	node      *node.Node
	entered   bool // the node has told others of itself
	proxies   listen.Proxies
	refusals  *telemetry.Refusals
	opened    net.Listener // given by the service manager, or taken over; nil is none
	listener  *listen.Listener
	offered   *listen.Offer
	replaced  chan struct{}
	http      *http.Server
	rest      *rest.Door
	pages     *welcome.Pages

	strangers *stranger.Strangers
	firstID   im.AppID // of the application that this start has made
	firstKey  string

	// Both nil when metrics have no address of their own.
	metricsListener net.Listener
	metricsHTTP     *http.Server
	debug           *debugDoor // nil when there is none

	background context.CancelFunc
	running    sync.WaitGroup
	stopOnce   sync.Once
	stopped    error
}

// meteredBus is what both buses can do beyond carrying messages.
type meteredBus interface {
	bus.Bus
	OnGap(tell func())
	Connected() bool
	Stats() bus.Stats
}

// Options are what a node takes beside its settings.
type Options struct {
	// Clock is the node's; nil is the system's.
	Clock *clock.Clock
	// Driver is for tests of faults, as in db.Options.
	Driver func(driver.Connector) driver.Connector
	// Opened is a listener to serve on, in place of one at the address of the configuration; nil is none.
	Opened net.Listener
}

// Start opens the store and the bus, builds the rooms, and listens. When it returns, the node serves; what it could
// not build is closed again.
func Start(ctx context.Context, c *config.Config, log *slog.Logger, o Options) (*Server, error) {
	s := &Server{config: c, log: log, clock: o.Clock, driver: o.Driver, opened: o.Opened, metrics: telemetry.NewMetrics(), replaced: make(chan struct{})}
	s.refusals = telemetry.NewRefusals(log, s.metrics, o.Clock)
	s.strangers = stranger.New(c.FailedLoginsPerSecond, o.Clock)
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.background = cancel
	s.spawn(func() { s.apps.Watch(background) })
	s.spawn(func() { s.devices.Hold(background, func() { s.gateway.CloseAll(gateway.LeaseLost) }) })
	s.spawn(func() { s.gateway.Audit(background) })
	s.spawn(func() { s.presence.Keep(background, s.gateway) })
	s.spawn(func() { s.mutes.Keep(background) })
	s.spawn(func() { s.deliver(background) })
	s.spawn(func() { s.groups.Recycle(background, s.clock, s.apps) })
	s.spawn(func() { s.lives.Run(background) })
	s.spawn(func() { s.retention.Run(background, s.clock, s.apps) })
	s.spawn(func() { s.files.Tidy(background) })
	if s.entered {
		s.spawn(func() { s.node.Keep(background) })
	}
	s.spawn(func() { s.serve(s.http, s.listener) })
	if s.metricsListener != nil {
		s.metricsHTTP = s.httpServer(s.operators())
		s.spawn(func() { s.serve(s.metricsHTTP, s.metricsListener) })
	}
	if s.debug != nil {
		s.spawn(s.serveDebug)
	}
	s.announce()
	return s, nil
}

func (s *Server) spawn(run func()) {
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		run()
	}()
}

func (s *Server) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.openStore, s.openBus, s.enter, s.buildRooms, s.listen, s.listenDebug} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) openStore(ctx context.Context) error {
	networks, err := s.config.Proxies()
	if err != nil {
		return err
	}
	s.proxies = networks
	if s.config.DB == "" {
		if err := s.takeOver(ctx); err != nil {
			return err
		}
		if s.lock, err = lockDir(ctx, s.config.Data, s.patience()); err != nil {
			return err
		}
	}
	s.db, err = db.Open(ctx, db.Options{
		Dir: s.config.Data, URL: s.config.DB, CommitBatch: s.config.CommitBatch, Observe: s.observeCommit,
		Panicked: s.reportPanic, Now: s.clock.Now, Driver: s.driver,
	})
	if err != nil {
		return err
	}
	s.metrics.WatchCommitQueue(s.db.QueueLength)
	return nil
}

func (s *Server) observeCommit(writes int, took time.Duration) {
	s.metrics.CommitBatch.Observe(float64(writes))
	s.metrics.CommitSeconds.Observe(took.Seconds())
}

func (s *Server) reportPanic(err error) {
	s.log.Error("what follows a commit panicked", telemetry.FieldError, err)
}

func (s *Server) openBus(ctx context.Context) error {
	if s.config.Bus == "" {
		s.bus = bus.NewMemory()
	} else {
		joined, err := bus.ConnectNATS(ctx, s.config.Bus, s.config.Cluster, s.log)
		if err != nil {
			return err
		}
		s.bus = joined
	}
	s.metrics.WatchBus(func() telemetry.BusCounts {
		stats := s.bus.Stats()
		return telemetry.BusCounts{Published: stats.Published, Received: stats.Received, Dropped: stats.Dropped, Reconnects: stats.Reconnects}
	})
	return nil
}

func (s *Server) buildRooms(ctx context.Context) error {
	var err error
	router := event.NewRouter(s.bus)
	if s.apps, err = app.Open(ctx, s.db, Settings(), s.log); err != nil {
		return err
	}
	s.buildWebhooks()
	if s.accounts, err = account.Open(account.Parts{DB: s.db, Bus: s.bus, Router: router, Log: s.log, Clock: s.clock}); err != nil {
		return err
	}
	s.devices, err = device.Open(ctx, device.Parts{
		DB: s.db, Accounts: s.accounts, Router: router, Apps: s.apps, Hooks: s.hooks, Log: s.log,
		Clock: s.clock,
	})
	if err != nil {
		return err
	}
	if err := s.devices.Join(ctx); err != nil {
		return err
	}
	s.presence = presence.New(presence.Parts{
		DB: s.db, Accounts: s.accounts, Router: router, Apps: s.apps, Log: s.log, Clock: s.clock,
	})
	s.devices.TellTo(s.presence)
	s.mutes = mute.New(mute.Parts{DB: s.db, Accounts: s.accounts, Log: s.log, Clock: s.clock})
	if s.files, err = s.openFiles(ctx); err != nil {
		return err
	}
	if err := s.ensureApps(ctx); err != nil {
		return err
	}
	registry := command.NewRegistry(s.log, s.metrics, s.config.RESTPerSecond, s.clock)
	rules, err := group.LoadRules()
	if err != nil {
		return err
	}
	rooms := openRooms(ground{
		s.db, s.bus, router, s.hooks, s.outbox, s.apps, s.accounts, s.devices, s.presence, s.mutes, s.files, rules, s.log, s.clock, registry.Features,
	})
	for _, commands := range rooms.commands() {
		registry.Register(s.metrics, commands)
	}
	for _, prepare := range rooms.prepare() {
		if err := prepare(ctx); err != nil {
			return err
		}
	}
	s.accounts.OnKick(rooms.onKick()...)
	s.accounts.OnDelete(rooms.onDelete()...)
	s.groups, s.joined = rooms.groups, rooms.joined
	s.lives = rooms.lives
	s.retention = rooms.retention
	s.openDoors(registry, router) //nolint:contextcheck // what the gateway refuses later is no part of this start
	return nil
}

// openDoors builds the doors upon the rooms.
func (s *Server) openDoors(registry *command.Registry, router *event.Router) {
	s.gateway = gateway.New(gateway.Parts{
		Config: s.config, Apps: s.apps, Devices: s.devices, Registry: registry, Router: router, Bus: s.bus,
		Log: s.log, Metrics: s.metrics, Refusals: s.refusals, Clock: s.clock, Strangers: s.strangers, Presence: s.presence,
		Groups: s.joined,
		Live:   s.lives,
	})
	s.bus.OnGap(s.gateway.Gap)
	s.lives.PaceBy(s.gateway)
	s.lives.Watch(s.metrics.Registry())
	s.files.Watch(s.metrics.Registry())
	s.rest = s.restDoor(registry)
	s.pages = s.welcome()
	s.http = s.httpServer(s.routes(s.rest))
}

func (s *Server) welcome() *welcome.Pages {
	return welcome.New(welcome.Parts{
		Apps: s.apps, Ready: s.trouble, Demo: s.config.ShowsDemo(), Near: s.config.ListensNear(), Store: s.config.StoreFlags(),
		Version: telemetry.Version(), Log: s.log, Clock: s.clock,
	})
}

func (s *Server) restDoor(registry *command.Registry) *rest.Door {
	return rest.New(rest.Parts{
		Apps: s.apps, Accounts: s.accounts, Registry: registry, Log: s.log, Refusals: s.refusals, Clock: s.clock,
		Strangers: s.strangers, BodyWithin: s.config.RESTBodyWithin, BodyBytes: s.config.RESTBodyBytes,
	})
}

func (s *Server) buildWebhooks() {
	endpoints := backend.New(s.metrics, backend.Options{
		Before: s.config.WebhookBefore, After: s.config.WebhookAfter, ForbidPrivate: s.config.ForbidsPrivate(),
		Clock: s.clock,
	})
	s.outbox = outbox.New(outbox.Parts{
		DB: s.db, Bus: s.bus, Endpoints: endpoints, Log: s.log, Metrics: s.metrics,
		After: s.config.WebhookAfter, Keep: s.config.WebhookKeep, Alone: s.config.DB == "",
		Clock: s.clock,
	})
	s.hooks = webhook.New(webhook.Parts{DB: s.db, Outbox: s.outbox, Endpoints: endpoints, Log: s.log, Clock: s.clock})
}

// deliver has the callbacks delivered until ctx ends.
func (s *Server) deliver(ctx context.Context) {
	if err := s.outbox.Run(ctx, s.apps); err != nil {
		s.log.Error("deliver callbacks", telemetry.FieldError, err)
	}
}

// ensureApps stores the applications of the configuration and makes sure that every administrator has an account.
func (s *Server) ensureApps(ctx context.Context) error {
	keys, err := s.config.AppKeys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := s.apps.Ensure(ctx, k.ID, k.Key); err != nil {
			return err
		}
	}
	if s.firstID, s.firstKey, err = s.apps.EnsureAny(ctx); err != nil {
		return err
	}
	for _, tenant := range s.apps.All() {
		for _, admin := range tenant.App.Admins {
			if _, err := s.accounts.Ensure(ctx, tenant.App.ID, admin, s.db.Now().Unix()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Address is where the node listens, with the port that it got.
func (s *Server) Address() string { return s.listener.Addr().String() }

// FirstApp gives the application that this start has made because there was none, with its key, once; 0 if it made none.
func (s *Server) FirstApp() (im.AppID, string) {
	id, key := s.firstID, s.firstKey
	s.firstID, s.firstKey = 0, ""
	return id, key
}

// Apps lists the applications with their keys.
func (s *Server) Apps() []*app.Tenant { return s.apps.All() }

// AddApp makes sure that an application exists with this key.
func (s *Server) AddApp(ctx context.Context, id im.AppID, key string) error {
	return s.apps.Ensure(ctx, id, key)
}

// hurryWithin is what is left to a request that has not come whole when the node stops.
const hurryWithin = time.Second

// Stop drains the node: it accepts nothing new, finishes what is under way, tells clients to connect again, and closes
// the store. Calling it again returns the first call's result.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, s.config.DrainTimeout)
		defer cancel()
		started := time.Now()
		shutdown := make(chan error, 1)
		go func() { shutdown <- s.http.Shutdown(ctx) }()
		s.listener.Hurry(hurryWithin)
		s.rest.Hurry()
		s.gateway.Drain(s.config.DrainTimeout)
		err := <-shutdown
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(err, s.http.Close())
		}
		if s.metricsHTTP != nil {
			err = errors.Join(err, s.metricsHTTP.Close())
		}
		err = errors.Join(err, s.debug.close())
		s.background()
		s.running.Wait()
		if leave := s.devices.Leave(context.WithoutCancel(ctx)); leave != nil {
			s.log.Warn("give the lease back", telemetry.FieldError, leave)
		}
		s.stopped = errors.Join(err, s.close())
		s.log.Info("stopped", telemetry.FieldDuration, time.Since(started))
	})
	return s.stopped
}

// close releases what was opened, the last first.
func (s *Server) close() error {
	all := []error{s.offered.Close()}
	if s.listener == nil && s.opened != nil {
		all = append(all, s.opened.Close())
	}
	if s.listener != nil {
		if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	if s.metricsListener != nil {
		if err := s.metricsListener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	all = append(all, s.debug.close())
	s.files.Close()
	if s.entered {
		all = append(all, s.node.Leave(context.Background()))
	}
	if s.bus != nil {
		all = append(all, s.bus.Close())
	}
	if s.db != nil {
		all = append(all, s.db.Close())
	}
	if s.lock != nil {
		all = append(all, s.lock.release())
	}
	return errors.Join(all...)
}
