package bench

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/magpie-im/magpie/client"
)

// meter counts one phase of traffic. What lies outside its window is counted in the totals only.
type meter struct {
	from, to int64 // the window, on the run's stopwatch

	sent, acked, delivered             atomic.Int64 // in all
	windowAcked, windowDelivered       atomic.Int64 // arrived in the window
	disordered                         atomic.Int64 // delivered after a later one of the same sender
	ack, delivery, late                histogram
	mutex                              sync.Mutex
	failures                           map[string]int64
	failed                             atomic.Int64
	lastAcked, lastDelivered, lastFail int64 // of the last progress line
}

// Phase is what one phase of traffic measured.
type Phase struct {
	// Rate is the sends per second that were to be made; 0 when each connection sent as soon as it had its answer.
	Rate    float64 `json:"rate"`
	Seconds float64 `json:"seconds"`
	// AckedPerSecond and DeliveredPerSecond count what arrived in the window, whenever it was sent.
	AckedPerSecond     float64 `json:"acked_per_second"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	// Ack and Delivery are counted from the moment of sending; in an open loop, from the moment at which it was due.
	Ack      Latency `json:"ack"`
	Delivery Latency `json:"delivery"`
	// Late is how long after its due moment an open loop came to send a message: the part of the latencies that is this
	// process's own.
	Late Latency `json:"late"`
	// Acked and Delivered count the whole phase, warming up included. Every acked message is pushed to its receiver,
	// who is online, so the two are the same unless the server gave up on a slow client.
	Sent      int64 `json:"sent"`
	Acked     int64 `json:"acked"`
	Delivered int64 `json:"delivered"`
	// Disordered counts messages that were delivered after a later one of the same sender.
	Disordered int64 `json:"disordered"`
	// Used is what the servers used for the messages that were acknowledged in the window.
	Used Used `json:"used"`
	// OthersCPU is how many processors others kept busy meanwhile, a PostgreSQL among them. Figures with much of it say
	// little.
	OthersCPU float64 `json:"others_cpu,omitzero"`
	// Errors counts failed sends by the server's code or the client's reason.
	Errors map[string]int64 `json:"errors"`
}

func newMeter(from, to int64) *meter { return &meter{from: from, to: to, failures: map[string]int64{}} }

// ackOne takes the answer, at the moment at, to a message that was due at the moment due. In an open loop the window is
// that of the due moments, so that what the server makes wait is not left out at the end.
func (m *meter) ackOne(due, at int64, open bool) {
	m.acked.Add(1)
	arrived := m.from <= at && at < m.to
	if arrived {
		m.windowAcked.Add(1)
	}
	if open && m.from <= due && due < m.to || !open && arrived {
		m.ack.record(at - due)
	}
}

func (m *meter) deliverOne(due, at int64, open bool) {
	m.delivered.Add(1)
	arrived := m.from <= at && at < m.to
	if arrived {
		m.windowDelivered.Add(1)
	}
	if open && m.from <= due && due < m.to || !open && arrived {
		m.delivery.record(at - due)
	}
}

func (m *meter) fail(err error) {
	m.failed.Add(1)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.failures[reason(err)]++
}

// errDropped: the server has taken a group's message and not passed it on, as it had too many.
var errDropped = errors.New("dropped by the server")

// reason names a failure: the server's code, or the client's own word.
func reason(err error) string {
	var refused *client.Error
	switch {
	case errors.As(err, &refused):
		return strconv.Itoa(refused.Code)
	case errors.Is(err, errDropped):
		return "dropped"
	case errors.Is(err, client.ErrTimeout):
		return "timeout"
	case errors.Is(err, client.ErrBusy):
		return "busy"
	case errors.Is(err, client.ErrClosed), errors.Is(err, client.ErrDisconnected):
		return "disconnected"
	default:
		return "other"
	}
}

func (m *meter) phase(rate float64) Phase {
	seconds := milliseconds(m.to-m.from) / 1000
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return Phase{
		Rate: rate, Seconds: seconds,
		AckedPerSecond:     float64(m.windowAcked.Load()) / seconds,
		DeliveredPerSecond: float64(m.windowDelivered.Load()) / seconds,
		Ack:                m.ack.summary(), Delivery: m.delivery.summary(), Late: m.late.summary(),
		Sent: m.sent.Load(), Acked: m.acked.Load(), Delivered: m.delivered.Load(), Errors: m.failures,
		Disordered: m.disordered.Load(),
	}
}
