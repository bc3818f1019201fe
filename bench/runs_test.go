package bench_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// The runs themselves, short, on the real binary. What they measure says nothing here; that they end, remove what they
// made and find no fault does.
func TestRuns(t *testing.T) {
	exe := build(t)
	for name, run := range map[string]func(t *testing.T){
		"torture/sqlite":   func(t *testing.T) { torture(t, exe, bench.Setup{}, 1, 3*time.Second) },
		"torture/postgres": func(t *testing.T) { torture(t, exe, bench.Setup{DB: dbtest.Durable(t)}, 1, 0) },
		"torture/two nodes": func(t *testing.T) {
			torture(t, exe, bench.Setup{DB: dbtest.Durable(t), Bus: bustest.StartServer(t).URL()}, 2, 0)
		},
		"c2c":     func(t *testing.T) { c2c(t, exe) },
		"idle":    func(t *testing.T) { idle(t, exe) },
		"history": func(t *testing.T) { history(t, exe) },
		"login":   func(t *testing.T) { login(t, exe) },
		"group":   func(t *testing.T) { group(t, exe) },
		"live":    func(t *testing.T) { live(t, exe) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			run(t)
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "magpie")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "../cmd/magpie").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// place completes a setup with a directory that must be empty after the run.
func place(t *testing.T, exe string, s bench.Setup) bench.Setup {
	t.Helper()
	s.Exe, s.Dir, s.Progress = exe, t.TempDir(), t.Output()
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MAGPIE_") {
			s.Env = append(s.Env, variable)
		}
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 0 {
			t.Errorf("the run left %v behind (%v)", left, err)
		}
	})
	return s
}

