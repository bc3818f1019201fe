package bus

import (
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// Three goroutines carry all messages, each in order:
//
//	Publish → out → send → nats.go → server → nats.go → arrivals → accept → in → dispatch → Receive
//
// send is apart from Publish because nats.go writes to the socket under its lock, and a stuck server would hold up
// every publisher for writeWait. accept is apart from dispatch because nats.go hands over through a channel, which is
// bounded in messages only and takes as much memory as it has slots; accept never waits, so few slots do.

// outgoing is a message for the server, or Flush's mark: handed is closed once nats.go has all before the mark.
type outgoing struct {
	subject Subject
	data    []byte
	handed  chan struct{}
}

// incoming is a message for a handler, or the mark of a gap.
type incoming struct {
	subject Subject
	data    []byte
	gap     bool
}

func (n *NATS) send() {
	var batch []outgoing
	failing := false
	for {
		var open bool
		if batch, open = n.out.take(batch); !open {
			return
		}
		for _, m := range batch {
			if m.handed != nil {
				close(m.handed)
				continue
			}
			err := n.conn.Publish(n.name(m.subject), m.data)
			if err != nil {
				n.unsent(err, !failing)
			}
			failing = err != nil
		}
	}
}

// unsent counts a message that nats.go did not take; first is true for the first of several in a row, and only that is
// logged.
// After a failed write nats.go may have thrown away other bytes that it buffered, subscriptions among them, and go on
// as if nothing had happened; a new connection puts that right.
func (n *NATS) unsent(err error, first bool) {
	n.dropped.Add(1)
	if first {
		n.log.Warn("bus cannot send, dropping messages", telemetry.FieldError, err)
	}
	switch {
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrMaxPayload):
	default:
		_ = n.conn.ForceReconnect() // fails only when closed
	}
}

func (n *NATS) accept() {
	for {
		select {
		case m := <-n.arrivals:
			s, ok := n.subject(m.Subject)
			if ok && errors.Is(n.in.push(incoming{subject: s, data: m.Data}, len(m.Data)), ErrFull) {
				n.lost()
			}
		case <-n.closing:
			return
		}
	}
}

func (n *NATS) dispatch() {
	var batch []incoming
	for {
		var open bool
		if batch, open = n.in.take(batch); !open {
			return
		}
		for _, m := range batch {
			if n.closed.Load() {
				return
			}
			n.deliver(m)
		}
	}
}

func (n *NATS) deliver(m incoming) {
	if m.gap {
		n.gapQueued.Store(false)
		if f := n.gap.Load(); f != nil {
			(*f)()
		}
		return
	}
	// Looked up only now, so that nothing arrives after Unsubscribe.
	if h := n.route(m.subject).handler; h != nil {
		n.received.Add(1)
		h.Receive(m.subject, m.data)
	}
}

// lost counts a message that came too fast, and logs it if it is the first since the last gap.
func (n *NATS) lost() {
	n.dropped.Add(1)
	if n.missed() {
		n.log.Warn("bus is too slow for what it receives, dropping messages")
	}
}

// missed puts the mark of a gap behind the messages that wait now. One mark stands for every loss until dispatch comes to
// it: by then the messages before it are handled, which keeps an overloaded node from resyncs without end.
func (n *NATS) missed() bool {
	return n.gapQueued.CompareAndSwap(false, true) && n.in.mark(incoming{gap: true})
}
