package bus

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	// writeWait is how long one write to the socket may take before the connection counts as broken.
	writeWait = 5 * time.Second
	// pingEvery and pingsLost make a silent connection count as broken after half a minute.
	pingEvery = 10 * time.Second
	pingsLost = 2
	// reconnectWait plus up to reconnectJitter passes between attempts, so that nodes do not come back in step.
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 750 * time.Millisecond
)

// limits bound what a NATS bus holds. Beyond them messages are dropped, counted and followed by a gap.
type limits struct {
	out       capacity // published, not yet taken by nats.go
	away      int      // bytes kept by nats.go while it reconnects
	arrivals  int      // messages between nats.go's reader and accept: a few milliseconds of scheduling
	in        capacity // received, not yet handled
	writeWait time.Duration
}

func defaultLimits() limits {
	return limits{
		out:       capacity{messages: 1 << 16, bytes: 32 << 20},
		away:      8 << 20,
		arrivals:  1 << 15,
		in:        capacity{messages: 1 << 16, bytes: 64 << 20},
		writeWait: writeWait,
	}
}

// options are applied after the caller's own, and so win over them.
func (n *NATS) options(lim limits) []nats.Option {
	return []nats.Option{
		nats.Name(n.prefix + "bus"),
		nats.RetryOnFailedConnect(false),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // or two refusals in a row would end it for ever
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.ReconnectBufSize(lim.away),
		nats.ReconnectOnFlusherError(), // or a write that timed out would lose subscriptions in silence
		nats.FlusherTimeout(lim.writeWait),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(pingsLost),
		nats.SkipSubjectValidation(), // they are all made by name
		nats.NoCallbacksAfterClientClose(),
		nats.DisconnectErrHandler(n.onDisconnect),
		nats.ReconnectHandler(n.onReconnect),
		nats.ErrorHandler(n.onError),
		nats.ClosedHandler(n.onClosed),
	}
}

// dial is nats.Connect, given up when ctx ends.
func dial(ctx context.Context, servers string, opts []nats.Option) (*nats.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var conn *nats.Conn
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err = nats.Connect(servers, opts...)
	}()
	select {
	case <-done:
		return conn, withoutURL(err)
	case <-ctx.Done():
		go func() {
			<-done
			conn.Close() // nil is allowed
		}()
		return nil, ctx.Err()
	}
}

// withoutURL removes a URL that could not be parsed from the error about it: it may hold a password.
func withoutURL(err error) error {
	if bad, ok := errors.AsType[*url.Error](err); ok {
		return bad.Err
	}
	return err
}

// meaning translates the error nats.go gives both when it is closed and when the connection has just broken.
func (n *NATS) meaning(err error) error {
	switch {
	case !errors.Is(err, nats.ErrConnectionClosed):
		return err
	case n.closed.Load():
		return ErrClosed
	default:
		return ErrDisconnected
	}
}

func (n *NATS) onDisconnect(_ *nats.Conn, err error) {
	n.away.Store(true)
	n.log.Warn("bus disconnected", telemetry.FieldError, err)
}

// onReconnect asks for a round trip before it declares the gap: subscriptions were sent again on this connection just
// before, so when the answer comes the server has them, and a resync that reads the database now misses nothing.
// If the round trip fails, another reconnect follows and with it another gap.
func (n *NATS) onReconnect(conn *nats.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), flushWait)
	defer cancel()
	err := conn.FlushWithContext(ctx)
	if err == nil {
		n.away.Store(false)
	}
	n.reconnects.Add(1)
	n.log.Info("bus reconnected", telemetry.FieldURL, conn.ConnectedUrlRedacted(), telemetry.FieldError, err)
	n.missed()
}

// onError is told of slow consumers (arrivals was full) and of what the server refuses, such as a subject this user may
// not subscribe to. A slow consumer is reported once for all that a subscription loses until it is served again.
func (n *NATS) onError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		n.lost()
		return
	}
	name := ""
	if sub != nil {
		name = sub.Subject
	}
	n.log.Error("bus error", telemetry.FieldSubject, name, telemetry.FieldError, err)
}

// onClosed is not called for our own Close, and nothing else should end the connection.
func (n *NATS) onClosed(conn *nats.Conn) {
	n.log.Error("bus connection ended for good", telemetry.FieldError, conn.LastError())
}
