package ladder_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/magpie-im/magpie"
)

// rooms are the folders of internal/, lowest first. A room may import those before it, and nothing after it. A folder
// inside a room belongs to the room (db/dbtest to db), unless it stands here itself.
//
// Rooms that do not exist yet are here too, so that the order is settled before anybody builds on it.
func rooms() []string {
	return []string{
		"im", "clock", "stranger", "config", "telemetry", "wire", "db", "bus", "node", "setting", "command", "event", "webhook", "webhook/outbox",
		"app", "account", "device", "presence", "mute", "file/store", "file", "profile", "relation", "chat/element", "chat", "chat/annotate", "group", "group/attribute", "send", "message", "bundle", "groupmessage", "conversation", "live", "retention",
		"robot", "push", "moderation", "search", "official", "operation", "sdk",
		"rest", "gateway", "console", "welcome", "server",
	}
}

// roof is what stands on top of all rooms. Nothing imports it but tests from outside their package, and cmd, which imports
// bench: its commands only read flags.
func roof() []string { return []string{"cmd", "bench", "magpietest"} }

// ground is public and stands by itself: it imports nothing from internal, and every room may import it.
func ground() []string { return []string{"usersig", "client"} }

// pkg is what `go list` tells of one package. A test of the package itself is held to the ladder too; a test from
// outside the package (package message_test) is not, because it boots a whole server.
type pkg struct {
	ImportPath           string
	Imports, TestImports []string
	Standard             bool
}

func TestLadder(t *testing.T) {
	packages := list(t)
	if len(packages) == 0 {
		t.Fatal("go list found no packages")
	}
	for _, p := range packages {
		for _, problem := range problems(p) {
			t.Error(problem)
		}
	}
}

// The rule is worth little if it holds because it never looks.
func TestLadderRefuses(t *testing.T) {
	in := func(path string) string { return module + "/" + path }
	for _, row := range []struct{ from, to, want string }{
		{"internal/db", "internal/account", "internal/db imports internal/account, which is above it"},
		{"internal/chat/element", "internal/message", "above it"},
		{"internal/db/migrations", "internal/server", "above it"},
		{"internal/server", "magpietest", "above it"},
		{"internal/im", "cmd/magpie", "above it"},
		{"magpietest", "cmd/magpie", "above it"},
		{"magpietest", "bench", "above it"},
		{"bench", "magpietest", "above it"},
		{"bench", "cmd/magpie", "above it"},
		{"cmd/magpie", "magpietest", "above it"},
		{"internal/server", "bench", "above it"},
		{"client", "internal/im", "imports nothing from internal"},
		{"usersig", "internal/im", "imports nothing from internal"},
		{"internal/wardrobe", "internal/im", "add it to rooms()"},
		{"internal/server", "internal/server/part", ""},
		{"internal/message", "internal/chat/element", ""},
		{"internal/db/dbtest", "internal/db", ""},
		{"internal/account", "usersig", ""},
		{"cmd/magpie", "internal/server", ""},
		{"cmd/magpie", "bench", ""},
		{"bench", "client", ""},
		{"bench", "internal/im", ""},
		{"magpietest", "client", ""},
		{"internal/im", "somewhere.example/else", ""},
	} {
		to := in(row.to)
		if strings.Contains(row.to, ".") {
			to = row.to
		}
		got := problems(pkg{ImportPath: in(row.from), Imports: []string{to}})
		if row.want == "" && len(got) > 0 || row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
			t.Errorf("%s → %s: %q, want %q", row.from, row.to, got, row.want)
		}
	}
}

