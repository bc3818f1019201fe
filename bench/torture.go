package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// TortureOptions say how `magpie torture` treats its servers.
type TortureOptions struct {
	Setup
	// Kills is how often a server is killed, Nodes how many there are, of which each time one is killed.
	Kills, Nodes int
	// Connections is a whole number of pairs.
	Connections int
	// Rate is messages per second of all together, 0 as fast as answers come; Window bounds those of one client that
	// wait for their answer.
	Rate   float64
	Window int
	// Least and Most bound the random time that a server lives.
	Least, Most time.Duration
}

// TortureReport is what `magpie torture` found.
type TortureReport struct {
	Store       string  `json:"store"`
	Nodes       int     `json:"nodes"`
	Kills       int     `json:"kills"`
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`
	// Restart is how long it took from a server's start to its readiness, after a kill.
	Restart Latency `json:"restart"`
	// Reconnects and Resent sum up over the clients: logins after the first, and calls repeated after a reconnect.
	Reconnects int64 `json:"reconnects"`
	Resent     int64 `json:"resent"`
	// Errors counts sends that were answered with an error, by code or reason. They are no fault by themselves.
	Errors map[string]int `json:"errors"`
	Tally
}

// Validate refuses what cannot be run.
func (o *TortureOptions) Validate() error {
	switch {
	case o.Kills < 0 || o.Nodes < 1 || o.Rate < 0:
		return errors.New("--kills, --rate: not below zero; --nodes: at least 1")
	case o.Connections < 2 || o.Connections%2 != 0:
		return errors.New("--connections: want an even number, as clients send to each other in pairs")
	case o.Window < 1 || o.Window > 100:
		return errors.New("--window: want 1 to 100")
	case o.Nodes > 1 && (o.DB == "" || o.Bus == ""):
		return errors.New("--nodes above 1 needs --db and --bus, which join the nodes")
	case o.Least <= 0 || o.Most < o.Least:
		return errors.New("--least, --most: want a span of time above zero")
	}
	return nil
}

// torture is a run.
type torture struct {
	TortureOptions
	stage   *stage
	crowd   *crowd
	report  *TortureReport
	restart histogram
}

// Torture loads servers, kills them, starts them again, and counts what that did to the messages. The error is one of
// the run itself; what the servers did wrong is in the report.
func Torture(ctx context.Context, o TortureOptions) (report *TortureReport, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := newStage(ctx, o.Setup, o.Nodes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	t := &torture{TortureOptions: o, stage: s, crowd: newCrowd(o.Connections, o.Window, o.Rate)}
	t.report = &TortureReport{
		Store: o.store(), Nodes: o.Nodes, Kills: o.Kills, Connections: o.Connections, Errors: t.crowd.failures,
	}
	e, err := newEar(ctx, t.crowd.hear)
	if err != nil {
		return nil, err
	}
	defer e.close()
	if err := s.hear(ctx, e); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	if err := t.crowd.join(ctx, s.target()); err != nil {
		return nil, err
	}
	defer func() { hangUp(t.crowd.clients) }()
	started := now()
	if err := t.kills(ctx); err != nil {
		return nil, err
	}
	t.report.Seconds = now().Sub(started).Seconds()
	return t.report, t.check(ctx)
}

// kills runs the clients and, while they talk, the killing. When it returns every message has its answer.
func (t *torture) kills(ctx context.Context) error {
	talking, hush := context.WithCancel(ctx)
	defer hush()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.crowd.talk(talking)
	}()
	err := t.killAll(ctx)
	if err == nil {
		err = wait(ctx, t.life()) // some traffic on the last start
	}
	hush()
	if err != nil {
		hangUp(t.crowd.clients) // which settles what is on its way
	}
	<-done
	return err
}

func (t *torture) life() time.Duration { return t.Least + rand.N(t.Most-t.Least+1) }

func (t *torture) killAll(ctx context.Context) error {
	for k := 1; k <= t.Kills; k++ {
		life := t.life()
		if err := wait(ctx, life); err != nil {
			return err
		}
		for i, n := range t.stage.nodes {
			if !n.running() {
				t.report.find(&t.report.Crashes, "node %d ended by itself:\n%s", i+1, n.log.text())
			}
		}
		victim := rand.IntN(len(t.stage.nodes))
		took, err := t.killOne(ctx, t.stage.nodes[victim])
		if err != nil {
			return err
		}
		t.stage.progress("kill %d of %d: node %d after %d ms; ready again %.0f ms after its start; %d acked so far",
			k, t.Kills, victim+1, life.Milliseconds(), took, t.crowd.acked.Load())
	}
	return nil
}

// killOne kills a server and starts it again. Where there are others, it stays away for a moment, so that its clients go
// on there.
func (t *torture) killOne(ctx context.Context, n *node) (readyMS float64, err error) {
	const away = 500 * time.Millisecond
	n.kill()
	if len(t.stage.nodes) > 1 {
		if err := wait(ctx, rand.N(away)); err != nil {
			return 0, err
		}
	}
	watch := stopwatch{now()}
	if err := n.start(ctx); err != nil {
		return 0, err
	}
	took := watch.ns()
	t.restart.record(took)
	return milliseconds(took), nil
}

// checkWithin bounds the counting, which waits for servers that may hang.
const checkWithin = 5 * time.Minute

// check counts, with the servers up again.
func (t *torture) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	r := t.report
	if !t.crowd.connected(ctx) {
		r.find(&r.ClientsEnded, "not every client came back after the last start")
	}
	r.Late = t.crowd.settle(ctx)
	t.crowd.told(ctx)
	r.Restart = t.restart.summary()
	for _, c := range t.crowd.clients {
		if err := c.Err(); err != nil {
			r.find(&r.ClientsEnded, "%s ended: %v", c.UserID(), err)
		}
		stats := c.Stats()
		r.Reconnects += stats.Connects - 1
		r.Resent += stats.Resent
	}
	if err := t.checkHistories(ctx); err != nil {
		return err
	}
	return t.checkSequences(ctx)
}

// Write prints the report for people.
func (r *TortureReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "torture: %s, %d nodes, %d kills in %.0f s, %d connections\n",
		r.Store, r.Nodes, r.Kills, r.Seconds, r.Connections)
	return r.writeTable(w)
}

// WriteJSON prints the report for programs.
func (r *TortureReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }
