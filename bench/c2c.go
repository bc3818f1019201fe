package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// C2COptions say what `magpie bench c2c` measures.
type C2COptions struct {
	Setup
	// There is a server that runs already. Without it the run starts one of its own, and can then also measure what the
	// disk and the store alone can do.
	There
	// Connections is a whole number of pairs.
	Connections int
	// Chats is how many chats the load is spread over, 0 one for each pair of connections.
	Chats int
	// Rate is sends per second of all connections together; 0 is a closed loop: each sends when it has its answer.
	Rate float64
	// InFlight is how many sends of one connection a closed loop keeps under way; 0 is 1.
	InFlight int
	// Rates are those of the open loops that follow a closed loop, in sends per second.
	Rates []int
	// Size is the length of a MsgBody in bytes.
	Size             int
	Warmup, Duration time.Duration
	// Webhooks also measures with an after-callback of every message, to a back end in this process.
	Webhooks bool
	// Repeating is how many clients send one message again and again in the phases that measure what they cost the
	// others; 0 leaves these phases out.
	Repeating int
	// Flooding is how many clients send as fast as they can in the phases that measure what they cost the others; 0 leaves
	// these phases out.
	Flooding int
	// Repeat is how often everything is done, on a new server each time.
	Repeat int
}

// C2CRun is one round of measurements. What could not be measured is zero or nil.
type C2CRun struct {
	// FsyncMS is the median of 4 KiB appended and fsynced on the store's disk, between the phases.
	FsyncMS float64 `json:"fsync_ms,omitzero"`
	// RawPerSecond is the rate of group commits without a server, and RawAloneMS the time of one when there is nothing
	// else; both the mean of before and after.
	RawPerSecond float64 `json:"raw_per_second,omitzero"`
	RawAloneMS   float64 `json:"raw_alone_ms,omitzero"`
	// Alone is the latency of one connection on an idle server, one send at a time.
	Alone *Latency `json:"alone_ack,omitempty"`
	Main  Phase    `json:"main"`
	// Fixed are open loops at the same rates in every run.
	Fixed []FixedRate `json:"fixed,omitempty"`
	// Told is Main again, with an after-callback of every message; ToldPerSecond is how many arrived meanwhile, and
	// ToldAfterSeconds how long the last of them came after it.
	Told             *Phase  `json:"told,omitempty"`
	ToldPerSecond    float64 `json:"told_per_second,omitzero"`
	ToldAfterSeconds float64 `json:"told_after_seconds,omitzero"`
	// Repeated is Main again in turns, without and with clients that repeat.
	Repeated *Repeated `json:"repeated,omitempty"`
	// Flooded is an open loop in turns, without and with clients that send as fast as they can.
	Flooded *Flooded `json:"flooded,omitempty"`
	// OthersCPU is that of the whole round; see Phase.
	OthersCPU float64 `json:"others_cpu,omitzero"`
}

// shortest is a phase in which something can be counted. Figures to publish take seconds.
const shortest = 100 * time.Millisecond

// Validate refuses what cannot be run.
func (o *C2COptions) Validate() error {
	switch {
	case o.Connections < 2 || o.Connections%2 != 0:
		return errors.New("--connections: want an even number, as connections send to each other in pairs")
	case o.Size < minSize:
		return fmt.Errorf("--size: want at least %d bytes", minSize)
	case o.Repeating < 0 || o.Repeating > maxRepeating:
		return fmt.Errorf("--repeating: want 0 to %d", maxRepeating)
	case o.Flooding < 0 || o.Flooding > maxFlooding:
		return fmt.Errorf("--flooding: want 0 to %d", maxFlooding)
	case o.Rate < 0 || o.Warmup < 0 || o.Duration < shortest || o.Repeat < 1:
		return errors.New("--duration: want at least 100ms; --repeat: at least 1; --rate and --warmup: not below zero")
	case o.InFlight < 0 || o.InFlight > maxInFlight/2:
		return fmt.Errorf("--in-flight: want 1 to %d", maxInFlight/2)
	}
	return errors.Join(validChats(o.Connections, o.Chats), validRates(o.Rates), o.There.validate())
}

// C2C runs the measurements.
func C2C(ctx context.Context, o C2COptions) (*C2CReport, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	report := &C2CReport{
		Store: o.store(), Connections: o.Connections, Chats: chatsOf(o.Connections, o.Chats), Rate: o.Rate,
		InFlight: max(o.InFlight, 1), Rates: o.fixedRates(), Size: o.Size, Seconds: o.Duration.Seconds(), flags: o.flags(),
	}
	if o.URL != "" {
		report.Store = databaseUnknown
	}
	for range o.Repeat {
		one, err := o.round(ctx)
		if err != nil {
			return nil, err
		}
		report.Runs = append(report.Runs, *one)
	}
	return report, nil
}

func (o *C2COptions) flags() map[string]any {
	return map[string]any{
		"connections": o.Connections, "chats": chatsOf(o.Connections, o.Chats), "rate": o.Rate, "in-flight": max(o.InFlight, 1),
		"rates": rateList(o.Rates), "size": o.Size, "warmup": o.Warmup, "duration": o.Duration,
		"webhooks": o.Webhooks, "repeating": o.Repeating, "flooding": o.Flooding,
	}
}

