package bus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// standing is what a NATS bus knows of its server, without nats.go's lock, which is held while a write to a stuck server
// lasts.
type standing struct {
	away  atomic.Bool // the connection is broken
	stuck atomic.Bool // a Flush had no answer in its time, and there was none since
	// Subscriptions that were made, and those of them that the server had at the last round trip.
	made, known atomic.Int64
}

// silent reports that the server does not answer now, so that it is no use to wait for it.
func (s *standing) silent() bool { return s.away.Load() || s.stuck.Load() }

// Flush implements [Bus]. In a cluster of NATS servers, "the server" is the one this node is connected to; the others
// learn of a subscription a moment later. While the connection is broken, and from the first Flush on that has waited in
// vain, it returns ErrDisconnected at once.
func (n *NATS) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushWait)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if n.closed.Load() {
		return ErrClosed
	}
	if n.silent() {
		return fmt.Errorf("flush: %w", ErrDisconnected)
	}
	ended := make(chan error, 1)
	if !n.apart(func() { ended <- n.roundTrip(ctx) }) {
		return ErrClosed
	}
	select {
	case err := <-ended:
		if err == nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		n.stick() //nolint:contextcheck // who waits for the server goes on after this Flush
	}
	return fmt.Errorf("flush: %w", ctx.Err())
}

// roundTrip returns when the server has processed all that came before.
func (n *NATS) roundTrip(ctx context.Context) error {
	made, passed := n.made.Load(), make(chan struct{})
	if !n.out.mark(outgoing{handed: passed}) {
		return ErrClosed
	}
	select {
	case <-passed:
	case <-ctx.Done():
		return fmt.Errorf("flush: %w", ctx.Err())
	}
	if err := n.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("flush: %w", n.meaning(err))
	}
	n.known.Store(made)
	return nil
}

// stick notes that the server does not answer, and has somebody wait until it does. The connection may never break
// meanwhile; but if there are subscriptions of which it may have heard late, their messages may have passed by, and a gap
// follows.
func (n *NATS) stick() {
	if !n.stuck.CompareAndSwap(false, true) {
		return
	}
	n.log.Warn("bus does not answer")
	n.apart(func() {
		for !n.closed.Load() && !n.away.Load() {
			ctx, cancel := context.WithTimeout(context.Background(), flushWait)
			known := n.known.Load()
			err := n.roundTrip(ctx)
			cancel()
			if err == nil {
				n.log.Info("bus answers again", telemetry.FieldURL, n.conn.ConnectedUrlRedacted())
				if n.stuck.Store(false); n.made.Load() > known {
					n.missed()
				}
				return
			}
		}
		n.stuck.Store(false) // it is away now, or closed
	})
}

// apart runs what may wait for nats.go's lock in a goroutine that Close waits for; false when the bus is closed.
func (n *NATS) apart(do func()) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed.Load() {
		return false
	}
	n.asking.Go(do)
	return true
}
