package main

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchLoginCommand struct {
	benchOptions
	Users    int           `default:"5000" help:"Users that log in at once, and come back at once after a restart and after a drop."`
	Clients  int           `default:"64" help:"Clients that connect, log in and leave, again and again."`
	Duration time.Duration `default:"8s" help:"How long that is measured."`
	Warmup   time.Duration `default:"2s" help:"How long it runs before."`
}

// Run measures and prints.
func (c *benchLoginCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		return bench.Login(ctx, bench.LoginOptions{
			Setup: setup, Users: c.Users, Clients: c.Clients, Warmup: c.Warmup, Duration: c.Duration,
		})
	})
}