func (o *C2COptions) round(ctx context.Context) (run *C2CRun, err error) {
	if o.URL != "" {
		return o.visit(ctx)
	}
	s, err := newStage(ctx, o.Setup, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return o.own(ctx, s)
}

// visit measures a server that is running already.
func (o *C2COptions) visit(ctx context.Context) (*C2CRun, error) {
	there, err := o.target()
	if err != nil {
		return nil, err
	}
	t := newTraffic(*there, o)
	defer t.close()
	t.usage = o.There.usage
	run := &C2CRun{}
	for _, phase := range o.anywhere(ctx, t, run, t.run) {
		if err := phase(); err != nil {
			return nil, err
		}
	}
	return run, nil
}

// anywhere lists what can be measured with a server that runs already, too.
func (o *C2COptions) anywhere(ctx context.Context, t *traffic, run *C2CRun, measure measure) []func() error {
	return []func() error{
		func() error { return t.connect(ctx, 2) },
		func() (err error) { run.Alone, err = t.alone(ctx); return err },
		func() error { return t.connect(ctx, o.Connections) },
		func() error { return o.makeChats(ctx, t) },
		func() (err error) { run.Main, err = measure(ctx, o.main()); return err },
		func() error { return o.repeated(ctx, t, run, measure) },
		func() error { return o.flooded(ctx, t, run, measure) },
		func() error { return o.fixed(ctx, run, measure) },
	}
}

// mainPhase is the one that profiles are taken of.
const mainPhase = "main"

func (o *C2COptions) main() plan { return plan{mainPhase, o.Rate, o.Warmup, o.Duration} }

// own measures the disk, the store alone, and a server of the run's own. The disk is measured between the phases and the
// store before and after, as other users of the machine come and go.
func (o *C2COptions) own(ctx context.Context, s *stage) (*C2CRun, error) {
	run, processors := &C2CRun{}, s.processors()
	before, err := o.measureRaw(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	t := newTraffic(s.target(), o)
	defer t.close()
	t.usage = s.usage
	if err := o.phases(ctx, s, t, run); err != nil {
		return nil, err
	}
	after, err := o.measureRaw(ctx, s)
	run.OthersCPU = s.others(processors)
	run.RawPerSecond, run.RawAloneMS = (before.perSecond+after.perSecond)/2, (before.alone+after.alone)/2
	return run, err
}

func (o *C2COptions) phases(ctx context.Context, s *stage, t *traffic, run *C2CRun) error {
	var syncs []int64
	profiled := func(ctx context.Context, p plan) (Phase, error) {
		if p.name != mainPhase {
			return s.traffic(ctx, t, p)
		}
		profile := s.profile(ctx, "c2c", p.warmup, p.duration)
		found, err := s.traffic(ctx, t, p)
		return found, errors.Join(err, <-profile)
	}
	all := append(o.anywhere(ctx, t, run, profiled), func() error { return o.told(ctx, s, t, run) })
	for _, phase := range all {
		took, err := fsyncTimes(s.dir)
		syncs = append(syncs, took...)
		if err = errors.Join(err, phase()); err != nil {
			return err
		}
	}
	run.FsyncMS = medianNS(syncs)
	return nil
}

// told measures with callbacks, and then waits for those that are late.
func (o *C2COptions) told(ctx context.Context, s *stage, t *traffic, run *C2CRun) error {
	const patience = 2 * time.Minute
	if !o.Webhooks {
		return nil
	}
	e, err := newEar(ctx, nil)
	if err != nil {
		return err
	}
	defer e.close()
	if err := s.hear(ctx, e); err != nil {
		return err
	}
	p, err := s.traffic(ctx, t, plan{"told", o.Rate, o.Warmup, o.Duration})
	if err != nil {
		return err
	}
	ended, heard := stopwatch{now()}, e.heard.Load()
	if err := s.hearNothing(ctx); err != nil {
		return err
	}
	quiet := func() bool {
		before := e.heard.Load()
		return wait(ctx, time.Second) == nil && before == e.heard.Load()
	}
	if !until(ctx, patience, quiet) {
		return errors.New("callbacks go on two minutes after the last message")
	}
	run.Told, run.ToldPerSecond = &p, float64(heard)/(o.Warmup+o.Duration).Seconds()
	run.ToldAfterSeconds = float64(ended.ns())/1e9 - 1
	return nil
}

// traffic runs a phase on the run's own server and looks who else is busy meanwhile.
func (s *stage) traffic(ctx context.Context, t *traffic, p plan) (Phase, error) {
	before := s.processors()
	found, err := t.run(ctx, p)
	found.OthersCPU = s.others(before)
	return found, err
}

// alone sends from the first connection, one message at a time, on a server that has nothing else to do.
func (t *traffic) alone(ctx context.Context) (*Latency, error) {
	const warm, sends = 20, 200
	d, took := t.drivers[0], new(histogram)
	for i := range warm + sends {
		started := t.watch.ns()
		if err := d.sendTo(ctx, d.to[0], started); err != nil {
			return nil, fmt.Errorf("send alone: %w", err)
		}
		if i >= warm {
			took.record(t.watch.ns() - started)
		}
	}
	found := took.summary()
	return &found, nil
}
