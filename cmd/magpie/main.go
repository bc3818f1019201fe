// Command magpie is the server and its tools.
package main

//go:generate go run . reference ../../api

import (
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/magpie-im/magpie/internal/config"
)

type commandLine struct {
	Serve     serveCommand       `cmd:"" help:"Run a node."`
	Usersig   usersigCommand     `cmd:"" help:"Print a UserSig."`
	App       appCommand         `cmd:"" help:"Add, list and change applications."`
	Webhook   webhookCommand     `cmd:"" help:"Look at callbacks and deliver them again."`
	Bench     benchCommand       `cmd:"" help:"Measure speed and memory."`
	Torture   tortureCommand     `cmd:"" help:"Kill servers under load and count what was lost."`
	Node      tortureNodeCommand `cmd:"" name:"torture-node" hidden:"" help:"A node whose clock torture sets."`
	Version   versionCommand     `cmd:"" help:"Print the version."`
	Reference referenceCommand   `cmd:"" hidden:"" help:"Write the generated pages of api/ into a directory."`
}

func main() {
	parser := newParser(&commandLine{})
	chosen, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if readsSettings(chosen.Command()) {
		parser.FatalIfErrorf(config.CheckEnvironment(os.Environ()))
	}
	parser.FatalIfErrorf(chosen.Run())
}

func newParser(line *commandLine) *kong.Kong {
	return kong.Must(line,
		kong.Name("magpie"),
		kong.Description("A self-hosted instant-messaging cloud."),
		kong.UsageOnError(),
		kong.Configuration(config.FromFile),
	)
}

// readsSettings reports whether a command takes settings from the environment, and so must not pass over one that is
// misspelled.
func readsSettings(command string) bool {
	name, _, _ := strings.Cut(command, " ")
	return slices.Contains([]string{"serve", "usersig", "app", "webhook"}, name)
}
