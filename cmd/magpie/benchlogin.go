package main

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/bench"
)

type benchLoginCommand struct {
	benchOptions
	Users         int           `default:"5000" help:"Users that log in at once, and come back at once after a restart and after a drop."`
	Clients       int           `default:"64" help:"Clients that connect, log in and leave, again and again."`
	Conversations int           `default:"500" help:"Conversations of the user whose lists are read beside those of a user with ten; 0 leaves it out."`
	Friends       int           `default:"3000" help:"Friends of that user."`
	Duration      time.Duration `default:"8s" help:"How long that is measured."`
	Warmup        time.Duration `default:"2s" help:"How long it runs before."`
}

// Run measures and prints.
func (c *benchLoginCommand) Run() error {
	return c.run(c.Repeat, func(ctx context.Context, setup bench.Setup) (measured, error) {
		return bench.Login(ctx, bench.LoginOptions{
			Setup: setup, Users: c.Users, Clients: c.Clients, Conversations: c.Conversations, Friends: c.Friends, Warmup: c.Warmup, Duration: c.Duration,
		})
	})
}
