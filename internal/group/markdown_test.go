package group

import (
	"flag"
	"os"
	"testing"
)

func TestMarkdownIsCurrent(t *testing.T) {
	const path = "../../docs/protocol/groups.md"
	rules, err := LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	want := rules.Markdown()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/protocol/groups.md differs from rules.tsv: run `make generate`")
	}
}

var update = flag.Bool("update", false, "write docs/protocol/groups.md")