// problems tells which imports of p go up the ladder, each as a sentence that says what to do.
func problems(p pkg) []string {
	from := strings.TrimPrefix(p.ImportPath, module+"/")
	if from == "internal/ladder" {
		return nil
	}
	rung, known := place(from)
	if !known {
		return []string{fmt.Sprintf("%s is not a room of the house: find the room it belongs to, or if it is a new noun of the "+
			"product add it to rooms() in internal/ladder/ladder_test.go, above all that it imports", from)}
	}
	var found []string
	for _, path := range slices.Concat(p.Imports, p.TestImports) {
		to, ours := strings.CutPrefix(path, module+"/")
		if !ours {
			continue
		}
		above, known := place(to)
		switch {
		case rung == 0 && strings.HasPrefix(to, "internal/"):
			found = append(found, fmt.Sprintf("%s imports %s: it is public and imports nothing from internal", from, to))
		case known && above > rung, known && above == rung && besides(from, to):
			found = append(found, fmt.Sprintf("%s imports %s, which is above it: move what both need to a lower room, or declare a "+
				"one-method interface in %s that internal/server fills", from, to, from))
		}
	}
	return found
}

// besides reports whether two folders are different parts of the roof, of which the first has no right to the second.
func besides(from, to string) bool {
	from, to = top(from), top(to)
	return from != to && slices.Contains(roof(), from) && (from != "cmd" || to != "bench")
}

// place returns the rung of a folder: 0 is the ground, then the rooms, and the roof above the last of them.
func place(folder string) (rung int, known bool) {
	if slices.Contains(ground(), top(folder)) {
		return 0, true
	}
	if slices.Contains(roof(), top(folder)) {
		return len(rooms()) + 1, true
	}
	inside, ok := strings.CutPrefix(folder, "internal/")
	if !ok {
		return 0, false
	}
	longest := ""
	for i, room := range rooms() {
		if (inside == room || strings.HasPrefix(inside, room+"/")) && len(room) > len(longest) {
			longest, rung = room, i+1
		}
	}
	return rung, longest != ""
}

func top(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

// list asks the go command for the packages of the house. Tools, examples and load tests are outside of it.
func list(t *testing.T) []pkg {
	t.Helper()
	args := []string{"list", "-e", "-json=ImportPath,Imports,TestImports"}
	for _, folder := range slices.Concat(ground(), roof(), []string{"internal"}) {
		if found, _ := filepath.Glob(filepath.Join(root, folder)); found != nil {
			args = append(args, "./"+folder+"/...")
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// A folder is named after what is in it, and these names only say that there is code.
func TestFolderNames(t *testing.T) {
	refused := []string{
		"pkg", "util", "utils", "common", "service", "services", "controller", "controllers", "model", "models",
		"dto", "helper", "helpers",
	}
	err := walk(func(path string, d fs.DirEntry) error {
		if d.IsDir() && slices.Contains(refused, d.Name()) {
			t.Errorf("folder %s: name it after the noun of the product that it holds", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// walk visits what belongs to the project: not hidden folders, and not what npm or make put there.
func walk(visit func(path string, d fs.DirEntry) error) error {
	skipped := []string{"node_modules", "bin", "magpie-data", "testdata"}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains(skipped, d.Name())) {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name), d)
	})
}

// chainAtMost is how many rooms may stand on each other. A newcomer who follows a call down passes no more than these.
const chainAtMost = 11

// The longest chain of imports stays short.
func TestChain(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range list(t) {
		imports[p.ImportPath] = p.Imports
	}
	known := map[string][]string{}
	var longest func(path string) []string
	longest = func(path string) []string {
		if chain, ok := known[path]; ok {
			return chain
		}
		var below []string
		for _, to := range imports[path] {
			if _, ours := imports[to]; ours {
				if chain := longest(to); len(chain) > len(below) {
					below = chain
				}
			}
		}
		known[path] = append([]string{strings.TrimPrefix(path, module+"/")}, below...)
		return known[path]
	}
	for path := range imports {
		if chain := longest(path); len(chain) > chainAtMost && strings.HasPrefix(chain[0], "internal/") {
			t.Errorf("%d rooms stand on each other, at most %d may: %s", len(chain), chainAtMost, strings.Join(chain, " → "))
		}
	}
}
