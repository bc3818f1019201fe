package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// What a file of results may hold at most. Our own are about 10 KB.
const (
	maxResultBytes = 1 << 20
	maxFigures     = 1000
	maxFlags       = 100
	maxWord        = 200
)

// MaxRounds is how many rounds a figure may have.
const MaxRounds = 1000

// ReadResult reads a file that Save wrote. The error says what is wrong with any other file.
func ReadResult(path string) (*Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxResultBytes+1))
	if err != nil {
		return nil, err
	}
	r, err := parseResult(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func parseResult(text []byte) (*Result, error) {
	if len(text) > maxResultBytes {
		return nil, fmt.Errorf("longer than the %d bytes of any result", maxResultBytes)
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("not a result of `magpie bench … --save`: %w", err)
	}
	if r.Format != 1 {
		return nil, fmt.Errorf("format %d; a result of `magpie bench … --save` has 1 (what --json prints is another form)", r.Format)
	}
	return r, r.check()
}

// word is the form of keys, and of the words that become part of a file's name.
var word = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

func (r *Result) check() error {
	switch {
	case !word.MatchString(r.Name), !word.MatchString(r.Commit):
		return fmt.Errorf("name %.40q, commit %.40q: want words of letters, digits, dots and dashes", r.Name, r.Commit)
	case len(r.Figures) == 0 || len(r.Figures) > maxFigures:
		return fmt.Errorf("%d figures; want 1 to %d", len(r.Figures), maxFigures)
	case len(r.Flags) > maxFlags:
		return fmt.Errorf("%d flags; want at most %d", len(r.Flags), maxFlags)
	}
	words := []string{r.Go, r.System, r.Database}
	for flag, value := range r.Flags {
		words = append(words, flag, value)
	}
	if i := slices.IndexFunc(words, unprintable); i >= 0 {
		return fmt.Errorf("%.40q: want at most %d printable bytes", words[i], maxWord)
	}
	seen := map[string]bool{}
	for i := range r.Figures {
		f := &r.Figures[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("figure %d (%.40q): %w", i+1, f.Key, err)
		}
		if seen[f.Key] {
			return fmt.Errorf("figure %q is there twice", f.Key)
		}
		seen[f.Key] = true
	}
	return nil
}

func (f *Figure) check() error {
	switch {
	case !word.MatchString(f.Key):
		return errors.New("want a word as key")
	case unprintable(f.Name), unprintable(f.Unit), f.Name == "":
		return fmt.Errorf("name and unit: want at most %d printable bytes", maxWord)
	case f.Better != "" && f.Better != More && f.Better != Less:
		return fmt.Errorf("better: want %q, %q or nothing", More, Less)
	case len(f.Rounds) == 0 || len(f.Rounds) > MaxRounds:
		return fmt.Errorf("%d rounds; want 1 to %d", len(f.Rounds), MaxRounds)
	case math.Abs(median(f.Rounds)-f.Median) > 1e-9*math.Abs(f.Median):
		return fmt.Errorf("its median is %v and not %v", median(f.Rounds), f.Median)
	}
	return nil
}

// unprintable keeps what a terminal would obey out of what is printed.
func unprintable(text string) bool {
	return len(text) > maxWord || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
