package ladder_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// refusedWords are words that docs/glossary.md refuses in names, each with the words that it has for the same thing. A
// plural is refused with its singular.
func refusedWords() map[string]string {
	return map[string]string{
		"item":     "message, element, event, profile field",
		"entry":    "draft, message, command",
		"stored":   "message, callback, or a verb",
		"place":    "position, turn, parameter",
		"pass":     "a draft's send, one reading of a body",
		"delivery": "push to clients, bus message between nodes",
		"view":     "conversation",
		"viewer":   "owner",
		"lane":     "mailbox, order key",
		"content":  "body, element",
		"hall":     "hub",
		"instance": "device, node",
		"customer": "application",
		"roam":     "history",
		"pull":     "sync",
		"notice":   "event, tip",
		"inbox":    "mailbox",
		"terminal": "device",
		"bot":      "robot",
		"visitor":  "guest",
		"dialog":   "chat",
		"modify":   "edit",
		"quota":    "rate, limit",
		"badge":    "unread",
		"packet":   "frame",
		"broker":   "bus",
		"circuit":  "breaker",
		"prefetch": "lookup",
	}
}

// allowedWords are the rooms that may use a refused word: where it is that room's own, or where the wire spells it and
// the name is that of a type or field with its shape.
func allowedWords() map[string][]string {
	return map[string][]string{
		"lane":    {"webhook", "webhook/outbox"},                     // the callbacks of one order
		"item":    {"account", "conversation", "message", "profile"}, // lists of the wire whose names end in Item
		"content": {"chat/element", "robot"},                         // MsgContent
		"pass":    {"clock", "db/dbtest"},                            // a verb
	}
}

// nameWords cuts a name into its words: "fetchLanes", "KBPerItem" and "lanes_test" alike.
var nameWords = regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`)

// refused returns the words of a name that the glossary refuses in a room.
func refused(room, name string) []string {
	var found []string
	for _, word := range nameWords.FindAllString(name, -1) {
		for _, one := range singulars(strings.ToLower(word)) {
			if _, bad := refusedWords()[one]; bad && !slices.Contains(allowedWords()[one], room) {
				found = append(found, one)
			}
		}
	}
	return found
}

// singulars are the words that a word may be the plural of, and the word itself.
func singulars(word string) []string {
	all := []string{word}
	if stem, plural := strings.CutSuffix(word, "ies"); plural {
		all = append(all, stem+"y")
	}
	if stem, plural := strings.CutSuffix(word, "es"); plural {
		all = append(all, stem)
	}
	if stem, plural := strings.CutSuffix(word, "s"); plural {
		all = append(all, stem)
	}
	return all
}

// Names of types, functions, fields, constants, variables of packages, and files say one word for one thing, as the
// glossary does. Locals and tests are read by people only.
func TestNamesFollowTheGlossary(t *testing.T) {
	names := 0
	eachName(t, func(room, file, name string) {
		names++
		for _, word := range refused(room, name) {
			t.Errorf("%s: %s has the word %q, which docs/glossary.md refuses: say %s", file, name, word, refusedWords()[word])
		}
	})
	if names == 0 {
		t.Fatal("no names were read")
	}
}

// An exception that nothing needs any more goes, and one for a word that is not refused never was one.
func TestAllowedWordsAreNeeded(t *testing.T) {
	used := map[string][]string{}
	eachName(t, func(room, _, name string) {
		for _, word := range nameWords.FindAllString(name, -1) {
			for _, one := range singulars(strings.ToLower(word)) {
				used[one] = append(used[one], room)
			}
		}
	})
	for _, word := range slices.Sorted(maps.Keys(allowedWords())) {
		for _, room := range allowedWords()[word] {
			if _, bad := refusedWords()[word]; !bad || !slices.Contains(used[word], room) {
				t.Errorf("the exception for %q in %s is not needed", word, room)
			}
		}
	}
}

// The rule is worth little if it holds because it never looks.
func TestNamesAreRefused(t *testing.T) {
	for _, row := range []struct {
		room, name string
		want       []string
	}{
		{"gateway", "lane", []string{"lane"}},
		{"gateway", "fetchLanes", []string{"lane"}},
		{"webhook/outbox", "fetchLanes", nil},
		{"bus", "TotalDeliveries", []string{"delivery"}},
		{"bus", "hall_test", []string{"hall"}},
		{"db", "MaxPassesPerPlace", []string{"pass", "place"}},
		{"db", "placed", nil},
		{"chat", "reviewer", nil},
	} {
		if got := refused(row.room, row.name); !slices.Equal(got, row.want) {
			t.Errorf("%s in %s: %q is refused, want %q", row.name, row.room, got, row.want)
		}
	}
}

// eachName visits the names that the files of internal declare, and those of the files, without tests.
func eachName(t *testing.T, visit func(room, file, name string)) {
	t.Helper()
	err := walk(func(file string, d fs.DirEntry) error {
		inside, ours := strings.CutPrefix(file, "internal/")
		if !ours || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		declared, err := namesIn(root + "/" + file)
		for _, name := range append(declared, strings.TrimSuffix(path.Base(file), ".go")) {
			visit(path.Dir(inside), file, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// namesIn lists what a file declares: types, functions, methods, their parameters, fields, constants and variables of
// the package.
func namesIn(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	add := func(all ...*ast.Ident) {
		for _, one := range all {
			names = append(names, one.Name)
		}
	}
	for _, declaration := range parsed.Decls {
		ast.Inspect(declaration, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BlockStmt:
				return false
			case *ast.FuncDecl:
				add(n.Name)
			case *ast.TypeSpec:
				add(n.Name)
			case *ast.ValueSpec:
				add(n.Names...)
			case *ast.Field:
				add(n.Names...)
			}
			return true
		})
	}
	return names, nil
}
