package main

import (
	"context"
	"os"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchLiveCommand struct {
	benchOptions
	Members  int           `default:"1000" help:"WebSockets that are inside a live room, each a logged-in user."`
	Rooms    int           `default:"1" help:"Live rooms that the members are shared out over."`
	High     float64       `default:"4" help:"Messages per second of this priority to each room."`
	Normal   float64       `default:"24" help:"Messages per second of this priority to each room."`
	Low      float64       `default:"8" help:"Messages per second of this priority to each room."`
	Lowest   float64       `default:"4" help:"Messages per second of this priority to each room."`
	Limit    int           `default:"0" help:"Messages per second that are pushed into a room at most, live.message_rate; 0: the server's default."`
	Slow     int           `default:"0" help:"Measure also the others while this many members do not read."`
	Turns    int           `default:"3" help:"How often each kind of phase is measured; they take turns."`
	Size     int           `default:"160" help:"Bytes of a message's MsgBody."`
	Duration time.Duration `default:"5s" help:"How long each phase is measured."`
	Warmup   time.Duration `default:"2s" help:"How long each phase runs before."`
	Profile  string        `type:"existingdir" placeholder:"DIR" help:"Keep a processor profile of the server in the first phase, for go tool pprof. It costs the server a little."`
}

// Run measures and prints.
func (c *benchLiveCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		setup.Profile = c.Profile
		o := bench.LiveOptions{
			Setup: setup, Members: c.Members, Rooms: c.Rooms, Limit: c.Limit, Slow: c.Slow, Turns: c.Turns, Size: c.Size,
			Warmup: c.Warmup, Duration: c.Duration,
		}
		o.Rates = [...]float64{c.High, c.Normal, c.Low, c.Lowest}
		return bench.Live(ctx, o)
	})
}

// benchMembersCommand is the members that bench live starts.
type benchMembersCommand struct{}

// Run takes orders from its standard input until that ends.
func (c *benchMembersCommand) Run() error {
	ctx, stop := interruptible()
	defer stop()
	return bench.ServeMembers(ctx, os.Stdin, os.Stdout)
}
