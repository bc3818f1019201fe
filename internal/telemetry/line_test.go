package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// members reads the names of a JSON object in their order, those in groups as "group.name".
func members(t *testing.T, line []byte) []string {
	t.Helper()
	var names []string
	d := json.NewDecoder(bytes.NewReader(line))
	var read func(prefix string)
	read = func(prefix string) {
		for d.More() {
			name, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			full := prefix + fmt.Sprint(name)
			names = append(names, full)
			value, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			if value == json.Delim('{') {
				read(full + ".")
			}
		}
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	read("")
	return names
}

type pair struct{}

func (pair) LogValue() slog.Value { return slog.GroupValue(slog.Int("x", 1), slog.Int("x", 2)) }

// Whatever a line is given, each member stands once, and the last value counts.
func TestMembersStandOnce(t *testing.T) {
	trace := telemetry.WithTrace(context.Background(), "00c0ffee00c0ffee")
	for name, row := range map[string]struct {
		write func(log *slog.Logger)
		want  string // members behind time, level and msg
		holds string
	}{
		"the trace by hand and by the context": {
			func(l *slog.Logger) { l.InfoContext(trace, "m", telemetry.FieldTrace, "mine", "a", 1) }, "trace a", `"trace":"mine"`},
		"the trace by the logger": {
			func(l *slog.Logger) { l.With(telemetry.FieldTrace, "mine").InfoContext(trace, "m") }, "trace", `"trace":"mine"`},
		"the logger and the line": {
			func(l *slog.Logger) { l.With("app", 1, "b", 2).Info("m", "app", 3) }, "app b", `"app":3`},
		"twice in a line":   {func(l *slog.Logger) { l.Info("m", "a", 1, "a", 2) }, "a", `"a":2`},
		"twice in a logger": {func(l *slog.Logger) { l.With("a", 1).With("a", 2).Info("m") }, "a", `"a":2`},
		"slog's own names": {
			func(l *slog.Logger) { l.Info("m", "msg", 1, "time", 2, "level", 3, "source", 4) }, "msg_ time_ level_ source_", `"msg":"m"`},
		"in a group": {
			func(l *slog.Logger) { l.WithGroup("g").With("a", 1).InfoContext(trace, "m", "a", 2, "msg", 3) }, "g g.a g.msg trace", `"a":2`},
		"a group of a group": {
			func(l *slog.Logger) { l.With("a", 0).WithGroup("g").WithGroup("h").Info("m", "a", 1, "a", 2) }, "a g g.h g.h.a", `"a":2`},
		"a group without a name":  {func(l *slog.Logger) { l.Info("m", "a", 1, slog.Group("", "a", 2, "b", 3)) }, "a b", `"a":2`},
		"a value that is a group": {func(l *slog.Logger) { l.Info("m", "p", pair{}) }, "p p.x", `"x":2`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.NewLogger(&out, "info", "json")
			if err != nil {
				t.Fatal(err)
			}
			row.write(log)
			got := strings.Join(members(t, out.Bytes()), " ")
			if got != "time level msg "+row.want || !strings.Contains(out.String(), row.holds) {
				t.Errorf("members %q, want %q and %s in %s", got, row.want, row.holds, out.String())
			}
		})
	}
}

func TestSetLevel(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "warn", "text")
	if err != nil {
		t.Fatal(err)
	}
	child := log.With("a", 1).WithGroup("g")
	child.Info("one")
	if err := telemetry.SetLevel(log, "info"); err != nil {
		t.Fatal(err)
	}
	child.Info("two")
	if err := telemetry.SetLevel(log, "loud"); err == nil {
		t.Error("a level that does not exist was taken")
	}
	child.Info("three")
	if got := out.String(); strings.Contains(got, "one") || !strings.Contains(got, "two") || !strings.Contains(got, "three") {
		t.Errorf("the log says %q", got)
	}
	if err := telemetry.SetLevel(slog.New(slog.DiscardHandler), "info"); err != nil {
		t.Error(err)
	}
}

// Of a kind one line is written in ten seconds, and it says how many were not.
func TestSampled(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	manual := clock.NewManual(time.Unix(1_700_000_000, 0))
	sampled := telemetry.NewSampled(log, manual.Clock())
	lines := func() string {
		defer out.Reset()
		var said []string
		for line := range strings.Lines(out.String()) {
			_, text, _ := strings.Cut(strings.TrimSpace(line), "msg=")
			said = append(said, text)
		}
		return strings.Join(said, "; ")
	}
	for range 5 {
		sampled.Warn(t.Context(), "bad", "refused", "n", 1)
	}
	sampled.Warn(t.Context(), "other", "refused", "n", 2)
	if got := lines(); got != "refused n=1; refused n=2" {
		t.Errorf("at first: %q", got)
	}
	manual.Advance(9 * time.Second)
	sampled.Warn(t.Context(), "bad", "refused", "n", 3)
	manual.Advance(time.Second)
	sampled.Warn(t.Context(), "bad", "refused", "n", 4)
	if got := lines(); got != "refused n=4 skipped=5" {
		t.Errorf("after ten seconds: %q", got)
	}
	manual.Set(time.Unix(1_600_000_000, 0))
	sampled.Warn(t.Context(), "bad", "refused", "n", 5)
	if got := lines(); got != "refused n=5" {
		t.Errorf("with a clock that was set back: %q", got)
	}
}
