package bench

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// Result is a measurement as it is kept in a file and compared with another one: figures, and what they were measured with.
type Result struct {
	// Format is 1, the only one there is.
	Format int `json:"format"`
	// Name is the command's, such as "c2c".
	Name string `json:"name"`
	// Time is when the measurement ended, in UTC.
	Time time.Time `json:"time"`
	// Commit is the measured program's, with "-dirty" behind it when files had been changed.
	Commit string `json:"commit"`
	Go     string `json:"go"`
	// System is operating system and processor, such as "linux/amd64"; CPUs is how many the process may use.
	System string `json:"system"`
	CPUs   int    `json:"cpus"`
	// Database is "sqlite", "postgres", or "unknown" of a server that ran already.
	Database string `json:"database"`
	// Flags are those that say what is measured, by name, the unchanged ones included. Addresses and keys are not among them.
	Flags   map[string]string `json:"flags"`
	Figures []Figure          `json:"figures"`
}

// Figure is one measured number.
type Figure struct {
	// Key is what programs know the figure by, Name what people read.
	Key  string `json:"key"`
	Name string `json:"name"`
	// Unit is "ms", "/s" and the like; empty for counts and ratios.
	Unit   string `json:"unit,omitempty"`
	Better Better `json:"better,omitempty"`
	// Rounds are the values of all rounds in their order, Median is theirs.
	Rounds []float64 `json:"rounds"`
	Median float64   `json:"median"`
}

// Better says which direction of a figure is the good one; empty when neither is.
type Better string

// The two directions.
const (
	More Better = "more"
	Less Better = "less"
)

func newFigure(key, name, unit string, better Better, rounds ...float64) Figure {
	return Figure{key, name, unit, better, rounds, median(rounds)}
}

// newResult describes this process and the machine.
func newResult(name, database string, flags map[string]any, figures []Figure) *Result {
	r := &Result{
		Format: 1, Name: name, Time: now().UTC().Truncate(time.Second), Commit: BuiltFrom(),
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Database: database, Flags: map[string]string{}, Figures: figures,
	}
	for flag, value := range flags {
		r.Flags[flag] = fmt.Sprint(value)
	}
	return r
}

// BuiltFrom is the commit that the build recorded in this program; empty if it recorded none.
func BuiltFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	built := map[string]string{}
	for _, s := range info.Settings {
		built[s.Key] = s.Value
	}
	commit := built["vcs.revision"]
	if commit != "" && built["vcs.modified"] == "true" {
		commit += "-dirty"
	}
	return commit
}

// Join adds the rounds of another measurement of the same figures behind those of r.
func (r *Result) Join(other *Result) {
	for i := range r.Figures {
		f := &r.Figures[i]
		at := slices.IndexFunc(other.Figures, func(o Figure) bool { return o.Key == f.Key })
		if at < 0 {
			continue
		}
		f.Rounds = append(f.Rounds, other.Figures[at].Rounds...)
		f.Median = median(f.Rounds)
	}
	r.Time = other.Time
}

// Save writes the result to a file and returns its name. In a directory, the name is made of the day, the commit and the
// measurement, and a number if such a file is there already; any other path names the file, which is replaced.
func (r *Result) Save(path string) (string, error) {
	if err := r.check(); err != nil {
		return "", fmt.Errorf("save the result: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", fmt.Errorf("save the result: %w", err)
	}
	text = append(text, '\n')
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return r.saveAnew(path, text)
	}
	return path, os.WriteFile(path, text, resultMode)
}

// resultMode lets everybody read a result, as it is made to be shown.
const resultMode = 0o644

func (r *Result) saveAnew(dir string, text []byte) (string, error) {
	const most = 1000
	for n := 1; n <= most; n++ {
		path := filepath.Join(dir, r.fileName(n))
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, resultMode)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = file.Write(text)
		return path, errors.Join(err, file.Close())
	}
	return "", fmt.Errorf("%s has %d results of this day, commit and measurement already", dir, most)
}

// fileName is, for example, 2026-11-27-3f8ccf3-c2c-postgres.json.
func (r *Result) fileName(n int) string {
	const short = 7
	commit := r.Commit
	if len(commit) > 2*short {
		commit = commit[:short]
	}
	name := fmt.Sprintf("%s-%s-%s", r.Time.Format(time.DateOnly), commit, r.Name)
	if r.Database == databasePostgres {
		name += "-" + r.Database
	}
	if n > 1 {
		name += fmt.Sprint("-", n)
	}
	return name + ".json"
}

// differences are sentences about what the two results were not measured alike with.
func (r *Result) differences(other *Result) []string {
	var found []string
	differ := func(what, before, after string) {
		if before != after {
			found = append(found, fmt.Sprintf("%s: %s → %s", what, cmp.Or(before, "none"), cmp.Or(after, "none")))
		}
	}
	differ("Go", r.Go, other.Go)
	differ("system", r.System, other.System)
	differ("processors", fmt.Sprint(r.CPUs), fmt.Sprint(other.CPUs))
	differ("database", r.Database, other.Database)
	both := maps.Clone(r.Flags)
	maps.Copy(both, other.Flags)
	for _, flag := range slices.Sorted(maps.Keys(both)) {
		differ("--"+flag, r.Flags[flag], other.Flags[flag])
	}
	return found
}
