// Package gateway is the WebSocket door: connections, frames, login and logout of devices, heartbeats, and the delivery
// of pushes (docs/protocol/wire.md).
//
// It decodes a frame, knows which device the session is of, has the command served and writes the reply. It holds no
// rule of any command. A session that is asleep costs no goroutine; reading, work and writing borrow one for as long
// as there is something to do.
package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/config"
	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/stranger"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Gateway holds this node's sessions.
type Gateway struct {
	config   *config.Config
	apps     *app.Apps
	devices  *devices.Devices
	registry *command.Registry
	router   *event.Router
	log      *slog.Logger
	metrics  *telemetry.Metrics
	refusals *telemetry.Refusals
	own      map[string]*telemetry.CommandMetrics // of the commands served here, by name
	hub      *hub
	poller   *poller // nil where sessions do not sleep
	clock    *clock.Clock
	crew     crew
	ping     *frame // asks a quiet client for a sign of life

	strangers *stranger.Strangers
	groups    func(context.Context, im.AccountID) ([]int64, error)
	presence  Presence
	live      Live
	regroups  regroups
	walkers   walkers

	// Few connections are served or written at the same moment, so they share these.
	readers, mailboxes, outboxes sync.Pool

	writeTimeout time.Duration
	connections  sync.Map // *Session → struct{}
	count        atomic.Int64
	guestQueue   atomic.Int64 // bytes that wait to be written to guests, all together
	numbers      atomic.Uint64
	draining     atomic.Bool
	stop         chan struct{}
	gaps         chan struct{} // the bus had a gap since the last audit
}

// Parts are the rooms that a gateway works with.
type Parts struct {
	Config   *config.Config
	Apps     *app.Apps
	Devices  *devices.Devices
	Registry *command.Registry
	Router   *event.Router
	Bus      bus.Bus
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	// Clock is the server's; nil is the system's. Time-outs of the network do not go by it.
	Clock *clock.Clock
	// Refusals is what all doors share; nil makes one for this door.
	Refusals *telemetry.Refusals
	// Strangers is what all doors know of strangers; nil slows none of them.
	Strangers *stranger.Strangers
	// Groups gives the numbers of the groups that an account is in; nil is a server without groups.
	Groups func(ctx context.Context, account im.AccountID) ([]int64, error)
	// Presence is told of sessions and of news of others; nil is a server without presence.
	Presence Presence
	// Live is told of sessions in live rooms; nil is a server without any.
	Live Live
}

// New makes a gateway and starts looking after idle connections.
func New(p Parts) *Gateway {
	if p.Refusals == nil {
		p.Refusals = telemetry.NewRefusals(p.Log, p.Metrics, p.Clock)
	}
	if p.Strangers == nil {
		p.Strangers = stranger.New(0, p.Clock)
	}
	g := &Gateway{
		config: p.Config, apps: p.Apps, devices: p.Devices, registry: p.Registry, router: p.Router,
		log: p.Log, metrics: p.Metrics, refusals: p.Refusals, strangers: p.Strangers,
		stop: make(chan struct{}), gaps: make(chan struct{}, 1), own: ownMetrics(p.Metrics),
		clock: p.Clock, crew: crew{clock: p.Clock}, ping: newControl(pingFrame, nil), writeTimeout: writeTimeout,
	}
	if g.groups = p.Groups; g.groups == nil {
		g.groups = func(context.Context, im.AccountID) ([]int64, error) { return nil, nil }
	}
	if g.presence = p.Presence; g.presence == nil {
		g.presence = nobody{}
	}
	if g.live = p.Live; g.live == nil {
		g.live = noLive{}
	}
	g.hub = newHub(g, p.Bus)
	g.startPoller()
	g.startWalkers()
	g.crew.add()
	go g.sweep(g.clock.NewTicker(sweepEvery))
	return g
}

const handshakeTimeout = 5 * time.Second

// Serves tells whether a path is this door's: whatever prefix stands in the client's proxyServer is left alone.
func Serves(path string) bool {
	return strings.HasSuffix(path, binaryPath) || strings.HasSuffix(path, textPath)
}

// The ends of the two paths. Clients of the first want binary frames, of the second text frames.
const (
	binaryPath = "/binfo"
	textPath   = "/info"
)

// ServeHTTP opens a connection. Login comes later, by a command.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	appID, err := strconv.ParseUint(query.Get("sdkappid"), 10, 32)
	if g.draining.Load() || g.count.Load() >= int64(g.config.MaxConnections) {
		g.turnAway(w, r, "full", "no room for another connection", http.StatusServiceUnavailable)
		return
	}
	if err != nil {
		g.turnAway(w, r, "app-invalid", "sdkappid must be the number of an application", http.StatusBadRequest)
		return
	}
	if !upgrades(r) {
		g.noUpgrade(w, r)
		return
	}
	if !g.crew.join() { // until the connection has ended
		http.Error(w, "the server stops", http.StatusServiceUnavailable)
		return
	}
	platform, _ := strconv.ParseInt(query.Get("platform"), 10, 16)
	binary := strings.HasSuffix(r.URL.Path, binaryPath)
	s := &Session{
		gateway: g, number: g.numbers.Add(1), app: im.AppID(appID), platform: int16(platform), address: host(r.RemoteAddr),
		variant: variantOf(binary, query.Get("compress") == "gzip"), lite: isLite(query.Get("sdkversion")),
		origin: unique.Make(originOf(r)),
	}
	s.heard()
	s.login.since = uint32(s.seen.Load())
	socket, early, err := handshake(w, r)
	if err != nil {
		g.log.Debug("handshake", telemetry.FieldError, err)
		g.crew.done()
		return
	}
	s.socket = socket
	if g.poller != nil {
		s.descriptor = descriptorOf(socket)
	}
	g.open(s)
	reader := g.reader(s)
	reader.end = copy(reader.buffer[:], early)
	// A fresh goroutine, so that net/http's own, with its request and buffers, can end.
	go reader.run()
}

// firstLite is the major version with which the web client's newer line began to count; the full one is at 3.
const firstLite = 4

// isLite tells the web client's newer line by its version; a client that gives none is of the older one.
func isLite(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= firstLite
}

// open begins the bookkeeping of a connection.
func (g *Gateway) open(s *Session) {
	g.connections.Store(s, struct{}{})
	g.count.Add(1)
	g.metrics.Connections.Inc()
	if g.draining.Load() { // Drain may have come by before the connection was there
		s.finish()
	}
}

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return strings.Clone(h)
}

// forget ends the bookkeeping of a closed connection.
func (g *Gateway) forget(s *Session) {
	g.connections.Delete(s)
	g.count.Add(-1)
	g.metrics.Connections.Dec()
}
