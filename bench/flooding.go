package bench

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/magpie-im/magpie/client"
)

// Flooded is what clients that send as fast as they can cost the others, who send by a timetable.
type Flooded struct {
	// Without and With are phases of the others' messages. They took turns, as many of the one as of the other.
	Without []Phase `json:"without"`
	With    []Phase `json:"with"`
	// AckedPerSecond is how many messages of the flood were stored while there was one, RefusedPerSecond how many were not.
	AckedPerSecond   float64 `json:"acked_per_second"`
	RefusedPerSecond float64 `json:"refused_per_second"`
}

const (
	// maxFlooding bounds the clients that flood; each is an account.
	maxFlooding = 100
	// besideFlood is how many messages a second the others send.
	besideFlood = 1000
	// floodInFlight is how many messages a flooding client has under way at once: so many that the server never waits for it.
	floodInFlight = 256
)

// flooded measures with and without clients that flood.
func (o *C2COptions) flooded(ctx context.Context, t *traffic, run *C2CRun, measure measure) error {
	if o.Flooding == 0 {
		return nil
	}
	all, err := newFlood(ctx, &t.target, o.Connections+o.Repeating, o.Flooding)
	if err != nil {
		return err
	}
	defer all.close()
	found := &Flooded{}
	found.Without, found.With, err = inTurns(ctx, all, plan{"flood", besideFlood, o.Warmup, o.Duration}, measure)
	if err != nil {
		return err
	}
	seconds := float64(all.lasted) / 1e9
	found.AckedPerSecond, found.RefusedPerSecond = ratio(float64(all.acked.Load()), seconds), ratio(float64(all.refused.Load()), seconds)
	run.Flooded = found
	if all.acked.Load() == 0 {
		return errors.New("no message of the flood was acknowledged, so nothing was measured beside one")
	}
	return nil
}

// flood is clients that send to the first user as fast as they can.
type flood struct {
	clients        []*client.Client
	to             string
	acked, refused atomic.Int64
	pouring        atomic.Bool
	underWay       atomic.Int64
	started        stopwatch
	lasted         int64 // nanoseconds of all turns
}

// newFlood logs n users in behind the first ones.
func newFlood(ctx context.Context, there *target, first, n int) (*flood, error) {
	clients, err := there.dial(ctx, first, first+n, func(_ int, o *client.Options) {
		o.NoSync, o.MaxPending, o.Window = true, 2*floodInFlight, 1
	})
	return &flood{clients: clients, to: there.user(0)}, err
}

func (f *flood) start(context.Context) {
	f.started = stopwatch{now()}
	f.pouring.Store(true)
	for _, c := range f.clients {
		for range floodInFlight {
			f.underWay.Add(1)
			f.send(c)
		}
	}
}

// send sends one message, and the next one when it is answered. A connection that has ended floods no more.
func (f *flood) send(c *client.Client) {
	if !f.pouring.Load() {
		f.underWay.Add(-1)
		return
	}
	err := c.SendAsync(client.Outgoing{To: f.to, Elements: repeatedText()}, func(_ client.Sent, err error) {
		if err == nil {
			f.acked.Add(1)
		} else {
			f.refused.Add(1)
		}
		f.send(c)
	})
	if err != nil {
		f.refused.Add(1)
		f.underWay.Add(-1)
	}
}

func (f *flood) stop() error {
	const patience = 20e9
	if !f.pouring.Swap(false) {
		return nil
	}
	f.lasted += f.started.ns()
	if !until(context.Background(), patience, func() bool { return f.underWay.Load() == 0 }) {
		return errors.New("the flood's last messages were not answered")
	}
	return nil
}

func (f *flood) close() { hangUp(f.clients) }

func (r *C2CRun) flooded() *Flooded {
	if r.Flooded == nil {
		return &Flooded{}
	}
	return r.Flooded
}

// meanP95 is the mean, over phases, of how long 95 of 100 messages took at most until they were acknowledged.
func meanP95(phases []Phase) float64 {
	var sum float64
	for i := range phases {
		sum += phases[i].Ack.P95
	}
	return ratio(sum, float64(len(phases)))
}
