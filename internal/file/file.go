// Package file keeps what clients upload: pictures, sound, films and any other file (docs/protocol/wire.md#media).
//
// A client asks by a command for an address to upload to, sends the bytes there by HTTP, and puts the address to download
// from, which it got at the same time, into a message. The room has both: the commands, and the door of the two addresses. It
// does not know messages.
//
// The bytes are in a store, under names that rows give them. A file is there once its row is; the object is on the disk
// before that. What a node that was killed has left behind counts for nothing, and is removed in time (orphans.go).
package file

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/file/store"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Files is the room's state.
type Files struct {
	db       *db.DB
	store    store.Store // nil: the node takes no files
	apps     *app.Apps
	log      *slog.Logger
	refusals *telemetry.Refusals
	clock    *clock.Clock
	signer   signer
	origin   string
	patience time.Duration
	uploads  *gate
	studio   *studio
	metrics  metrics
}

// Parts are what the room is built on.
type Parts struct {
	DB *db.DB
	// Store has the bytes; nil is a node that takes no files and gives none out.
	Store    store.Store
	Apps     *app.Apps
	Log      *slog.Logger
	Refusals *telemetry.Refusals
	Clock    *clock.Clock // nil for the system's
	// Key gives the key that signs addresses: the same on every node and after every start. It is asked for at the first use.
	Key func() []byte
	// Origin stands at the beginning of addresses, "https://im.example.com"; empty takes the one by which the client came.
	Origin string
	// Patience is how long an upload or a download may stall. After it has passed, the rate must be up to minRate.
	Patience time.Duration
	// Uploads is how many uploads may be under way at once on this node.
	Uploads int
}

// New makes the room.
func New(on Parts) *Files {
	return &Files{
		db: on.DB, store: on.Store, apps: on.Apps, log: on.Log, refusals: on.Refusals, clock: on.Clock,
		signer: signer{on.Key}, origin: on.Origin, patience: on.Patience,
		uploads: newGate(on.Uploads), studio: newStudio(max(1, runtime.GOMAXPROCS(0)/2)), metrics: newMetrics(),
	}
}

// Commands is the room's table of contents.
func (f *Files) Commands() []command.Command {
	return []command.Command{
		f.ticketCommand(), f.ticketsCommand(), f.imageInfoCommand(), f.coverCommand(),
		f.banCommand(), f.unbanCommand(), f.inspectCommand(),
	}
}

// Close lets go of the store. Nobody is served any more then.
func (f *Files) Close() {
	if f != nil && f.store != nil {
		f.store.Close()
	}
}

// service is that of the room's commands.
const service = "im_cos_msg"

// metrics count what goes through the door.
type metrics struct {
	underWay prometheus.Gauge
	received prometheus.Counter
	bytes    prometheus.Counter
}

func newMetrics() metrics {
	return metrics{
		underWay: prometheus.NewGauge(prometheus.GaugeOpts{Name: "magpie_uploads", Help: "Uploads of files that are under way."}),
		received: prometheus.NewCounter(prometheus.CounterOpts{Name: "magpie_files_total", Help: "Files that were uploaded."}),
		bytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "magpie_file_bytes_total", Help: "Bytes of files that were uploaded."}),
	}
}

// Watch puts the room's figures among a node's.
func (f *Files) Watch(on prometheus.Registerer) {
	on.MustRegister(f.metrics.underWay, f.metrics.received, f.metrics.bytes)
}
