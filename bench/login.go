package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"
)

// LoginOptions say what `magpie bench login` measures.
type LoginOptions struct {
	Setup
	// Users are all logged in at once, and come back at once.
	Users int
	// Clients are how many log in and leave in a closed loop.
	Clients int
	// Conversations and Friends are how many of each the user has whose lists are read beside those of a user with ten; 0 of both
	// leaves that out.
	Conversations, Friends int
	// Warmup and Duration are the closed loop's.
	Warmup, Duration time.Duration
}

// LoginReport is what `magpie bench login` found.
type LoginReport struct {
	Store   string `json:"store"`
	Users   int    `json:"users"`
	Clients int    `json:"clients"`
	// First is the first login of all users at once: their accounts are made by it. Then they come back at once: Token with
	// the token of their login and Signed with a UserSig, both after the server was started again, and Dropped with a token
	// after all connections were closed on a server that goes on.
	First   Rush `json:"first"`
	Token   Rush `json:"token"`
	Signed  Rush `json:"signed"`
	Dropped Rush `json:"dropped"`
	// Loop is a closed loop of clients that connect, log in with a UserSig and leave.
	Loop LoginLoop `json:"loop"`
	// Lists is what users read after their login.
	Lists Lists `json:"lists,omitzero"`

	flags map[string]any
}

// Rush is many clients that log in at the same moment.
type Rush struct {
	// Seconds is from the moment at which all begin to connect until the last one has the answer to its login.
	Seconds float64 `json:"seconds"`
	// CPU is the server's processor time for each login, in milliseconds, that of its connection included.
	CPU    float64 `json:"server_cpu_ms"`
	Login  Latency `json:"login"`
	Failed int     `json:"failed"`
}

// LoginLoop is clients that log in and leave, one after the other.
type LoginLoop struct {
	PerSecond float64 `json:"per_second"`
	// CPU is as in Rush, for the whole visit: connecting, login and leaving.
	CPU float64 `json:"server_cpu_ms"`
	// Commits is how many commits there were for each login, those of leaving included.
	Commits float64 `json:"commits"`
	// Login is from the begin of connecting to the answer.
	Login     Latency          `json:"login"`
	OthersCPU float64          `json:"others_cpu,omitzero"`
	Errors    map[string]int64 `json:"errors"`
}

// Login measures what logins cost, and how fast everybody is back after a restart.
func Login(ctx context.Context, o LoginOptions) (*LoginReport, error) {
	if o.Users < 1 || o.Clients < 1 || o.Clients > o.Users {
		return nil, errors.New("want at least one of --clients, and no more of them than of --users")
	}
	if o.Conversations < 0 || o.Friends < 0 || o.Conversations > 0 && (o.Conversations < fewListed || o.Friends < fewListed) {
		return nil, errors.New("want --conversations and --friends of at least ten, or none of both")
	}
	return onStage(ctx, o.Setup, o.Users, o.measure)
}

func (o *LoginOptions) measure(ctx context.Context, s *stage) (*LoginReport, error) {
	r := &LoginReport{Store: o.store(), Users: o.Users, Clients: o.Clients}
	r.flags = map[string]any{"users": o.Users, "clients": o.Clients, "conversations": o.Conversations, "friends": o.Friends, "warmup": o.Warmup, "duration": o.Duration}
	there := s.target()
	visitors := make([]*visitor, o.Users)
	for i := range visitors {
		var err error
		if visitors[i], err = there.newVisitor(i); err != nil {
			return nil, err
		}
	}
	defer forEach(visitors, (*visitor).hangUp)
	for _, phase := range []struct {
		name  string
		into  *Rush
		token bool
		part  func(context.Context, *stage, []*visitor) error
	}{
		{"first login of all", &r.First, false, nil},
		{"back by token after a restart", &r.Token, true, restart},
		{"back by UserSig after a restart", &r.Signed, false, restart},
		{"back by token after a drop", &r.Dropped, true, drop},
	} {
		if phase.part != nil {
			if err := phase.part(ctx, s, visitors); err != nil {
				return nil, err
			}
		}
		var err error
		if *phase.into, err = rush(ctx, s.nodes[0], visitors, phase.token); err != nil {
			return nil, fmt.Errorf("%s: %w", phase.name, err)
		}
		s.progress("%s: %d users within %.2f s, %.3f ms of the server's processors each", phase.name, o.Users, phase.into.Seconds, phase.into.CPU)
	}
	if err := depart(ctx, visitors); err != nil {
		return nil, err
	}
	if err := o.loop(ctx, s, visitors, &r.Loop); err != nil || o.Conversations == 0 {
		return r, err
	}
	return r, o.lists(ctx, s, &r.Lists)
}

// forEach does something with each visitor.
func forEach(visitors []*visitor, do func(*visitor)) {
	for _, v := range visitors {
		do(v)
	}
}

// rest is the pause before a phase, in which the server ends what it has to do after the last one.
const rest = 2 * time.Second

// restart starts the server again. Its clients notice by the end of their connections.
func restart(ctx context.Context, s *stage, visitors []*visitor) error {
	if err := s.nodes[0].stop(); err != nil {
		return err
	}
	forEach(visitors, (*visitor).hangUp)
	if err := s.start(ctx); err != nil {
		return err
	}
	return wait(ctx, rest)
}

// drop closes all connections at once, as a network that fails does, and leaves the server no time to notice.
func drop(_ context.Context, _ *stage, visitors []*visitor) error {
	forEach(visitors, (*visitor).hangUp)
	return nil
}

