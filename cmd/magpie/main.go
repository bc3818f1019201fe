// Command magpie is the server and its tools.
package main

//go:generate go run . reference ../../api

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/telemetry"
)

type commandLine struct {
	Serve   serveCommand       `cmd:"" help:"Run a node."`
	Usersig usersigCommand     `cmd:"" help:"Print a UserSig."`
	App     appCommand         `cmd:"" help:"Add, list and change applications."`
	Webhook webhookCommand     `cmd:"" help:"Look at callbacks and deliver them again."`
	Live    liveCommand        `cmd:"" help:"Look at live rooms."`
	Backup  backupCommand      `cmd:"" help:"Copy the store while servers go on."`
	Restore restoreCommand     `cmd:"" help:"Make a server's store from a copy."`
	Move    moveCommand        `cmd:"" help:"Copy the store of a stopped server into a PostgreSQL."`
	Bench   benchCommand       `cmd:"" help:"Measure speed and memory."`
	Torture tortureCommand     `cmd:"" help:"Kill servers under load and count what was lost."`
	Node    tortureNodeCommand `cmd:"" name:"torture-node" hidden:"" help:"A node whose clock torture sets."`
	Version versionCommand     `cmd:"" help:"Print the version."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
	Reference   referenceCommand `cmd:"" hidden:"" help:"Write the generated pages of api/ into a directory."`
}

// The exit codes beside 0.
const (
	exitFailed = 1 // the command was tried and did not end well
	exitWrong  = 2 // the command line, a configuration file or a variable of the environment is wrong, and nothing was tried
)

func main() {
	parser := newParser(&commandLine{})
	chosen, err := parser.Parse(os.Args[1:])
	if err == nil && readsSettings(chosen.Command()) {
		err = config.CheckEnvironment(os.Environ())
	}
	if err != nil {
		end(exitWrong, fmt.Errorf("%w\n%s", err, hint(err)))
	}
	if err := chosen.Run(); err != nil {
		end(exitFailed, err)
	}
}

func end(code int, err error) {
	fmt.Fprintln(os.Stderr, "magpie:", err)
	os.Exit(code)
}

// hint says where to read about the command that was not understood.
func hint(err error) string {
	name := "magpie"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		for _, part := range wrong.Context.Path {
			if part.Command != nil {
				name += " " + part.Command.Name
			}
		}
	}
	return "`" + name + " --help` says more."
}

func newParser(line *commandLine) *kong.Kong {
	return kong.Must(line,
		kong.Name("magpie"),
		kong.Description("A self-hosted instant-messaging cloud."),
		kong.Vars{"version": "magpie " + telemetry.Build()},
		kong.Configuration(config.FromFile),
	)
}

// readsSettings reports whether a command takes settings from the environment, and so must not pass over one that is
// misspelled.
func readsSettings(command string) bool {
	name, _, _ := strings.Cut(command, " ")
	return slices.Contains([]string{"serve", "usersig", "app", "webhook", "live", "backup", "restore", "move"}, name)
}
