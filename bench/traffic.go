package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/client"
)

// traffic is connections that send to each other.
type traffic struct {
	watch    stopwatch
	target   target
	size     int
	copies   int64 // to how many connections each message is pushed; 0 is one
	atOnce   int   // sends of one connection that a closed loop keeps in flight
	peers    peers
	progress io.Writer
	drivers  []*driver
	sendAt   func(k int, due int64) // sends message k of a timetable; nil has the drivers do it in turns

	meter    atomic.Pointer[meter]
	usage    func(context.Context) usage // what the servers have used so far; nil where nobody can tell
	open     atomic.Bool                 // the phase sends by a timetable
	stopping atomic.Bool
	inFlight atomic.Int64
}

// driver sends on one connection.
type driver struct {
	traffic *traffic
	client  *client.Client
	then    func(client.Sent, error)
	to      []string // whom it sends to in turn; the first is the other one of its pair

	group string // that it sends to instead; empty for none

	mutex   sync.Mutex // held while a message is made and handed over, so that they leave in the order of their seq
	payload []byte
	seq     uint32
	due     [maxInFlight]atomic.Int64 // of the messages in flight, by seq modulo its length
}

func newTraffic(t target, o *C2COptions) *traffic {
	traffic := &traffic{
		watch: stopwatch{now()}, target: t, size: o.Size, atOnce: max(o.InFlight, 1), progress: o.Progress,
		peers: newPeers(o.Connections, chatsOf(o.Connections, o.Chats)),
	}
	traffic.meter.Store(newMeter(0, 0))
	return traffic
}

// maxInFlight bounds the messages of one connection that wait for their answer. A server so far behind a timetable gets
// its errors counted as "busy".
const maxInFlight = 1024

// connect logs users in until there are n. After the first they make no syncs, so every delivery is a push.
func (t *traffic) connect(ctx context.Context, n int) error {
	first := len(t.drivers)
	clients, err := t.target.dial(ctx, first, n, func(_ int, o *client.Options) {
		receive := t.receiver()
		o.NoSync, o.MaxPending, o.Window = true, maxInFlight, 1
		o.OnMessage = func(m client.Message) { receive(m.From, m.Seq, m.Elements) }
		o.OnGroupMessage = func(m client.GroupMessage) { receive(m.From, m.Seq, m.Elements) }
	})
	for i, c := range clients {
		d := &driver{traffic: t, client: c, to: t.names(t.peers[first+i]), payload: newPayload(t.size)}
		d.then = d.answered
		t.drivers = append(t.drivers, d)
	}
	return err
}

func (t *traffic) names(users []int) []string {
	names := make([]string, 0, len(users))
	for _, user := range users {
		names = append(names, t.target.user(user))
	}
	return names
}

func (t *traffic) close() {
	for _, d := range t.drivers {
		_ = d.client.Close()
	}
}

// receiver counts what one client is given, and what came after a later message of the same sender. A sender numbers its
// messages through all its chats.
func (t *traffic) receiver() func(from string, seq uint32, elements []client.Element) {
	last := map[string]uint32{}
	return func(from string, seq uint32, elements []client.Element) {
		due, ok := readStamp(elements)
		if !ok {
			return
		}
		counts := t.meter.Load()
		if seq <= last[from] {
			counts.disordered.Add(1)
		}
		last[from] = seq
		counts.deliverOne(due, t.watch.ns(), t.open.Load())
	}
}

// next makes the connection's next message, to the group, or to the next of its peers unless one is named. The mutex is held.
func (d *driver) next(to string, due int64) client.Outgoing {
	d.seq++
	stamp(d.payload, due)
	out := client.Outgoing{To: to, Body: jsontext.Value(d.payload), Seq: d.seq}
	switch {
	case to != "":
	case d.group != "":
		out.Group = d.group
	default:
		out.To = d.to[int(d.seq)%len(d.to)]
	}
	return out
}

// sendTo sends one message, made at the moment given, and waits for its answer.
func (d *driver) sendTo(ctx context.Context, to string, at int64) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	_, err := d.client.Send(ctx, d.next(to, at))
	return err
}

// send sends a message that was due at the moment given.
func (d *driver) send(due int64) {
	t := d.traffic
	t.inFlight.Add(1)
	t.meter.Load().sent.Add(1)
	if err := d.handOver(due); err != nil {
		d.failed(err)
	}
}

