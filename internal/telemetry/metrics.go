package telemetry

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds the scrapes answered at once; another gets 503. Each builds the whole page in memory.
const maxScrapes = 4

// Metrics are a node's measurements, on a registry of their own, so that several nodes in one process (as in tests) do
// not add up. Label values must come from our own code or from a table, never from a request: each new value is a new
// series that lives until the node stops.
//
// A collector with labels looks its series up at every use. On a hot path resolve it once with WithLabelValues and keep
// the result; for commands, Command does that.
type Metrics struct {
	registry *prometheus.Registry

	// CommandTotal and CommandSeconds are written through Command.
	CommandTotal   *prometheus.CounterVec   // command, code, door
	CommandSeconds *prometheus.HistogramVec // command, door

	Connections      prometheus.Gauge       // open WebSockets, logged in or not
	Sessions         prometheus.Gauge       // logged-in ones among them
	Disconnects      *prometheus.CounterVec // reason
	PushFrames       prometheus.Counter     // frames handed to writer queues that no request asked for
	PushBytes        prometheus.Counter     // their bytes, before compression
	LiveSkipped      prometheus.Counter     // pushes of live rooms that a session did not get, as it had fallen behind
	WriterQueueBytes prometheus.Gauge       // waiting in all writer queues together
	Dropped          *prometheus.CounterVec // reason; what a limit made the node give up, other than connections

	Refused     *prometheus.CounterVec // door, reason; calls and connections refused before any command saw them
	Handshakes  prometheus.Counter     // TLS handshakes that failed
	AcceptFails *prometheus.CounterVec // reason; connections that could not be accepted

	CommitSeconds prometheus.Histogram // one commit, from its begin to the disk's answer
	CommitBatch   prometheus.Histogram // writes that shared one commit

	WebhookDead     prometheus.Counter       // callbacks given up
	WebhookSeconds  *prometheus.HistogramVec // kind
	WebhookOutcomes *prometheus.CounterVec   // app, hook, kind, outcome

	mu       sync.Mutex
	commands map[commandName]*CommandMetrics
}

// NewMetrics makes the collectors and registers them, together with those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), commands: map[commandName]*CommandMetrics{}}
	m.makeCommands()
	m.makeSessions()
	m.makeDoors()
	m.makeCommits()
	m.makeWebhooks()
	m.registry.MustRegister(
		m.CommandTotal, m.CommandSeconds,
		m.Connections, m.Sessions, m.Disconnects, m.PushFrames, m.PushBytes, m.LiveSkipped, m.WriterQueueBytes, m.Dropped,
		m.Refused, m.Handshakes, m.AcceptFails,
		m.CommitSeconds, m.CommitBatch,
		m.WebhookDead, m.WebhookSeconds, m.WebhookOutcomes,
		buildInfo(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func (m *Metrics) makeCommands() {
	m.CommandTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_commands_total", Help: "Calls answered, by command, error code (0 is success) and door.",
	}, []string{"command", "code", "door"})
	m.CommandSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "magpie_command_seconds", Help: "Time from a call's arrival to its reply, by command and door.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3, 10},
	}, []string{"command", "door"})
}

func (m *Metrics) makeSessions() {
	m.Connections = gauge("magpie_connections", "Open WebSockets.")
	m.Sessions = gauge("magpie_sessions", "WebSockets that are logged in.")
	m.Disconnects = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_disconnects_total", Help: "WebSockets that ended, by reason.",
	}, []string{"reason"})
	m.PushFrames = counter("magpie_push_frames_total", "Frames pushed to clients, other than replies.")
	m.PushBytes = counter("magpie_push_bytes_total", "Bytes of the frames pushed to clients, before compression.")
	m.LiveSkipped = counter("magpie_live_skipped_total", "Pushes of live rooms that a session skipped because it had fallen behind.")
	m.WriterQueueBytes = gauge("magpie_writer_queue_bytes", "Bytes that wait to be written to clients.")
	m.Dropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_dropped_total", Help: "Things given up because a limit was reached, by reason.",
	}, []string{"reason"})
}

func (m *Metrics) makeDoors() {
	m.Refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_refused_total", Help: "Calls and connections refused before any command saw them, by door and reason.",
	}, []string{"door", "reason"})
	m.Handshakes = counter("magpie_tls_handshake_failures_total", "TLS handshakes that failed.")
	m.AcceptFails = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_accept_failures_total", Help: "Connections that could not be accepted, by reason.",
	}, []string{"reason"})
}

func (m *Metrics) makeCommits() {
	m.CommitSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "magpie_commit_seconds", Help: "Time of one commit, from begin to the disk's answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
	})
	m.CommitBatch = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "magpie_commit_writes", Help: "Writes that shared one commit.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 11),
	})
}

// WatchCommitQueue publishes how many writes wait for a commit. read is called at each scrape, from any goroutine.
// Call it once.
func (m *Metrics) WatchCommitQueue(read func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "magpie_commit_queue", Help: "Writes that wait for their commit.",
	}, func() float64 { return float64(read()) }))
}

// BusCounts are a bus's totals since it was made.
type BusCounts struct {
	Published, Received, Dropped, Reconnects uint64
}

// WatchBus publishes the totals of the bus. read is called at each scrape, from any goroutine. Call it once.
func (m *Metrics) WatchBus(read func() BusCounts) {
	watch := func(name, help string, value func(BusCounts) uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(read())) }))
	}
	watch("magpie_bus_published_total", "Messages this node gave to the bus.",
		func(c BusCounts) uint64 { return c.Published })
	watch("magpie_bus_received_total", "Messages this node got from the bus.",
		func(c BusCounts) uint64 { return c.Received })
	watch("magpie_bus_dropped_total", "Messages lost to a limit of this node.",
		func(c BusCounts) uint64 { return c.Dropped })
	watch("magpie_bus_reconnects_total", "Times the connection to the bus was made anew.",
		func(c BusCounts) uint64 { return c.Reconnects })
}

// Registry is for what belongs to one room only and needs no field here: an outbox's length, a cache's hits. Names start
// with "magpie_".
func (m *Metrics) Registry() prometheus.Registerer { return m.registry }

// Handler serves the metrics to a Prometheus server. It asks for no password: the caller decides at which address it is served.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// Version is the version that the build recorded, or "unknown".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Build tells what is running in one line: the version, the commit with its time, Go and the platform. What the build did not record
// is left out.
func Build() string {
	line := Version()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return line
	}
	recorded := map[string]string{}
	for _, setting := range info.Settings {
		recorded[setting.Key] = setting.Value
	}
	if commit := recorded["vcs.revision"]; commit != "" {
		line += ", commit " + commit[:min(len(commit), 12)] + " of " + recorded["vcs.time"]
		if recorded["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	return fmt.Sprintf("%s, %s, %s/%s", line, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildInfo is the usual gauge that is always 1 and tells by its labels what is running.
func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": Version(), "revision": "unknown", "go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				labels["revision"] = setting.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "magpie_build_info", Help: "What is running, in the labels.", ConstLabels: labels,
	})
	g.Set(1)
	return g
}
