// Package node is what a running server says of itself in the store: by which bus it hears the others, so that servers
// that cannot hear each other do not share a database, and whether it can still write.
//
// It knows nothing of what the servers do.
package node

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Parts are what a node stands on.
type Parts struct {
	DB *db.DB
	// Bus is what joins the node with others; nil when nothing does.
	Bus bus.Bus
	Log *slog.Logger
	// Clock is the server's; nil is the system's.
	Clock *clock.Clock
}

// Node is one running server. It is safe for concurrent use.
type Node struct {
	Parts
	key     int64 // drawn by the process
	process string
	sampled *telemetry.Sampled

	leaseFor, renewEvery, lookEvery time.Duration

	mutex   sync.Mutex
	heard   map[int64]bool // who answered on the bus
	trouble error          // why the node should not serve, as Keep found

	probe probe
}

// New makes a node; other nodes do not know of it before Enter.
func New(p Parts) *Node {
	return &Node{
		Parts: p, key: rand.Int64N(1<<62) + 1, process: ownProcess(), sampled: telemetry.NewSampled(p.Log, p.Clock),
		leaseFor: leaseFor, renewEvery: renewEvery, lookEvery: lookEvery, heard: map[int64]bool{},
	}
}
