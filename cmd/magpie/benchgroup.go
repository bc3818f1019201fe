package main

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchGroupCommand struct {
	benchOptions
	Connections int           `default:"100" help:"WebSockets that send, in groups of five, and in pairs for comparison."`
	InFlight    int           `default:"1" help:"Sends of one connection that wait for their answers at once."`
	Members     int           `default:"5000" help:"Members of a large group, of whom five are online."`
	Turns       int           `default:"3" help:"How often each kind of phase is measured; they take turns."`
	Size        int           `default:"300" help:"Bytes of a message's MsgBody."`
	Online      int           `default:"1000" help:"Members of another group that are all online; 0 leaves this part out."`
	Rate        float64       `default:"40" help:"Messages per second to that group."`
	Duration    time.Duration `default:"5s" help:"How long each phase is measured."`
	Warmup      time.Duration `default:"1s" help:"How long each phase runs before."`
	Profile     string        `type:"existingdir" placeholder:"DIR" help:"Keep a processor profile of the server in each phase of sends, for go tool pprof. It costs the server a little."`
}

// Run measures and prints.
func (c *benchGroupCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		setup.Profile = c.Profile
		return bench.Group(ctx, bench.GroupOptions{
			Setup: setup, Connections: c.Connections, InFlight: c.InFlight, Members: c.Members, Turns: c.Turns, Size: c.Size,
			Online: c.Online, Rate: c.Rate, Duration: c.Duration, Warmup: c.Warmup,
		})
	})
}

// benchBareCommand is the server that bench group and bench live start to compare with.
type benchBareCommand struct {
	Listen string `required:"" help:"Address to listen on."`
	Walk   bool   `help:"Write as a walker of live rooms does."`
}

// Run broadcasts until it is told to stop.
func (c *benchBareCommand) Run() error {
	ctx, stop := interruptible()
	defer stop()
	if c.Walk {
		return bench.ServeBareWalk(ctx, c.Listen)
	}
	return bench.ServeBare(ctx, c.Listen)
}
