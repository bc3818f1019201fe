package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// TortureOptions say how `magpie torture` treats its servers.
type TortureOptions struct {
	Setup
	// Kills is how often a server is killed, Nodes how many there are, of which each time one is killed.
	Kills, Nodes int
	// Connections is a whole number of pairs.
	Connections int
	// Accounts are logged in, kicked, deleted and made again beside them; 0 has none.
	Accounts int
	// Groups are beside them, of up to eight of the clients each; 0 has none. GroupRate is messages per second to all of them.
	Groups    int
	GroupRate float64
	// ClockSteps is how far the servers' clocks are set forth and back meanwhile; 0 is not at all.
	ClockSteps time.Duration
	// Seed repeats what a run draws by chance, which is not when things happen; 0 is a new one.
	Seed uint64
	// Rate is messages per second of all together, 0 as fast as answers come; Window bounds those of one client that
	// wait for their answer.
	Rate   float64
	Window int
	// Least and Most bound the random time that a server lives.
	Least, Most time.Duration
}

// Validate refuses what cannot be run.
func (o *TortureOptions) Validate() error {
	switch {
	case o.Kills < 0 || o.Nodes < 1 || o.Rate < 0 || o.Accounts < 0:
		return errors.New("--kills, --rate, --accounts: not below zero; --nodes: at least 1")
	case o.Connections < 2 || o.Connections%2 != 0:
		return errors.New("--connections: want an even number, as clients send to each other in pairs")
	case o.Groups < 0 || o.Groups > maxGroups || o.Groups > 0 && o.GroupRate <= 0:
		return fmt.Errorf("--groups: want 0 to %d, with a --group-rate above zero", maxGroups)
	case o.ClockSteps < 0 || o.ClockSteps > maxClockSteps:
		return fmt.Errorf("--clock-steps: want 0 to %v, as the run itself goes by the machine's clock", maxClockSteps)
	case o.Window < 1 || o.Window > 100:
		return errors.New("--window: want 1 to 100")
	case o.Nodes > 1 && (o.DB == "" || o.Bus == ""):
		return errors.New("--nodes above 1 needs --db and --bus, which join the nodes")
	case o.Least <= 0 || o.Most < o.Least:
		return errors.New("--least, --most: want a span of time above zero")
	}
	return nil
}

// maxGroups bounds the groups of a run, whose histories are all read by all members at the end.
const maxGroups = 100

// maxClockSteps is well below the times for which a run waits for what a server does by its clock.
const maxClockSteps = 10 * time.Second

// torture is a run.
type torture struct {
	TortureOptions
	stage    *stage
	lines    []*busLine // by node; none without a bus
	crowd    *crowd
	accounts []*loginBook
	groups   []*groupBook
	writers  []*writer
	chance   chance
	report   *TortureReport
	restart  histogram
	acts     atomic.Int64
	joined   atomic.Int64 // members who came back to a group, and who left
	left     atomic.Int64
}

// Torture loads servers, kills them, starts them again, and counts what that did to the messages and to everything else that
// was changed meanwhile. The error is one of the run itself; what the servers did wrong is in the report.
func Torture(ctx context.Context, o TortureOptions) (report *TortureReport, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for o.Seed == 0 {
		o.Seed = uint64(rand.Uint32())
	}
	t := &torture{TortureOptions: o, crowd: newCrowd(o.Connections, o.Window, o.Rate, o.Seed), chance: newChance(o.Seed, "kills", 0)}
	t.report = &TortureReport{
		Store: o.store(), Nodes: o.Nodes, Kills: o.Kills, Connections: o.Connections, Groups: o.Groups, Seed: o.Seed, Errors: t.crowd.failures,
	}
	t.crowd.stepped, t.report.clocksDiffer = o.ClockSteps > 0, o.ClockSteps > 0 && o.Nodes > 1
	defer t.takeUp() // behind the nodes, which say good-bye on the bus
	if t.stage, err = newStage(ctx, o.Setup, o.Nodes); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.stage.close()) }()
	t.stage.progress("seed %d", o.Seed)
	e, err := newEar(ctx, t.crowd.hear)
	if err != nil {
		return nil, err
	}
	defer e.close()
	if err := t.prepare(ctx, e); err != nil {
		return nil, err
	}
	defer func() { hangUp(t.crowd.clients) }()
	started := now()
	if err := t.kills(ctx); err != nil {
		return nil, fmt.Errorf("%w (seed %d)", err, o.Seed)
	}
	t.report.Seconds = now().Sub(started).Seconds()
	return t.report, t.check(ctx)
}

