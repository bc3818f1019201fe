package main

import (
	"errors"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type tortureCommand struct {
	loadOptions
	Kills       int           `default:"30" help:"How often a server is killed."`
	Nodes       int           `default:"1" help:"Servers on one database, of which each time one is killed; above 1 needs --db and --bus."`
	Connections int           `default:"20" help:"Clients, in pairs that send to each other."`
	Accounts    int           `default:"6" help:"Accounts beside them that log in, come back, are kicked and deleted all the time."`
	Groups      int           `default:"0" help:"Groups of up to eight of the clients, who send to each other, come and leave."`
	GroupRate   float64       `default:"300" help:"Messages per second to all groups together."`
	ClockSteps  time.Duration `default:"0" help:"How far the clocks of servers are set forth and back meanwhile, such as 5s; 0: not at all."`
	Seed        uint64        `help:"Repeats what an earlier run drew by chance; it prints its seed."`
	Rate        float64       `default:"1000" help:"Messages per second of all together; 0: as fast as answers come."`
	Window      int           `default:"4" help:"Messages of one client that may wait for their answer."`
	Least       time.Duration `default:"200ms" help:"Shortest life of a server."`
	Most        time.Duration `default:"1500ms" help:"Longest life of a server."`
}

var errNotClean = errors.New("the servers did something wrong")

// Run kills, counts and prints; what went wrong makes it fail.
func (c *tortureCommand) Run() error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.Torture(ctx, bench.TortureOptions{
		Setup: setup, Kills: c.Kills, Nodes: c.Nodes, Connections: c.Connections, Accounts: c.Accounts,
		Groups: c.Groups, GroupRate: c.GroupRate, ClockSteps: c.ClockSteps, Seed: c.Seed,
		Rate: c.Rate, Window: c.Window, Least: c.Least, Most: c.Most,
	})
	if err != nil {
		return err
	}
	if err := c.print(r); err != nil {
		return err
	}
	if !r.Clean() {
		return errNotClean
	}
	return nil
}
