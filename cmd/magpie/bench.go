package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchCommand struct {
	C2C     benchC2CCommand     `cmd:"" name:"c2c" help:"One-to-one messages: rate and latency of sends and deliveries."`
	Idle    benchIdleCommand    `cmd:"" help:"Memory of logged-in connections that are silent."`
	History benchHistoryCommand `cmd:"" help:"Pages of history in a short and in a long conversation."`
	Group   benchGroupCommand   `cmd:"" help:"Messages of groups: rate of sends into small and large ones, and pushes to many members."`
	Live    benchLiveCommand    `cmd:"" help:"Messages of live rooms: pushes to many members, beside a server that only writes them."`
	Bare    benchBareCommand    `cmd:"" hidden:"" help:"A server that only broadcasts, which bench group and bench live compare with."`
	Members benchMembersCommand `cmd:"" hidden:"" help:"Members of live rooms, which bench live has in processes of their own."`
	Login   benchLoginCommand   `cmd:"" help:"Logins: their rate and cost, and how fast everybody is back after a restart."`
	Compare benchCompareCommand `cmd:"" help:"Compare two results that were kept with --save."`
}

// loadOptions are common to the commands that start servers of their own.
type loadOptions struct {
	Dir  string `type:"existingdir" help:"Where to make the throwaway store; the disk that is measured. By default the system's directory for such."`
	DB   string `placeholder:"URL" help:"PostgreSQL instead of SQLite; a schema of the run's own is made there and dropped."`
	Bus  string `placeholder:"URL" help:"NATS for the servers; needs --db."`
	JSON bool   `help:"Print the result as JSON."`
}

// setup names this very binary as the server, in an environment without settings of another server.
func (o *loadOptions) setup() (bench.Setup, error) {
	exe, err := os.Executable()
	if err != nil {
		return bench.Setup{}, err
	}
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MAGPIE_") {
			env = append(env, variable)
		}
	}
	return bench.Setup{Exe: exe, Env: env, Dir: o.Dir, DB: o.DB, Bus: o.Bus, Progress: os.Stderr}, nil
}

// report is the result of a run, for people and for programs.
type report interface {
	Write(w io.Writer) error
	WriteJSON(w io.Writer) error
}

func (o *loadOptions) print(r report) error {
	if o.JSON {
		return r.WriteJSON(os.Stdout)
	}
	return r.Write(os.Stdout)
}

// interruptible ends with the first signal; the run then removes what it made.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

// benchOptions are common to the commands that measure.
type benchOptions struct {
	loadOptions
	Repeat int    `default:"1" help:"Rounds, each on a new server; medians are printed and compared."`
	Save   string `type:"path" placeholder:"PATH" help:"Keep the result as JSON for bench compare: in a directory such as bench/results, under a name made of day, commit and measurement; or in the file named."`
	Commit string `placeholder:"HASH" help:"What --save calls the measured program. By default what the build recorded in it."`
}

// Validate refuses, before anything is measured, what could not be kept afterwards.
func (o *benchOptions) Validate() error {
	if o.Repeat < 1 || o.Repeat > bench.MaxRounds {
		return fmt.Errorf("--repeat: want 1 to %d", bench.MaxRounds)
	}
	if o.Save == "" {
		return nil
	}
	if o.Commit == "" && bench.BuiltFrom() == "" {
		return errors.New("--save: the build recorded no commit in this program; say which with --commit")
	}
	if info, err := os.Stat(filepath.Dir(o.Save)); err != nil || !info.IsDir() {
		return fmt.Errorf("--save: there is no directory %s", filepath.Dir(o.Save))
	}
	return nil
}

func (o *benchOptions) keep(r *bench.Result) error {
	if o.Save == "" {
		return nil
	}
	r.Commit = cmp.Or(o.Commit, r.Commit)
	path, err := r.Save(o.Save)
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	fmt.Fprintln(os.Stderr, "kept in", path)
	return nil
}

// measured is a report that can be kept.
type measured interface {
	report
	Result() *bench.Result
}

// run measures rounds times, prints every report and keeps what all of them found.
func (o *benchOptions) run(rounds int, measure func(context.Context, bench.Setup) (measured, error)) error {
	setup, err := o.setup()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	var kept *bench.Result
	for range rounds {
		r, err := measure(ctx, setup)
		if err != nil {
			return err
		}
		if err := o.print(r); err != nil {
			return err
		}
		if kept == nil {
			kept = r.Result()
		} else {
			kept.Join(r.Result())
		}
	}
	return o.keep(kept)
}

// thereOptions name a server that runs already, for the commands that can measure one.
type thereOptions struct {
	URL          string `placeholder:"WS-URL" help:"A running server, ws://host:port; needs --app. By default the run starts one."`
	App          string `placeholder:"SDKAPPID:KEY" help:"Application of the running server."`
	Metrics      string `placeholder:"URL" help:"The running server's metrics, if they are not at /metrics of --url."`
	MetricsToken string `env:"MAGPIE_METRICS_TOKEN" placeholder:"TOKEN" help:"What the running server asks for its metrics."`
	FirstUser    int    `default:"0" help:"Number of the first user at the running server. Two runs at once need users of their own."`
}

