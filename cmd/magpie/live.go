package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/magpie-im/magpie/internal/live/top"
)

type liveCommand struct {
	Top liveTopCommand `cmd:"" help:"Show the live rooms of a running node in which most is said, and what becomes of it."`
}

type liveTopCommand struct {
	store
	App   string        `required:"" placeholder:"SDKAPPID[:KEY]" help:"Application. Without its key, the key is the one of the store." env:"MAGPIE_APP"`
	Admin string        `default:"administrator" help:"An administrator of the application, in whose name the node is asked."`
	URL   string        `default:"http://127.0.0.1:8080" help:"Where the node takes REST calls."`
	Rooms int           `default:"20" help:"Rooms to show, 200 at most."`
	Every time.Duration `default:"2s" help:"How often the table is made anew, and over how long rates are taken."`
	Count int           `default:"0" help:"Tables to show; 0: until it is interrupted on a terminal, and one where the output is none."`
}

// Validate refuses what the node would refuse.
func (c *liveTopCommand) Validate() error {
	const longest = 60 * time.Second
	switch {
	case c.Rooms < 1 || c.Rooms > top.MostRooms:
		return fmt.Errorf("--rooms: want 1 to %d", top.MostRooms)
	case c.Every < time.Second || c.Every > longest:
		return fmt.Errorf("--every: want 1s to %s", longest)
	case c.Count < 0:
		return errors.New("--count: not below zero")
	}
	return nil
}

// Run shows tables.
func (c *liveTopCommand) Run() error {
	id, key, err := (&usersigCommand{store: c.store, App: c.App}).key()
	if err != nil {
		return err
	}
	o := top.Options{URL: c.URL, App: id, Key: key, Admin: c.Admin, Rooms: c.Rooms, Every: c.Every, Count: c.Count, Begin: time.Now()}
	info, err := os.Stdout.Stat()
	o.Redraw = err == nil && info.Mode()&os.ModeCharDevice != 0
	if o.Count == 0 && !o.Redraw {
		o.Count = 1
	}
	ctx, stop := interruptible()
	defer stop()
	return top.Show(ctx, os.Stdout, o)
}
