package config

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// maxLine bounds one line of a configuration file, in bytes.
const maxLine = 64 << 10

// FromFile reads a configuration file for kong.Configuration. The names are those of the flags without their dashes:
//
//	# what reaches the outside
//	listen = :8080
//	app    = 1400000001:5bd2…
//	app    = 1400000002:77fe…
//
// A line that starts with # is a comment. A value goes to the end of the line and is not quoted. A name that does not
// exist, or one that is given twice though it takes one value, is an error with its line number: a setting that is
// silently ignored is worse than a node that does not start.
func FromFile(r io.Reader) (kong.Resolver, error) {
	known := map[string]*kong.Flag{}
	for _, flag := range flags(&Config{}) {
		known[flag.Name] = flag
	}
	values := fileValues{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		// Some editors put a byte order mark at the start of a file.
		if err := values.add(known, strings.TrimPrefix(lines.Text(), "\ufeff")); err != nil {
			return nil, fmt.Errorf("%sline %d: %w", nameOf(r), n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	return values, nil
}

// nameOf is how an error begins: with the file's name, if what is read has one.
func nameOf(r io.Reader) string {
	if file, ok := r.(interface{ Name() string }); ok {
		return file.Name() + ", "
	}
	return ""
}

// fileValues holds the text of each setting in a file; only a setting that may be repeated has more than one.
type fileValues map[string][]any

func (v fileValues) add(known map[string]*kong.Flag, line string) error {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	name, value, ok := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	flag := known[name]
	switch {
	case !ok:
		// The line is not repeated in the error: it may hold a key.
		return fmt.Errorf("want 'name = value', or # before a comment")
	case name == "config":
		return fmt.Errorf("a configuration file cannot name another one")
	case flag == nil:
		return fmt.Errorf("there is no setting %q; docs/config.md lists them all", name)
	case !flag.IsSlice() && len(v[name]) > 0:
		return fmt.Errorf("%q is set a second time; keep one of the two", name)
	}
	v[name] = append(v[name], value)
	return nil
}

// Resolve returns the file's value of a flag, or nil. kong asks for every flag that the command line does not set,
// also for those that the environment sets, and would let the file win over the environment; so this looks first.
func (v fileValues) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	values := v[flag.Name]
	if len(values) == 0 {
		return nil, nil // kong's way to say "not set here"
	}
	for _, name := range flag.Tag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if flag.IsSlice() {
		return values, nil
	}
	return values[0], nil
}

// Validate has nothing to do: FromFile has refused what it does not know.
func (fileValues) Validate(*kong.Application) error { return nil }
