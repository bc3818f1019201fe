package main

import (
	"bufio"
	"io"
	"os"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/server"
)

// tortureNodeCommand is serve with a clock that whoever started the process sets, by lines such as -3s on its standard input. A
// node that serves has no such clock.
type tortureNodeCommand struct {
	serveCommand `embed:""`

	ClockShift time.Duration `help:"How far the clock is off at first."`
}

// Run serves.
func (c *tortureNodeCommand) Run() error {
	stepped := &clock.Stepped{}
	stepped.Step(c.ClockShift)
	go follow(os.Stdin, stepped)
	return c.serve(server.Options{Clock: stepped.Clock()})
}

// follow sets the clock until there are no more lines. One that says no span of time changes nothing.
func follow(lines io.Reader, stepped *clock.Stepped) {
	for read := bufio.NewScanner(lines); read.Scan(); {
		if by, err := time.ParseDuration(read.Text()); err == nil {
			stepped.Step(by)
		}
	}
}