// depart closes all connections in good order.
func depart(ctx context.Context, visitors []*visitor) error {
	var all sync.WaitGroup
	for _, v := range visitors {
		all.Go(func() { _ = v.leave() })
	}
	all.Wait()
	return wait(ctx, rest)
}

// rush has all visitors log in at the same moment.
func rush(ctx context.Context, n *node, visitors []*visitor, token bool) (Rush, error) {
	var took histogram
	failures := make([]error, len(visitors))
	begin := make(chan struct{})
	var ready, all sync.WaitGroup
	var watch stopwatch
	ready.Add(len(visitors))
	for i, v := range visitors {
		all.Go(func() {
			ready.Done()
			<-begin
			failures[i] = v.arrive(ctx, token)
			took.record(watch.ns())
		})
	}
	ready.Wait()
	before := used(n.process.Pid)
	watch = stopwatch{now()}
	close(begin)
	all.Wait()
	found := Rush{Seconds: float64(watch.ns()) / float64(time.Second), Login: took.summary()}
	found.CPU = milliseconds(int64(used(n.process.Pid)-before)) / float64(len(visitors))
	for _, err := range failures {
		if err != nil {
			found.Failed++
		}
	}
	if found.Failed > 0 {
		return found, fmt.Errorf("%d of %d logins failed: %w", found.Failed, len(visitors), errors.Join(failures...))
	}
	return found, ctx.Err()
}

// loop measures clients that come and go, each with another user at every visit.
func (o *LoginOptions) loop(ctx context.Context, s *stage, visitors []*visitor, found *LoginLoop) error {
	watch := stopwatch{now()}
	from := int64(o.Warmup)
	m := newMeter(from, from+int64(o.Duration))
	var all sync.WaitGroup
	for worker := range o.Clients {
		all.Go(func() {
			for i := worker; watch.ns() < m.to && ctx.Err() == nil; i += o.Clients {
				if i >= len(visitors) {
					i = worker
				}
				visit(ctx, visitors[i], watch, m)
			}
		})
	}
	defer all.Wait()
	if err := wait(ctx, o.Warmup); err != nil {
		return err
	}
	before, err := s.nodes[0].effort(ctx)
	if err != nil {
		return err
	}
	everybody := s.processors()
	if err := wait(ctx, o.Duration); err != nil {
		return err
	}
	after, err := s.nodes[0].effort(ctx)
	if err != nil {
		return err
	}
	found.OthersCPU = s.others(everybody)
	all.Wait()
	logins := float64(m.windowAcked.Load())
	found.PerSecond, found.Login, found.Errors = logins/o.Duration.Seconds(), m.ack.summary(), m.failures
	found.CPU, found.Commits = ratio(milliseconds(int64(after.cpu-before.cpu)), logins), ratio(after.commits-before.commits, logins)
	return nil
}

// visit is one login and the leaving after it.
func visit(ctx context.Context, v *visitor, watch stopwatch, m *meter) {
	began := watch.ns()
	err := v.arrive(ctx, false)
	if err == nil {
		m.ackOne(began, watch.ns(), false)
		err = v.leave()
	}
	if err != nil {
		m.fail(err)
	}
}

// effort is what a server has done since its start.
type effort struct {
	cpu     time.Duration
	commits float64
}

func (n *node) effort(ctx context.Context) (effort, error) {
	page, err := fetch(ctx, "http://"+n.address+"/metrics")
	if err != nil {
		return effort{}, fmt.Errorf("read the server's metrics: %w", err)
	}
	return effort{used(n.process.Pid), field(page, "magpie_commit_seconds_count")}, nil
}

// Write prints the report for people.
func (r *LoginReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "login: %d users at once, then %d clients in a closed loop, %s\n", r.Users, r.Clients, r.Store)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.figures() {
		writeFigure(table, f.Name, f.Unit, f.Rounds)
	}
	for reason, n := range r.Loop.Errors {
		_, _ = fmt.Fprintf(table, "errors: %s\t%d\n", reason, n)
	}
	return table.Flush()
}

// WriteJSON prints the report for programs.
func (r *LoginReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// Result is the report as it is kept.
func (r *LoginReport) Result() *Result { return newResult("login", r.Store, r.flags, r.figures()) }

func (r *LoginReport) figures() []Figure {
	var all []Figure
	for _, rush := range []struct {
		key, name string
		of        *Rush
	}{
		{"first", "first logins", &r.First},
		{"token", "back by token after a restart", &r.Token},
		{"signed", "back by UserSig after a restart", &r.Signed},
		{"dropped", "back by token after a drop", &r.Dropped},
	} {
		all = append(all,
			newFigure(rush.key+"_seconds", rush.name+": all within", "s", Less, rush.of.Seconds),
			newFigure(rush.key+"_server_cpu_ms", rush.name+": server CPU of each", "ms", Less, rush.of.CPU),
		)
	}
	var failed int64
	for _, n := range r.Loop.Errors {
		failed += n
	}
	if r.Lists.Conversations > 0 {
		all = append(all, r.Lists.figures()...)
	}
	return append(all,
		newFigure("logins_per_second", "loop: logins", "/s", More, r.Loop.PerSecond),
		newFigure("server_cpu_ms", "loop: server CPU per login", "ms", Less, r.Loop.CPU),
		newFigure("commits_per_login", "loop: commits per login", "", Less, r.Loop.Commits),
		newFigure("login_p50_ms", "loop: login p50", "ms", Less, r.Loop.Login.P50),
		newFigure("login_p99_ms", "loop: login p99", "ms", Less, r.Loop.Login.P99),
		newFigure("others_cpu", "loop: processors used by others", "", "", r.Loop.OthersCPU),
		newFigure("errors", "loop: errors", "", Less, float64(failed)),
	)
}
