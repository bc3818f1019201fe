package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// LivePhase is what one phase of `magpie bench live` measured. A delivery is one message that one member was given.
type LivePhase struct {
	Seconds            float64 `json:"seconds"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	// Delivery is by priority, from the moment at which a message was due.
	Delivery map[string]Latency `json:"delivery,omitempty"`
	// Probe is round trips of a session outside the rooms, Late how long after its moment a message was sent.
	Probe Latency `json:"probe"`
	Late  Latency `json:"late"`
	// ServerUS and MembersUS are microseconds of processor for each delivery, of the servers and of the members' processes.
	ServerUS  float64 `json:"server_us"`
	MembersUS float64 `json:"members_us"`
	// PushUS is that of the servers for each push to one member, PushBytes its size and PerPush its messages.
	PushUS    float64 `json:"push_us"`
	PushBytes float64 `json:"push_bytes"`
	PerPush   float64 `json:"messages_per_push"`
	// SocketsKB is what the kernel held for all sockets of the machine at the end.
	SocketsKB float64 `json:"sockets_kb,omitzero"`
	// Received, Pushed and Dropped, by reason, are from the servers' ledgers; Skipped is pushes that slow members did not get.
	Received int64            `json:"received"`
	Pushed   int64            `json:"pushed"`
	Dropped  map[string]int64 `json:"dropped,omitempty"`
	Skipped  int64            `json:"skipped"`
	// Missing counts deliveries that did not come, of members that read; Disordered those that came twice or after a later one.
	Missing    int64 `json:"missing"`
	Disordered int64 `json:"disordered"`
	Lost       int64 `json:"lost"`
	// OthersCPU is how many processors others kept busy meanwhile.
	OthersCPU float64          `json:"others_cpu,omitzero"`
	Errors    map[string]int64 `json:"errors,omitempty"`

	came   [livePriorities]int64
	frames [][]keptFrame // by server
	start  int64
}

// phase has the speakers speak while so many members do not read.
func (w *show) phase(ctx context.Context, name string, slow int) (*LivePhase, error) {
	const settled = time.Second
	if err := wait(ctx, settled); err != nil { // what members that did not read have to read
		return nil, err
	}
	before, skipped, err := w.ledgers(ctx)
	if err != nil {
		return nil, err
	}
	w.stage.progress("%s: %d members, %s", name, w.Members, w.Duration)
	found, spent, err := w.speak(ctx, slow)
	if err != nil {
		return nil, err
	}
	if err := w.settle(ctx); err != nil {
		return nil, err
	}
	after, skippedAfter, err := w.ledgers(ctx)
	if err != nil {
		return nil, err
	}
	found.Skipped = int64(skippedAfter - skipped)
	found.count(before, after)
	if err := w.take(ctx, w.parties, found, spent); err != nil {
		return nil, err
	}
	found.Missing = w.expected(before, after, slow) - found.deliveries()
	return found, nil
}

// speak has the phase begin, and returns when its window is over.
func (w *show) speak(ctx context.Context, slow int) (*LivePhase, spent, error) {
	p := w.window()
	p.Keep = slow == 0
	if err := w.begin(ctx, w.parties, p, slow); err != nil {
		return nil, spent{}, err
	}
	found := &LivePhase{Seconds: w.Duration.Seconds(), start: p.Start}
	var beside sync.WaitGroup
	var probed error
	profiled := w.profile(ctx, p)
	beside.Go(func() { probed = w.probe.run(ctx, p.From, p.To) })
	used := w.watch(ctx, p, w.stage.nodes, w.parties)
	found.Errors = w.talk.run(ctx, p.Start, p.To)
	beside.Wait()
	s := <-used
	found.Probe, found.Late = w.probe.took.summary(), w.talk.late.summary()
	found.SocketsKB, found.OthersCPU = s.sockets, s.others
	return found, s, errors.Join(probed, <-profiled)
}

// profile takes a profile of the first phase that is measured.
func (w *show) profile(ctx context.Context, p partyPhase) <-chan error {
	if w.profiled {
		done := make(chan error, 1)
		done <- nil
		return done
	}
	w.profiled = true
	return w.stage.profile(ctx, "live", time.Duration(p.From-now().UnixNano()), w.Duration)
}

// window is a phase that begins in a moment.
func (w *show) window() partyPhase {
	const soon = 100 * time.Millisecond
	start := now().Add(soon).UnixNano()
	from := start + int64(w.Warmup)
	return partyPhase{Start: start, From: from, To: from + int64(w.Duration)}
}

// begin begins a phase with members, of whom so many do not read.
func (w *show) begin(ctx context.Context, parties []*party, p partyPhase, slow int) error {
	for i, one := range parties {
		p.Slow = w.slowOf(i, slow)
		if _, err := one.do(ctx, &partyOrder{Begin: &p}); err != nil {
			return err
		}
	}
	return nil
}

// slowOf is how many of the slow members are in a party.
func (w *show) slowOf(i, slow int) int {
	n := len(w.parties)
	return (i+1)*slow/n - i*slow/n
}

// settle waits until nothing waits in the rooms any more, and what was pushed has come.
func (w *show) settle(ctx context.Context) error {
	const patience, arrive = 10 * time.Second, time.Second
	var failed error
	until(ctx, patience, func() bool {
		var waiting int64
		for _, admin := range w.admin {
			for room := range w.Rooms {
				l, err := admin.ledger(ctx, roomName(room))
				if err != nil {
					failed = err
					return true
				}
				waiting += l.Waiting
			}
		}
		return waiting == 0
	})
	if failed != nil {
		return failed
	}
	return wait(ctx, arrive)
}

// expected is how many deliveries there were to be to members that read.
func (w *show) expected(before, after []became, slow int) (all int64) {
	readers := make([]int64, w.Rooms)
	for i := range w.parties {
		first, last := i*w.Members/len(w.parties), (i+1)*w.Members/len(w.parties)
		for number := first + w.slowOf(i, slow); number < last; number++ {
			readers[number%w.Rooms]++
		}
	}
	for room, n := range readers {
		all += n * (after[room].pushed - before[room].pushed)
	}
	return all
}

func (p *LivePhase) deliveries() (all int64) {
	for _, n := range p.came {
		all += n
	}
	return all
}

// spent is what servers and members used in a window.
type spent struct {
	servers, members time.Duration
	sockets, others  float64
}

// watch looks at both ends of a window.
func (w *show) watch(ctx context.Context, p partyPhase, servers []*node, parties []*party) <-chan spent {
	found := make(chan spent, 1)
	look := func() (s spent) {
		for _, n := range servers {
			s.servers += used(n.process.Pid)
		}
		for _, c := range parties {
			s.members += used(c.process.Pid)
		}
		return s
	}
	go func() {
		_ = wait(ctx, time.Duration(p.From-now().UnixNano()))
		before, processors := look(), w.stage.processors()
		_ = wait(ctx, time.Duration(p.To-now().UnixNano()))
		s, others := look(), w.stage.others(processors)
		s.servers -= before.servers
		s.members -= before.members
		s.others = others - s.members.Seconds()/w.Duration.Seconds()
		if servers[0].bare {
			s.others -= s.servers.Seconds() / w.Duration.Seconds()
		}
		s.others, s.sockets = max(s.others, 0), socketsKB()
		found <- s
	}()
	return found
}

// socketsKB reads what the kernel holds for TCP sockets; 0 where nobody tells.
func socketsKB() float64 {
	const file = "/proc/net/sockstat"
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "TCP:")
	_, rest, _ = strings.Cut(rest, " mem ")
	var pages float64
	if _, err := fmt.Sscan(rest, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / (1 << 10)
}

// take ends a phase and takes what the members found.
func (w *show) take(ctx context.Context, parties []*party, p *LivePhase, s spent) error {
	var took [livePriorities]histogram
	var seen, bytes, inWindow int64
	for _, one := range parties {
		a, err := one.do(ctx, &partyOrder{End: true})
		if err != nil {
			return err
		}
		for i := range took {
			took[i].join(a.Latencies[i], a.Most[i])
			p.came[i] += a.Delivered[i]
		}
		seen, bytes, inWindow = seen+a.Seen, bytes+a.Bytes, inWindow+a.InWindow
		p.Disordered += a.Disordered
		p.Lost += a.Lost
		p.frames = append(p.frames, a.Frames)
	}
	p.Delivery = map[string]Latency{}
	for i, name := range priorityNames() {
		if took[i].total() > 0 {
			p.Delivery[name] = took[i].summary()
		}
	}
	n := float64(inWindow)
	p.DeliveredPerSecond = n / p.Seconds
	p.PushBytes, p.PerPush = ratio(float64(bytes), float64(seen)), ratio(float64(p.deliveries()), float64(seen))
	p.ServerUS = ratio(s.servers.Seconds()*1e6, n)
	p.MembersUS = ratio(s.members.Seconds()*1e6, n)
	p.PushUS = p.ServerUS * p.PerPush
	return nil
}

// barePhase has the frames of a phase written once more, at the same distances of time, by servers that only write.
func (w *show) barePhase(ctx context.Context, of *LivePhase) (*LivePhase, error) {
	p := w.window()
	start := p.Start
	p.Start = 0
	if err := w.begin(ctx, w.bare, p, 0); err != nil {
		return nil, err
	}
	w.stage.progress("bare: %d connections, %s", w.Members, w.Duration)
	found := &LivePhase{Seconds: w.Duration.Seconds()}
	used := w.watch(ctx, p, w.walkers, w.bare)
	var casters sync.WaitGroup
	failures := make([]error, len(w.walks))
	for i, caster := range w.walks {
		casters.Go(func() { failures[i] = caster.replay(ctx, of.frames[i], start-of.start) })
	}
	casters.Wait()
	const arrive = time.Second
	if err := wait(ctx, arrive); err != nil {
		return nil, err
	}
	spent := <-used
	found.OthersCPU = spent.others
	for _, err := range failures {
		if err != nil {
			found.Errors = map[string]int64{reason(err): 1}
		}
	}
	return found, w.take(ctx, w.bare, found, spent)
}

// replay sends frames once more, so much later than they came.
func (c *bareCaster) replay(ctx context.Context, frames []keptFrame, later int64) error {
	for i := range frames {
		if err := wait(ctx, time.Duration(frames[i].At+later-now().UnixNano())); err != nil {
			return err
		}
		if err := c.cast(&frames[i]); err != nil {
			return err
		}
	}
	return nil
}
