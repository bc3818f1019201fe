package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// flushWait bounds Flush when its context does not.
const flushWait = 10 * time.Second

// NATS is a bus over a NATS server or cluster, whose interest graph is the routing table between nodes. Subjects are
// magpie.<cluster>.<kind>.<id>.
//
// A goroutine per subscription, which is what nats.go offers first, takes 2.4 KB for each idle one. Here all share three
// goroutines (see nats_pump.go), an idle subscription takes 0.4 KB, and handlers receive in the order of the connection.
type NATS struct {
	conn   *nats.Conn
	log    *slog.Logger
	prefix string // "magpie.<cluster>."

	out      *queue[outgoing]
	arrivals chan *nats.Msg // filled by nats.go's reader, which drops rather than waits
	in       *queue[incoming]

	changing sync.Mutex // one Subscribe or Unsubscribe at a time; may wait for the network, so not mu
	mu       sync.RWMutex
	routes   map[Subject]route

	gap       atomic.Pointer[func()]
	gapQueued atomic.Bool

	closed    atomic.Bool
	closeOnce sync.Once
	closing   chan struct{}
	sending   sync.WaitGroup
	receiving sync.WaitGroup
	asking    sync.WaitGroup
	standing

	published, received, dropped, reconnects atomic.Uint64
}

var _ Bus = (*NATS)(nil)

// ConnectNATS joins the bus of the service called cluster (letters, digits, - and _) and returns once it is connected
// or the first attempt has failed; from then on it reconnects for ever. url and opts are what nats.Connect takes: several
// servers separated by commas, tls:// and ws:// schemes, user and password or token in the URL, credential files. Options
// that would undo the promises of this package (reconnecting, limits, handlers) are overridden. A nil log discards.
func ConnectNATS(ctx context.Context, url, cluster string, log *slog.Logger, opts ...nats.Option) (*NATS, error) {
	return connectNATS(ctx, target{url, cluster}, log, defaultLimits(), opts...)
}

// target is the service to join, and the address of its NATS server.
type target struct{ url, cluster string }

func connectNATS(ctx context.Context, at target, log *slog.Logger, lim limits, opts ...nats.Option) (*NATS, error) {
	if err := checkCluster(at.cluster); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	n := &NATS{
		log:      log.With(telemetry.FieldCluster, at.cluster),
		prefix:   "magpie." + at.cluster + ".",
		out:      newQueue[outgoing](lim.out),
		arrivals: make(chan *nats.Msg, lim.arrivals),
		in:       newQueue[incoming](lim.in),
		routes:   make(map[Subject]route),
		closing:  make(chan struct{}),
	}
	conn, err := dial(ctx, at.url, slices.Concat(opts, n.options(lim)))
	if err != nil {
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	if got := conn.MaxPayload(); got < MaxData {
		conn.Close()
		return nil, fmt.Errorf("connect to nats: max_payload of the server is %d, needs at least %d", got, MaxData)
	}
	n.conn = conn
	n.sending.Go(n.send)
	n.receiving.Go(n.accept)
	n.receiving.Go(n.dispatch)
	n.log.Info("bus connected", telemetry.FieldURL, conn.ConnectedUrlRedacted())
	return n, nil
}

// Publish implements [Bus]. While the server is away messages wait in two bounded buffers, 40 MiB together; those that
// do not fit are dropped, and a gap follows.
func (n *NATS) Publish(s Subject, data []byte) error {
	if err := checkMessage(s, data); err != nil {
		return err
	}
	if err := n.out.push(outgoing{subject: s, data: data}, len(data)); err != nil {
		if errors.Is(err, ErrFull) {
			n.dropped.Add(1)
		}
		return err
	}
	n.published.Add(1)
	return nil
}

// Close implements [Bus]. It waits for a Receive that is running, and for a stuck connection at most writeWait.
func (n *NATS) Close() error {
	n.closeOnce.Do(func() {
		n.mu.Lock()
		n.closed.Store(true)
		n.mu.Unlock()
		n.out.close()
		n.sending.Wait()
		n.changing.Lock() // a Subscribe that is under way ends first
		n.conn.Close()
		n.changing.Unlock()
		n.asking.Wait()
		close(n.closing)
		n.in.close()
		n.receiving.Wait()
	})
	return nil
}

// OnGap sets the function that is called when messages to this node may have been lost: after each reconnect, once all
// subscriptions live again, and after the node was too slow and dropped messages. f should see to it that all that may
// have been missed is read again (clients sync when they are sent a resync). f is called between two calls of Receive and
// must not block either. Other nodes cannot know which messages of this node they missed as its connection broke, so f
// should publish to KindAll that there was a gap.
func (n *NATS) OnGap(f func()) { n.gap.Store(&f) }

// Connected reports whether this node is connected to the server now.
func (n *NATS) Connected() bool { return n.conn.IsConnected() }

// Stats may be read at any time, also after Close.
func (n *NATS) Stats() Stats {
	return Stats{n.published.Load(), n.received.Load(), n.dropped.Load(), n.reconnects.Load()}
}
