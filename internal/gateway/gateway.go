// Package gateway is the WebSocket door: connections, frames, login and logout of devices, heartbeats, and the delivery
// of pushes (docs/protocol/wire.md).
//
// It decodes a frame, knows which account's device the connection is, has the command served and writes the reply. It
// holds no rule of any command. A connection costs one goroutine that waits for bytes; work and writing borrow one for
// as long as there is something to do.
package gateway

import (
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Gateway holds this node's connections.
type Gateway struct {
	config   *config.Config
	apps     *app.Apps
	devices  *device.Devices
	registry *command.Registry
	router   *event.Router
	log      *slog.Logger
	metrics  *telemetry.Metrics
	own      map[string]*telemetry.CommandMetrics // of the commands served here, by name
	hub      *hub
	clock    *clock.Clock
	upgrader *gws.Upgrader

	connections sync.Map // *Session → struct{}
	count       atomic.Int64
	numbers     atomic.Uint64
	draining    atomic.Bool
	stop        chan struct{}
	gaps        chan struct{}  // the bus had a gap since the last audit
	running     sync.WaitGroup // readers and lanes; Drain waits for them
}

// Parts are the rooms that a gateway works with.
type Parts struct {
	Config   *config.Config
	Apps     *app.Apps
	Devices  *device.Devices
	Registry *command.Registry
	Router   *event.Router
	Bus      bus.Bus
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Clock    *clock.Clock // nil is the system's
}

// readBuffer is small because 15,000 of them wait for bytes: a larger frame is read past it, straight into its place.
const readBuffer = 512

// New makes a gateway and starts looking after idle connections.
func New(p Parts) *Gateway {
	g := &Gateway{
		config: p.Config, apps: p.Apps, devices: p.Devices, registry: p.Registry, router: p.Router,
		log: p.Log, metrics: p.Metrics, stop: make(chan struct{}), own: ownMetrics(p.Metrics),
		clock: p.Clock, gaps: make(chan struct{}, 1),
	}
	g.hub = newHub(g, p.Bus)
	g.upgrader = gws.NewUpgrader(handler{}, &gws.ServerOption{
		ReadBufferSize:     readBuffer,
		ReadMaxPayloadSize: p.Config.MaxFrameBytes,
		ParallelGolimit:    1,
		CheckUtf8Enabled:   true,
		HandshakeTimeout:   handshakeTimeout,
		NewSession:         func() gws.SessionStorage { return &Session{} },
	})
	go g.sweep()
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
	if g.draining.Load() || g.count.Load() >= int64(g.config.MaxConnections) {
		http.Error(w, "no room for another connection", http.StatusServiceUnavailable)
		return
	}
	query := r.URL.Query()
	appID, err := strconv.ParseUint(query.Get("sdkappid"), 10, 32)
	if err != nil {
		http.Error(w, "sdkappid must be the number of an application", http.StatusBadRequest)
		return
	}
	conn, err := g.upgrader.Upgrade(w, r)
	if err != nil {
		g.log.Debug("upgrade", telemetry.FieldError, err)
		return
	}
	platform, _ := strconv.Atoi(query.Get("platform"))
	s := conn.Session().(*Session) // NewSession makes nothing else
	s.gateway, s.conn, s.number = g, conn, g.numbers.Add(1)
	s.app, s.platform, s.address = im.AppID(appID), im.Platform(platform), host(r.RemoteAddr)
	s.binary = strings.HasSuffix(r.URL.Path, binaryPath)
	s.inflates = s.binary && query.Get("compress") == "gzip"
	s.seen.Store(time.Now().Unix())
	g.connections.Store(s, struct{}{})
	g.count.Add(1)
	g.metrics.Connections.Inc()
	g.running.Add(1)
	// A fresh goroutine, so that net/http's own, with its request and buffers, can end.
	go s.readLoop()
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

// sweepEvery is how often idle connections are looked for.
const sweepEvery = 5 * time.Second

// sweep closes the connections that are silent for too long. A client that only receives sends nothing by itself for
// minutes, so half-way to the limit it is asked with a ping, which every WebSocket answers.
func (g *Gateway) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case now := <-tick.C:
			g.connections.Range(func(key, _ any) bool {
				key.(*Session).check(now, g.config.IdleTimeout)
				return true
			})
		}
	}
}

// Gap is for the moment after the bus may have lost events: sessions are held against the store, and clients are asked to
// pull what they missed. It does not wait for either.
func (g *Gateway) Gap() {
	select {
	case g.gaps <- struct{}{}:
	default: // an audit is due already
	}
	g.Resync()
}

// Resync asks every client to pull what it missed, because the bus lost events. The requests are spread over some
// seconds, so that they do not come all at once.
func (g *Gateway) Resync() {
	frame, err := g.router.Resync()
	if err != nil {
		g.log.Error("encode resync", telemetry.FieldError, err)
		return
	}
	const pause, each = 50 * time.Millisecond, 100
	go func() {
		n := 0
		g.connections.Range(func(key, _ any) bool {
			key.(*Session).enqueue(frame)
			if n++; n%each == 0 {
				select {
				case <-g.stop:
					return false
				case <-time.After(pause):
				}
			}
			return true
		})
	}()
}

// CloseAll closes every connection for a reason; clients come back by themselves.
func (g *Gateway) CloseAll(reason Disconnect) {
	g.connections.Range(func(key, _ any) bool {
		key.(*Session).close(reason)
		return true
	})
}

// Drain ends the gateway: it refuses new connections, lets the commands under way finish, tells every client to come
// back (to another node, or later to this one), and returns when all is done or the time is up.
func (g *Gateway) Drain(within time.Duration) {
	if !g.draining.CompareAndSwap(false, true) {
		return
	}
	g.connections.Range(func(key, _ any) bool {
		key.(*Session).finish()
		return true
	})
	close(g.stop)
	done := make(chan struct{})
	go func() {
		g.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(within):
		g.CloseAll(GoingAway)
	}
}