func torture(t *testing.T, exe string, s bench.Setup, nodes int, steps time.Duration) {
	o := bench.TortureOptions{
		Setup: place(t, exe, s), Kills: 3, Nodes: nodes, Connections: 6, Accounts: 4, Rate: 300, Window: 4, Groups: 2, GroupRate: 150, ClockSteps: steps,
		Least: 200 * time.Millisecond, Most: 600 * time.Millisecond,
	}
	r, err := bench.Torture(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	if !r.Clean() || r.Acked < 50 || r.Reconnects == 0 || r.Acts < 5 || r.Edited+r.Recalled+r.Marked == 0 || r.Joined == 0 || r.Left == 0 || (r.ClockSteps == 0) != (steps == 0) || r.SettingsChanged == 0 {
		t.Error("want a clean run in which much has happened")
	}
}

func c2c(t *testing.T, exe string) {
	profiles := t.TempDir()
	o := bench.C2COptions{
		Setup: place(t, exe, bench.Setup{Profile: profiles}), Connections: 10, Size: 300, Duration: 300 * time.Millisecond, Repeat: 1,
		Repeating: 2, Flooding: 1, Chats: 15, InFlight: 3, Rates: []int{200, 1_000_000},
	}
	r, err := bench.C2C(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run := r.Runs[0]
	if run.FsyncMS == 0 || run.RawPerSecond == 0 || run.Alone.Count != 200 || run.Fixed[0].Phase == nil || run.Fixed[1].Phase != nil {
		t.Fatalf("not measured, or measured at a rate out of reach: %+v", run)
	}
	phases := map[string]*bench.Phase{"main": &run.Main, "at 200/s": run.Fixed[0].Phase}
	for i := range 3 {
		phases[fmt.Sprint("without repeats ", i)] = &run.Repeated.Without[i]
		phases[fmt.Sprint("with repeats ", i)] = &run.Repeated.With[i]
		phases[fmt.Sprint("without a flood ", i)] = &run.Flooded.Without[i]
		phases[fmt.Sprint("beside a flood ", i)] = &run.Flooded.With[i]
	}
	for name, p := range phases {
		if p.Acked == 0 || p.Acked != p.Sent || p.Delivered != p.Acked || p.Disordered != 0 || len(p.Errors) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if run.Repeated.RepeatsPerSecond == 0 || run.Repeated.RepeatsFailed != 0 {
		t.Errorf("%+v", run.Repeated)
	}
	if run.Flooded.AckedPerSecond == 0 {
		t.Errorf("%+v", run.Flooded)
	}
	if used := run.Main.Used; runtime.GOOS == "linux" && (used.ProcessorMS == 0 || used.DiskBytes == 0 || used.PerCommit == 0) {
		t.Errorf("not measured: %+v", used)
	}
	profiled(t, profiles, "c2c")
	writes(t, r, "the closed loop reached", `"end_to_end_to_raw"`)
	keeps(t, r.Result(), "beside_repeats_to_fresh", "flood_p95_ratio", "cpu_ms", "rate_200_p99_to_fsync", "rate_200_ack_p50_ms", "pushed_after_later", "errors")
}

// profiled fails the test unless a run has left a profile.
func profiled(t *testing.T, dir, name string) {
	t.Helper()
	if kept, err := os.ReadFile(filepath.Join(dir, name+".pprof")); err != nil || !strings.HasPrefix(string(kept), "\x1f\x8b") {
		t.Errorf("profile: %v %.40q", err, kept)
	}
}

func group(t *testing.T, exe string) {
	profiles := t.TempDir()
	o := bench.GroupOptions{
		Setup: place(t, exe, bench.Setup{Profile: profiles}), Connections: 10, InFlight: 2, Members: 420, Turns: 1, Size: 300, Online: 20, Rate: 100,
		Duration: 300 * time.Millisecond,
	}
	r, err := bench.Group(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		phases []bench.Phase
		copies int64
	}{"one": {r.OneToOne, 1}, "small": {r.Small, 4}, "large": {r.Large, 4}, "fan": {r.Fan, 19}, "bare": {r.Bare, 19}} {
		p := one.phases[0]
		if p.Acked == 0 || p.Acked != p.Sent || p.Delivered != p.Acked*one.copies || p.Disordered != 0 || len(p.Errors) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, name := range []string{"group-one", "group-small", "group-large"} {
		profiled(t, profiles, name)
	}
	writes(t, r, "groups of 420: acked sends", `"bare"`)
	keeps(t, r.Result(), "large_to_small", "small_to_one", "fan_delivery_p99_ms", "bare_cpu_us", "fan_cpu_to_bare", "errors")
}

func live(t *testing.T, exe string) {
	if runtime.GOOS != "linux" {
		t.Skip("its members are read with epoll")
	}
	o := bench.LiveOptions{
		Setup: place(t, exe, bench.Setup{}), Members: 30, Rooms: 2, Rates: [4]float64{20, 40, 0, 20}, Limit: 1000, Slow: 5, Turns: 1, Size: 160,
		Warmup: 100 * time.Millisecond, Duration: 500 * time.Millisecond,
	}
	r, err := bench.Live(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, phases := range map[string][]bench.LivePhase{"live": r.Live, "slow": r.Slow, "bare": r.Bare} {
		p := phases[0]
		if p.DeliveredPerSecond == 0 || p.Missing != 0 || p.Disordered != 0 || p.Lost != 0 || len(p.Errors) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
		if name != "bare" && (p.Delivery["High"].Count == 0 || p.Delivery["Low"].Count != 0 || p.Probe.Count == 0 || p.Pushed == 0 || p.Pushed != p.Received) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	writes(t, r, "Lowest: delivery p99", `"missing"`)
	keeps(t, r.Result(), "live_cpu_us", "live_p99_ms_0", "bare_cpu_us", "cpu_to_bare", "slow_p99_to_live", "dropped_rate", "missing")
}

func idle(t *testing.T, exe string) {
	o := bench.IdleOptions{Setup: place(t, exe, bench.Setup{}), Connections: 50, Settle: 100 * time.Millisecond}
	r, err := bench.Idle(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost != 0 || r.Before.Resident < 1000 || r.After.Heap == 0 {
		t.Errorf("%+v", r)
	}
	writes(t, r, "resident", `"kb_per_connection"`)
	keeps(t, r.Result(), "kb_per_connection", "lost")
}

func history(t *testing.T, exe string) {
	o := bench.HistoryOptions{
		Setup: place(t, exe, bench.Setup{}), Small: 100, Messages: 5000, Pages: 10, Page: 20, Size: 300,
	}
	r, err := bench.History(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pages) != 4 || r.Pages[0].Small.Count != 10 || r.Pages[3].Ratio == 0 {
		t.Errorf("%+v", r)
	}
	writes(t, r, "admin_getroammsg", `"ratio"`)
	keeps(t, r.Result(), "getroammsg_random_large_p50_ms", "admin_getroammsg_newest_ratio")
}

// writes checks that a report can be printed in both forms.
func writes(t *testing.T, r interface {
	Write(io.Writer) error
	WriteJSON(io.Writer) error
}, text, key string) {
	t.Helper()
	var people, programs strings.Builder
	if err := errors.Join(r.Write(&people), r.WriteJSON(&programs)); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + people.String())
	if !strings.Contains(people.String(), text) || !strings.Contains(programs.String(), key) {
		t.Errorf("want %q in the table and %s in\n%s", text, key, programs.String())
	}
}

// keeps checks that a result with the figures comes back from its file as it was.
func keeps(t *testing.T, r *bench.Result, keys ...string) {
	t.Helper()
	r.Commit = "0123456789abcdef"
	path, err := r.Save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	back, err := bench.ReadResult(path)
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Fatalf("%v: saved %+v, read %+v", err, r, back)
	}
	for _, key := range keys {
		if !slices.ContainsFunc(r.Figures, func(f bench.Figure) bool { return f.Key == key }) {
			t.Errorf("%s is not among %+v", key, r.Figures)
		}
	}
}