func (o *thereOptions) there() bench.There {
	return bench.There{URL: o.URL, App: o.App, Metrics: o.Metrics, Token: o.MetricsToken, First: o.FirstUser}
}

type benchC2CCommand struct {
	benchOptions
	thereOptions
	Connections int           `default:"200" help:"WebSockets, in pairs that send to each other."`
	Chats       int           `default:"0" help:"Chats that are made before and that the load is spread over; 0: one of each pair of connections."`
	Rate        float64       `default:"0" help:"Sends per second of all together, at fixed times; 0: each connection sends when it has its answer."`
	InFlight    int           `default:"1" help:"Sends of one connection that wait for their answers at once, without --rate."`
	Rates       []int         `default:"1000,2000,5000" placeholder:"RATE" help:"Measure also at these rates, in sends per second, each unless more than the closed loop found. --rates= measures none."`
	Size        int           `default:"300" help:"Bytes of a message's MsgBody."`
	Duration    time.Duration `default:"10s" help:"How long each phase is measured."`
	Warmup      time.Duration `default:"2s" help:"How long each phase runs before."`
	Webhooks    bool          `help:"Measure also with a callback after every message, to a back end in this process."`
	Profile     string        `type:"existingdir" placeholder:"DIR" help:"Keep a processor profile of the server in the main phase, for go tool pprof. It costs the server a little."`
	Repeating   int           `default:"0" help:"Measure also what this many clients beside cost the others that send one message again and again."`
	Flooding    int           `default:"0" help:"Measure also what this many clients beside, that send as fast as they can, cost others that send 1000 messages a second."`
}

// Run measures and prints.
func (c *benchC2CCommand) Run() error {
	return c.run(1, func(ctx context.Context, setup bench.Setup) (measured, error) {
		setup.Profile = c.Profile
		return bench.C2C(ctx, bench.C2COptions{
			Setup: setup, There: c.there(), Connections: c.Connections, Chats: c.Chats, Rate: c.Rate, InFlight: c.InFlight,
			Rates: c.Rates, Size: c.Size, Duration: c.Duration, Warmup: c.Warmup, Webhooks: c.Webhooks, Repeating: c.Repeating, Flooding: c.Flooding, Repeat: c.Repeat,
		})
	})
}

type benchIdleCommand struct {
	benchOptions
	Connections int           `default:"15000" help:"WebSockets, each a logged-in user."`
	Settle      time.Duration `default:"30s" help:"How long they are left alone before memory is read."`
}

// Run measures and prints.
func (c *benchIdleCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		return bench.Idle(ctx, bench.IdleOptions{Setup: setup, Connections: c.Connections, Settle: c.Settle})
	})
}

type benchHistoryCommand struct {
	benchOptions
	Small    int `default:"10000" help:"Messages in the short conversation."`
	Messages int `default:"200000" help:"Messages in the long conversation."`
	Pages    int `default:"300" help:"Pages read of each sort."`
	Page     int `default:"20" help:"Messages in a page."`
	Size     int `default:"300" help:"Bytes of a message's MsgBody."`
}

// Run measures and prints.
func (c *benchHistoryCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		return bench.History(ctx, bench.HistoryOptions{
			Setup: setup, Small: c.Small, Messages: c.Messages, Pages: c.Pages, Page: c.Page, Size: c.Size,
		})
	})
}

type benchCompareCommand struct {
	Old       string   `arg:"" type:"path" help:"File of the older result."`
	New       string   `arg:"" type:"path" help:"File of the newer result."`
	Only      []string `placeholder:"KEY" help:"Only these figures, by their keys in the files, such as acked_per_second."`
	FailAbove float64  `placeholder:"FACTOR" help:"Fail if a figure got worse by more than this factor, such as 1.1, and is not within the spread of the rounds."`
}

// Run prints the comparison. Without --fail-above it judges in words only.
func (c *benchCompareCommand) Run() error {
	if c.FailAbove != 0 && c.FailAbove < 1 {
		return errors.New("--fail-above: want a factor of 1 or more, such as 1.1")
	}
	older, err := bench.ReadResult(c.Old)
	if err != nil {
		return err
	}
	newer, err := bench.ReadResult(c.New)
	if err != nil {
		return err
	}
	found, err := bench.Compare(older, newer, c.Only)
	if err != nil {
		return err
	}
	if err := found.Write(os.Stdout); err != nil {
		return err
	}
	if worse := found.Worse(c.FailAbove); c.FailAbove != 0 && len(worse) > 0 {
		return fmt.Errorf("%d figures got worse by more than a factor of %v, %s among them", len(worse), c.FailAbove, worse[0].New.Name)
	}
	return nil
}
