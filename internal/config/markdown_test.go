package config_test

import (
	"flag"
	"os"
	"testing"

	"github.com/magpie-im/magpie/internal/config"
)

func TestMarkdownIsCurrent(t *testing.T) {
	const path = "../../docs/config.md"
	want := config.Markdown()
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
		t.Error("docs/config.md differs from the tags of Config: run `make generate`")
	}
}

var update = flag.Bool("update", false, "write docs/config.md")
