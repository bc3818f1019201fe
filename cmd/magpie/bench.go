package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchCommand struct {
	C2C     benchC2CCommand     `cmd:"" name:"c2c" help:"One-to-one messages: rate and latency of sends and deliveries."`
	Idle    benchIdleCommand    `cmd:"" help:"Memory of logged-in connections that are silent."`
	History benchHistoryCommand `cmd:"" help:"Pages of history in a short and in a long conversation."`
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

type benchC2CCommand struct {
	loadOptions
	URL         string        `placeholder:"WS-URL" help:"A running server, ws://host:port; needs --app. By default the run starts one."`
	App         string        `placeholder:"SDKAPPID:KEY" help:"Application of the running server."`
	Connections int           `default:"200" help:"WebSockets, in pairs that send to each other."`
	Rate        float64       `default:"0" help:"Sends per second of all together, at fixed times; 0: each connection sends when it has its answer."`
	Size        int           `default:"300" help:"Bytes of a message's MsgBody."`
	Duration    time.Duration `default:"10s" help:"How long each phase is measured."`
	Warmup      time.Duration `default:"2s" help:"How long each phase runs before."`
	Webhooks    bool          `help:"Measure also with a callback after every message, to a back end in this process."`
	Repeat      int           `default:"1" help:"Rounds, each on a new server; medians are printed."`
}

// Run measures and prints.
func (c *benchC2CCommand) Run() error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.C2C(ctx, bench.C2COptions{
		Setup: setup, URL: c.URL, App: c.App, Connections: c.Connections, Rate: c.Rate, Size: c.Size,
		Duration: c.Duration, Warmup: c.Warmup, Webhooks: c.Webhooks, Repeat: c.Repeat,
	})
	if err != nil {
		return err
	}
	return c.print(r)
}

type benchIdleCommand struct {
	loadOptions
	Connections int           `default:"15000" help:"WebSockets, each a logged-in user."`
	Settle      time.Duration `default:"30s" help:"How long they are left alone before memory is read."`
}

// Run measures and prints.
func (c *benchIdleCommand) Run() error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.Idle(ctx, bench.IdleOptions{Setup: setup, Connections: c.Connections, Settle: c.Settle})
	if err != nil {
		return err
	}
	return c.print(r)
}

type benchHistoryCommand struct {
	loadOptions
	Small    int `default:"10000" help:"Messages in the short conversation."`
	Messages int `default:"200000" help:"Messages in the long conversation."`
	Pages    int `default:"300" help:"Pages read of each sort."`
	Page     int `default:"20" help:"Messages in a page."`
	Size     int `default:"300" help:"Bytes of a message's MsgBody."`
}

// Run measures and prints.
func (c *benchHistoryCommand) Run() error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.History(ctx, bench.HistoryOptions{
		Setup: setup, Small: c.Small, Messages: c.Messages, Pages: c.Pages, Page: c.Page, Size: c.Size,
	})
	if err != nil {
		return err
	}
	return c.print(r)
}