// unlimitedRate is the highest bound for the messages of a group in a second.
const unlimitedRate = 100_000

// prepare starts the servers, and who is to use them.
func (t *torture) prepare(ctx context.Context, e *ear) error {
	if err := t.stage.configure(ctx, map[string]string{
		"webhook.url": e.url, "webhook.commands": tellingCommands, "group.message_rate": strconv.Itoa(unlimitedRate),
	}); err != nil {
		return err
	}
	if err := t.lay(ctx); err != nil {
		return err
	}
	for _, n := range t.stage.nodes {
		if t.ClockSteps > 0 {
			n.clock = &nodeClock{}
		}
		n.env = append(n.env, "MAGPIE_FAILED_LOGINS_PER_SECOND=0") // tokens of logins that ended are shown all the time
	}
	if err := t.stage.start(ctx); err != nil {
		return err
	}
	for i := range t.Accounts {
		t.accounts = append(t.accounts, &loginBook{user: fmt.Sprintf("login-%05d", i), of: t, chance: newChance(t.Seed, "account", i)})
	}
	t.writers = t.settingWriters()
	t.newGroups()
	if err := t.crowd.join(ctx, t.stage.target()); err != nil {
		return err
	}
	return t.makeGroups(ctx)
}

// kills runs the clients and everybody else and, meanwhile, the killing. When it returns every message has its answer, and
// every act.
func (t *torture) kills(ctx context.Context) error {
	talking, hush := context.WithCancel(ctx)
	defer hush()
	var group sync.WaitGroup
	group.Go(func() { t.crowd.talk(talking) })
	group.Go(func() { t.crowd.meddle(talking) })
	group.Go(func() { t.talkInGroups(talking) })
	group.Go(func() { t.stepClocks(talking) })
	for _, b := range t.accounts {
		group.Go(func() { b.live(talking) })
	}
	for _, w := range t.writers {
		group.Go(func() { w.run(talking) })
	}
	err := t.killAll(ctx)
	if err == nil {
		err = t.live(ctx)
	}
	hush()
	if err != nil {
		hangUp(t.crowd.clients) // which settles what is on its way
	}
	group.Wait()
	return err
}

// live goes on after the last start without a kill, which closes connections and so hides what they would still be given.
// Each line to the bus is cut meanwhile.
func (t *torture) live(ctx context.Context) error {
	for _, line := range t.lines {
		if err := t.cut(ctx, line, t.life()); err != nil {
			return err
		}
	}
	return wait(ctx, t.life())
}

func (t *torture) life() time.Duration { return t.chance.between(t.Least, t.Most) }

func (t *torture) killAll(ctx context.Context) error {
	for k := 1; k <= t.Kills; k++ {
		life, nodes := t.life(), t.stage.nodes
		rest, err := t.disturb(ctx, life)
		if err == nil {
			err = wait(ctx, rest)
		}
		if err != nil {
			return err
		}
		for i, n := range nodes {
			if !n.running() {
				t.report.find(&t.report.Crashes, "node %d ended by itself:\n%s", i+1, n.log.text())
			}
		}
		victim := t.chance.IntN(len(nodes))
		took, err := t.killOne(ctx, nodes[victim])
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
		if err := wait(ctx, t.chance.between(0, away)); err != nil {
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

// failed counts an act that was answered with an error.
func (t *torture) failed(name string, err error) { t.crowd.failedAt(name, err) }

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
	t.checkSettings(ctx)
	t.checkLogins(ctx)
	for user := range t.crowd.clients {
		t.crowd.look(ctx, user)
	}
	if err := errors.Join(t.checkHistories(ctx), t.checkGroups(ctx)); err != nil {
		return err
	}
	return t.checkSequences(ctx)
}
