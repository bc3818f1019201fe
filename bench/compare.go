package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Comparison is two results of the same measurement, figure by figure.
type Comparison struct {
	Old, New *Result
	Figures  []Compared
}

// Compared is a figure in both results. Old or New is nil where only the other one has it.
type Compared struct {
	Old, New *Figure
	// Ratio is the new median to the old one; NaN when there is none.
	Ratio   float64
	Verdict Verdict
}

// Verdict says in words what became of a figure.
type Verdict string

// The verdicts. With a single round on both sides nobody can tell a change from chance; these are marked.
const (
	Improved Verdict = "better"
	Worsened Verdict = "worse"
	Within   Verdict = "within the spread"
	Same     Verdict = "the same"
	Neutral  Verdict = "" // neither direction is the good one
	OnlyOld  Verdict = "only in the old one"
	OnlyNew  Verdict = "only in the new one"
)

// Compare sets two results in relation. With keys, only the figures of these are. The error says what cannot be compared.
func Compare(before, after *Result, keys []string) (*Comparison, error) {
	if before.Name != after.Name {
		return nil, fmt.Errorf("the old result is one of `bench %s` and the new one of `bench %s`: want two of the same", before.Name, after.Name)
	}
	c := &Comparison{Old: before, New: after}
	for i := range before.Figures {
		c.add(&before.Figures[i], after.figure(before.Figures[i].Key), keys)
	}
	for i := range after.Figures {
		if before.figure(after.Figures[i].Key) == nil {
			c.add(nil, &after.Figures[i], keys)
		}
	}
	for _, key := range keys {
		if before.figure(key) == nil && after.figure(key) == nil {
			return nil, fmt.Errorf("figure %q is in neither result", key)
		}
	}
	return c, nil
}

func (r *Result) figure(key string) *Figure {
	i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return &r.Figures[i]
}

func (c *Comparison) add(before, after *Figure, keys []string) {
	one := Compared{Old: before, New: after, Ratio: math.NaN(), Verdict: verdict(before, after)}
	if len(keys) > 0 && !slices.Contains(keys, one.figure().Key) {
		return
	}
	if before != nil && after != nil && before.Median != 0 {
		one.Ratio = after.Median / before.Median
	}
	c.Figures = append(c.Figures, one)
}

// figure is the one whose name and unit are printed.
func (c *Compared) figure() *Figure {
	if c.New == nil {
		return c.Old
	}
	return c.New
}

func verdict(before, after *Figure) Verdict {
	switch {
	case after == nil:
		return OnlyOld
	case before == nil:
		return OnlyNew
	case after.Better == "":
		return Neutral
	case before.Median == after.Median:
		return Same
	case before.spans(after.Median) || after.spans(before.Median):
		return Within
	case (after.Median > before.Median) == (after.Better == More):
		return Improved
	}
	return Worsened
}

// spans reports whether a value lies among the rounds.
func (f *Figure) spans(value float64) bool {
	return len(f.Rounds) > 1 && slices.Min(f.Rounds) <= value && value <= slices.Max(f.Rounds)
}

// certain reports whether there were rounds enough to know a spread.
func (c *Compared) certain() bool {
	return c.Old == nil || c.New == nil || len(c.Old.Rounds) > 1 || len(c.New.Rounds) > 1
}

// Worse returns the figures that got worse by more than the factor, which is 1 or above: with 1.1, rates that fell below
// a 1.1th and times that grew above 1.1 times. What is within the spread of the rounds is not among them.
func (c *Comparison) Worse(factor float64) []Compared {
	var found []Compared
	for _, one := range c.Figures {
		if one.Verdict != Worsened {
			continue
		}
		was, is := one.Old.Median, one.New.Median
		if one.New.Better == More {
			was, is = is, was
		}
		if is > factor*was {
			found = append(found, one)
		}
	}
	return found
}

// Write prints the comparison for people.
func (c *Comparison) Write(w io.Writer) error {
	for _, side := range []struct {
		name string
		r    *Result
	}{{"old", c.Old}, {"new", c.New}} {
		_, _ = fmt.Fprintf(w, "%s: %s of %s, measured %s\n", side.name, side.r.Name, side.r.Commit, side.r.Time.Format("2006-01-02 15:04 MST"))
	}
	for _, text := range c.Old.differences(c.New) {
		_, _ = fmt.Fprintf(w, "not measured alike: %s\n", text)
	}
	_, _ = fmt.Fprintln(w)
	table, doubtful := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), false
	_, _ = fmt.Fprint(table, "figure\tunit\told\tnew\tnew ÷ old\t\n")
	for i := range c.Figures {
		one := &c.Figures[i]
		doubtful = doubtful || !one.certain()
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", one.figure().Name, one.figure().Unit,
			one.Old.text(), one.New.text(), one.ratioText(), one.Verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if doubtful {
		_, _ = fmt.Fprintln(w, "\nOne round on each side: nothing tells a change from chance. Measure both with --repeat 5.")
	}
	return nil
}

func (f *Figure) text() string {
	if f == nil {
		return "–"
	}
	return short(f.Median)
}

func (c *Compared) ratioText() string {
	if math.IsNaN(c.Ratio) {
		return "–"
	}
	return fmt.Sprintf("%.3f", c.Ratio)
}
