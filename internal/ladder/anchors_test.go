package ladder_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// TestAnchors checks that each section of docs/protocol that a comment points to is there, so that renaming a heading
// cannot leave the code pointing at nothing.
func TestAnchors(t *testing.T) {
	pointer := regexp.MustCompile(`docs/protocol/([\w.-]+\.md)#([\w\p{L}-]+)`)
	pages := map[string][]string{}
	err := walk(func(path string, d fs.DirEntry) error {
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasPrefix(path, "internal/ladder/") {
			return nil
		}
		for _, comment := range comments(t, path) {
			for _, found := range pointer.FindAllStringSubmatch(comment, -1) {
				if pages[found[1]] == nil {
					pages[found[1]] = anchors(page(t, found[1]))
				}
				if !slices.Contains(pages[found[1]], found[2]) {
					t.Errorf("%s points to docs/protocol/%s#%s, and that page has no such section", path, found[1], found[2])
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func comments(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, 0, len(file.Comments))
	for _, group := range file.Comments {
		texts = append(texts, group.Text())
	}
	return texts
}

// page returns the text of a page of docs/protocol, or "" if there is none.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "protocol", name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// anchors lists the anchors of a Markdown page as GitHub makes them of its headings, and those set by hand, as
// <a id="sendmsg"></a>. It is never nil.
func anchors(markdown string) []string {
	byHand := regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	found := []string{""}
	count := map[string]int{}
	fenced := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		for _, anchor := range byHand.FindAllStringSubmatch(line, -1) {
			found = append(found, anchor[1])
		}
		heading := strings.TrimLeft(line, "#")
		if level := len(line) - len(heading); level == 0 || level > 6 || !strings.HasPrefix(heading, " ") {
			continue
		}
		anchor := slug(strings.TrimRight(heading, "# "))
		if n := count[anchor]; n > 0 {
			found = append(found, anchor+"-"+strconv.Itoa(n))
		} else {
			found = append(found, anchor)
		}
		count[anchor]++
	}
	return found
}

// slug is GitHub's: small letters, spaces as hyphens, punctuation left out, links by their text.
func slug(heading string) string {
	heading = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(heading, "")
	heading = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, strings.TrimSpace(heading))
}

func TestSlugs(t *testing.T) {
	const text = "# 1. The `A2Key`, and more\n## Life\n```\n# not a heading\n```\n## Life ##\n###no\n" +
		"### [Send](send.md) — openim.sendmsg\n<a id=\"sendmsg\"></a>\n## Größe_x <a name=\"size\"></a>\n"
	want := []string{"", "1-the-a2key-and-more", "life", "life-1", "send--openimsendmsg", "sendmsg", "size", "größe_x"}
	if got := anchors(text); !slices.Equal(got, want) {
		t.Errorf("anchors = %q, want %q", got, want)
	}
}

// TestDecisionsAreListed checks that the index of decisions names each of them by its title.
func TestDecisionsAreListed(t *testing.T) {
	folder := filepath.Join(root, "docs", "adr")
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "0*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no decisions: %v", err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		heading, _, _ := strings.Cut(string(text), "\n")
		_, title, numbered := strings.Cut(strings.TrimPrefix(heading, "# "), ". ")
		line := "[" + title + "](" + filepath.Base(path) + ")"
		if !numbered || !strings.Contains(string(index), line) {
			t.Errorf("docs/adr/README.md has no line %s", line)
		}
	}
}