func (d *driver) handOver(due int64) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	out := d.next("", due)
	d.due[out.Seq%maxInFlight].Store(due)
	return d.client.SendAsync(out, d.then)
}

// answered runs on the connection's reader. In a closed loop it sends the next message.
func (d *driver) answered(sent client.Sent, err error) {
	if err == nil && sent.Dropped != "" {
		err = errDropped
	}
	if err != nil {
		d.failed(err)
		return
	}
	t := d.traffic
	t.meter.Load().ackOne(d.due[sent.Seq%maxInFlight].Load(), t.watch.ns(), t.open.Load())
	t.inFlight.Add(-1)
	d.again()
}

// failed waits a little before the next message of a closed loop, so that a server that refuses all is not hammered.
func (d *driver) failed(err error) {
	const rest = 10 * time.Millisecond
	d.traffic.meter.Load().fail(err)
	d.traffic.inFlight.Add(-1)
	time.AfterFunc(rest, d.again)
}

func (d *driver) again() {
	if t := d.traffic; !t.open.Load() && !t.stopping.Load() {
		d.send(t.watch.ns())
	}
}

// plan is one phase: a rate per second of all connections together, or 0 for a closed loop.
type plan struct {
	name             string
	rate             float64
	warmup, duration time.Duration
}

// run drives one phase and waits until everything sent is settled.
func (t *traffic) run(ctx context.Context, p plan) (Phase, error) {
	from := t.watch.ns() + int64(p.warmup)
	m := newMeter(from, from+int64(p.duration))
	t.meter.Store(m)
	t.open.Store(p.rate > 0)
	t.stopping.Store(false)
	reporting, stop := context.WithCancel(ctx)
	defer stop()
	go t.report(reporting, p.name, m)
	used := t.watchUsage(ctx, m)
	if p.rate > 0 {
		t.follow(ctx, p.rate, m.to)
	} else {
		t.loop(ctx, m.to)
	}
	t.stopping.Store(true)
	t.settle(ctx, m)
	found := m.phase(p.rate)
	found.Used = <-used
	return found, ctx.Err()
}

// loop sends on all connections until the moment given. The answers keep it going.
func (t *traffic) loop(ctx context.Context, end int64) {
	for range t.atOnce {
		for _, d := range t.drivers {
			d.send(t.watch.ns())
		}
	}
	_ = wait(ctx, time.Duration(end-t.watch.ns()))
}

// follow sends by a timetable, evenly over the connections, until the moment given: message k is due k/rate seconds
// after the start, whether or not earlier ones have been answered.
func (t *traffic) follow(ctx context.Context, rate float64, end int64) {
	sleeper := newSleeper()
	defer sleeper.release()
	start := t.watch.ns()
	for k := 0; ctx.Err() == nil; k++ {
		due := start + int64(float64(k)*1e9/rate)
		if due >= end {
			return
		}
		sleeper.until(t.watch, due)
		t.meter.Load().late.record(t.watch.ns() - due)
		if t.sendAt != nil {
			t.sendAt(k, due)
			continue
		}
		t.drivers[k%len(t.drivers)].send(due)
	}
}

// settle waits for the answers still out and for the pushes that follow them.
func (t *traffic) settle(ctx context.Context, m *meter) {
	const answers, pushes = 20 * time.Second, 2 * time.Second
	until(ctx, answers, func() bool { return t.inFlight.Load() == 0 })
	until(ctx, pushes, func() bool { return m.delivered.Load() >= m.acked.Load()*max(t.copies, 1) })
}

// report prints a line each second until ctx ends.
func (t *traffic) report(ctx context.Context, name string, m *meter) {
	for second := 1; wait(ctx, time.Second) == nil; second++ {
		acked, delivered, failed := m.acked.Load(), m.delivered.Load(), m.failed.Load()
		_, _ = fmt.Fprintf(t.progress, "%-6s %3d s  %7d acked/s  %7d delivered/s  %5d in flight  %d errors\n", name, second,
			acked-m.lastAcked, delivered-m.lastDelivered, t.inFlight.Load(), failed-m.lastFail)
		m.lastAcked, m.lastDelivered, m.lastFail = acked, delivered, failed
	}
}
