package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sampleResult() *Result {
	r := newResult("c2c", databaseSQLite, map[string]any{"connections": 200, "duration": 10 * time.Second}, []Figure{
		newFigure("acked_per_second", "acked sends", "/s", More, 100, 110, 105),
		newFigure("ack_p99_ms", "ack p99", "ms", Less, 2, 2.5, 3),
		newFigure("fsync_ms", "fsync", "ms", "", 0.2),
		newFigure("errors", "errors", "", Less, 0, 0, 0),
	})
	r.Commit = "3f8ccf3d0d4f2e1b3f8ccf3d0d4f2e1b3f8ccf3d"
	return r
}

// Three saves on one day are three files, named after what was measured, and each reads back as it was.
func TestResultRoundTrip(t *testing.T) {
	dir, r := t.TempDir(), sampleResult()
	r.Time = time.Date(2026, 11, 27, 23, 59, 0, 0, time.UTC)
	for _, want := range []string{"2026-11-27-3f8ccf3-c2c.json", "2026-11-27-3f8ccf3-c2c-2.json", "2026-11-27-3f8ccf3-c2c-3.json"} {
		path, err := r.Save(dir)
		if err != nil || path != filepath.Join(dir, want) {
			t.Fatalf("saved as %s (%v), want %s", path, err, want)
		}
		back, err := ReadResult(path)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%v: saved %+v, read %+v", err, r, back)
		}
	}
	r.Database, r.Commit = databasePostgres, "v1.2.3"
	if path, err := r.Save(dir); err != nil || filepath.Base(path) != "2026-11-27-v1.2.3-c2c-postgres.json" {
		t.Errorf("saved as %s, %v", path, err)
	}
	named := filepath.Join(dir, "mine.json")
	for range 2 {
		if path, err := r.Save(named); err != nil || path != named {
			t.Errorf("saved as %s, %v", path, err)
		}
	}
	if _, err := r.Save(filepath.Join(dir, "nowhere", "mine.json")); err == nil {
		t.Error("saved in a directory that is not there")
	}
	r.Commit = "../../elsewhere"
	if path, err := r.Save(dir); err == nil {
		t.Errorf("saved as %s", path)
	}
}

// A file that is no result is refused with words that say why, before any of it is printed.
func TestReadResultRefuses(t *testing.T) {
	figure := `{"key":"a","name":"a","rounds":[1],"median":1}`
	whole := func(figures string) string {
		return `{"format":1,"name":"c2c","commit":"abc","figures":[` + figures + `]}`
	}
	for _, row := range []struct{ text, want string }{
		{"", "not a result"},
		{"[]", "not a result"},
		{"{}", "format 0"},
		{`{"store":"sqlite","runs":[]}`, "what --json prints is another form"},
		{`{"format":2}`, "format 2"},
		{`{"format":1,"name":"../x","commit":"abc","figures":[` + figure + `]}`, "want words"},
		{`{"format":1,"name":"c2c","commit":"a b","figures":[` + figure + `]}`, "want words"},
		{`{"format":1,"name":"c2c","commit":"abc","go":"\u001b[2J","figures":[` + figure + `]}`, "printable"},
		{`{"format":1,"name":"c2c","commit":"abc","flags":{"x":"\u0007"},"figures":[` + figure + `]}`, "printable"},
		{whole(""), "0 figures"},
		{whole(strings.Repeat(figure+",", maxFigures) + figure), "1001 figures"},
		{whole(figure + "," + figure), `"a" is there twice`},
		{whole(`{"key":"a b","name":"a","rounds":[1],"median":1}`), "a word as key"},
		{whole(`{"key":"a","name":"\u001b","rounds":[1],"median":1}`), "printable"},
		{whole(`{"key":"a","name":"a","rounds":[],"median":1}`), "0 rounds"},
		{whole(`{"key":"a","name":"a","rounds":[1` + strings.Repeat(",1", MaxRounds) + `],"median":1}`), "1001 rounds"},
		{whole(`{"key":"a","name":"a","rounds":[1,2],"median":2}`), "its median is 1.5"},
		{whole(`{"key":"a","name":"a","better":"up","rounds":[1],"median":1}`), "better"},
		{whole(figure) + strings.Repeat(" ", maxResultBytes), "longer than"},
	} {
		path := filepath.Join(t.TempDir(), "r.json")
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadResult(path); err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.80s: %v, want %q and the name of the file", row.text, err, row.want)
		}
	}
	if _, err := parseResult([]byte(whole(figure))); err != nil {
		t.Errorf("the pattern itself: %v", err)
	}
	if _, err := ReadResult(t.TempDir()); err == nil {
		t.Error("read a directory")
	}
}

func TestJoinAddsRounds(t *testing.T) {
	r, other := sampleResult(), sampleResult()
	other.Figures = other.Figures[:1]
	other.Figures[0] = newFigure("acked_per_second", "acked sends", "/s", More, 200, 210)
	r.Join(other)
	want := newFigure("acked_per_second", "acked sends", "/s", More, 100, 110, 105, 200, 210)
	if !reflect.DeepEqual(r.Figures[0], want) || len(r.Figures[1].Rounds) != 3 {
		t.Errorf("%+v", r.Figures)
	}
}

// Whatever a file holds: refused, or a result that can be printed, compared with itself, kept and read again.
func FuzzParseResult(f *testing.F) {
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseResult(text)
		if err != nil {
			return
		}
		c, err := Compare(r, r, nil)
		if err != nil || len(c.Worse(1)) != 0 {
			t.Fatalf("with itself: %v, %+v", err, c)
		}
		var printed strings.Builder
		if err := c.Write(&printed); err != nil || strings.ContainsRune(printed.String(), 0x1b) {
			t.Errorf("%v, printed %q", err, printed.String())
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseResult(again); err != nil && len(again) <= maxResultBytes {
			t.Errorf("%s became %s: %v", text, again, err)
		}
	})
}
