package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/client"
)

// Repeated is what clients that send one message again and again cost the others, who send fresh ones.
type Repeated struct {
	// Without and With are phases of the fresh messages. They took turns, as many of the one as of the other.
	Without []Phase `json:"without"`
	With    []Phase `json:"with"`
	// RepeatsPerSecond is how many repeats were acknowledged while there were any, RepeatsFailed how many were not.
	RepeatsPerSecond float64 `json:"repeats_per_second"`
	RepeatsFailed    int64   `json:"repeats_failed"`
}

// maxRepeating bounds the clients that repeat. Few are enough, as each sends as fast as it is answered.
const maxRepeating = 1000

// repeated measures with and without clients that repeat.
func (o *C2COptions) repeated(ctx context.Context, t *traffic, run *C2CRun, measure measure) error {
	if o.Repeating == 0 {
		return nil
	}
	all, err := newRepeaters(ctx, &t.target, o.Connections, o.Repeating)
	if err != nil {
		return err
	}
	defer all.close()
	found := &Repeated{}
	found.Without, found.With, err = inTurns(ctx, all, plan{"repeat", o.Rate, o.Warmup, o.Duration}, measure)
	if err != nil {
		return err
	}
	found.RepeatsPerSecond, found.RepeatsFailed = all.perSecond(), all.failed.Load()
	run.Repeated = found
	if all.acked.Load() == 0 {
		return errors.New("no repeat was acknowledged, so nothing was measured with them")
	}
	return nil
}

// company is clients beside the load that do something all the time between start and stop.
type company interface {
	start(ctx context.Context)
	// stop returns when all have stopped, with what they found wrong.
	stop() error
}

// inTurns measures first without the company, then twice with it, then twice without, and so on: a machine that gets slower
// or faster meanwhile gives neither side an advantage.
func inTurns(ctx context.Context, beside company, p plan, measure measure) (without, with []Phase, err error) {
	const turns = 6
	for turn := range turns {
		p, phases := p, &with
		if (turn+1)%4 >= 2 {
			beside.start(ctx)
		} else {
			p.name, phases = "alone", &without
		}
		found, err := measure(ctx, p)
		if err = errors.Join(err, beside.stop()); err != nil {
			return nil, nil, err
		}
		*phases = append(*phases, found)
	}
	return without, with, nil
}

// measure runs one phase.
type measure func(context.Context, plan) (Phase, error)

// repeaters are clients beside the load, each of which has sent one message and sends it again, with the same key, as
// soon as it is answered.
type repeaters struct {
	clients       []*client.Client
	first         []client.Sent
	acked, failed atomic.Int64

	cancel  context.CancelFunc // nil while they pause
	ended   sync.WaitGroup
	faults  []error
	started stopwatch
	lasted  int64 // nanoseconds of all turns
}

// newRepeaters logs n users in behind the first ones, and sends the messages that they will repeat, to the first user.
func newRepeaters(ctx context.Context, there *target, first, n int) (*repeaters, error) {
	clients, err := there.dial(ctx, first, first+n, func(_ int, o *client.Options) { o.NoSync = true })
	if err != nil {
		return nil, err
	}
	r := &repeaters{clients: clients, first: make([]client.Sent, n), faults: make([]error, n)}
	for i, c := range clients {
		if r.first[i], err = c.Send(ctx, client.Outgoing{To: there.user(0), Elements: repeatedText()}); err != nil {
			r.close()
			return nil, fmt.Errorf("send a message to repeat: %w", err)
		}
	}
	return r, nil
}

// repeatedText has no moment in it, so that the receiver does not take it for a fresh message.
func repeatedText() []client.Element { return []client.Element{client.Text("again")} }

func (r *repeaters) start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.started = stopwatch{now()}
	for i := range r.clients {
		r.ended.Go(func() { r.faults[i] = r.repeat(ctx, i) })
	}
}

func (r *repeaters) stop() error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.ended.Wait()
	r.lasted += r.started.ns()
	r.cancel = nil
	return errors.Join(r.faults...)
}

func (r *repeaters) close() { hangUp(r.clients) }

// repeat goes on until ctx ends. The answer must be the first one's: a repeat that is stored anew is no repeat.
func (r *repeaters) repeat(ctx context.Context, i int) error {
	const rest = 10 * time.Millisecond
	first := r.first[i]
	again := client.Outgoing{
		To: first.To, Elements: repeatedText(), Seq: first.Seq, Random: first.Random, ClientTime: first.ClientTime,
	}
	for ctx.Err() == nil {
		sent, err := r.clients[i].Send(ctx, again)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.failed.Add(1)
			_ = wait(ctx, rest)
		case sent != first:
			return fmt.Errorf("a repeat of %v was answered as %v", first.Key(), sent.Key())
		default:
			r.acked.Add(1)
		}
	}
	return nil
}

func (r *repeaters) perSecond() float64 {
	return ratio(float64(r.acked.Load()), float64(r.lasted)/1e9)
}

func (r *C2CRun) repeated() *Repeated {
	if r.Repeated == nil {
		return &Repeated{}
	}
	return r.Repeated
}

// meanRate is the mean of the rates of phases.
func meanRate(phases []Phase) float64 {
	var sum float64
	for i := range phases {
		sum += phases[i].AckedPerSecond
	}
	return ratio(sum, float64(len(phases)))
}
