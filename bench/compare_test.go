package bench

import (
	"math"
	"strings"
	"testing"
)

func TestVerdicts(t *testing.T) {
	for _, row := range []struct {
		name     string
		better   Better
		old, new []float64
		want     Verdict
		ratio    float64
		tenth    bool // worse by more than a tenth
	}{
		{"a rate that rose", More, []float64{100, 101}, []float64{120, 121}, Improved, 120.5 / 100.5, false},
		{"a rate that fell", More, []float64{100, 101}, []float64{80, 81}, Worsened, 80.5 / 100.5, true},
		{"a rate that fell a little", More, []float64{100, 101}, []float64{95, 96}, Worsened, 95.5 / 100.5, false},
		{"a time that rose", Less, []float64{2, 2}, []float64{3, 3}, Worsened, 1.5, true},
		{"a time that fell", Less, []float64{3, 3}, []float64{2, 2}, Improved, 2. / 3, false},
		{"the new median among the old rounds", More, []float64{90, 100, 120}, []float64{92, 92}, Within, 0.92, false},
		{"the old median among the new rounds", Less, []float64{2, 2}, []float64{1, 4, 4}, Within, 2, false},
		{"rounds that overlap, medians that do not", Less, []float64{1, 2, 3}, []float64{2.5, 4, 5}, Worsened, 2, true},
		{"a single round each", More, []float64{100}, []float64{50}, Worsened, 0.5, true},
		{"nothing changed", More, []float64{5}, []float64{5}, Same, 1, false},
		{"no direction", "", []float64{5}, []float64{9}, Neutral, 1.8, false},
		{"errors where there were none", Less, []float64{0, 0}, []float64{3, 3}, Worsened, math.NaN(), true},
	} {
		before, after := sampleResult(), sampleResult()
		before.Figures = []Figure{newFigure("x", "x", "", row.better, row.old...)}
		after.Figures = []Figure{newFigure("x", "x", "", row.better, row.new...)}
		c, err := Compare(before, after, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Figures[0]
		if got.Verdict != row.want || math.Abs(got.Ratio-row.ratio) > 1e-12 || math.IsNaN(got.Ratio) != math.IsNaN(row.ratio) {
			t.Errorf("%s: %q and %v, want %q and %v", row.name, got.Verdict, got.Ratio, row.want, row.ratio)
		}
		if worse := c.Worse(1.1); len(worse) > 0 != row.tenth {
			t.Errorf("%s: worse than by a tenth: %v", row.name, worse)
		}
	}
}

// Figures that only one side has are named, and what was measured otherwise is said.
func TestComparisonInWords(t *testing.T) {
	before, after := sampleResult(), sampleResult()
	after.Figures = append(after.Figures[1:], newFigure("half_ack_p50_ms", "half load: ack p50", "ms", Less, 1))
	after.Figures[0] = newFigure("ack_p99_ms", "ack p99", "ms", Less, 5, 5, 5)
	after.Database, after.Flags["connections"] = databasePostgres, "100"
	delete(after.Flags, "duration")
	c, err := Compare(before, after, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := c.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"not measured alike: database: sqlite → postgres\n", "not measured alike: --connections: 200 → 100\n",
		"not measured alike: --duration: 10s → none\n", "only in the old one\n", "only in the new one\n", "worse\n",
		"2.50   5.00", "2.000", "One round on each side",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("want %q in\n%s", want, text.String())
		}
	}
	if c, err = Compare(before, after, []string{"ack_p99_ms"}); err != nil || len(c.Figures) != 1 {
		t.Errorf("%v, %+v", err, c)
	}
	text.Reset()
	if err := c.Write(&text); err != nil || strings.Contains(text.String(), "One round") || strings.Contains(text.String(), "acked") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

func TestCompareRefuses(t *testing.T) {
	idle := sampleResult()
	idle.Name = "idle"
	if _, err := Compare(sampleResult(), idle, nil); err == nil || !strings.Contains(err.Error(), "two of the same") {
		t.Errorf("%v", err)
	}
	if _, err := Compare(sampleResult(), sampleResult(), []string{"wings"}); err == nil || !strings.Contains(err.Error(), `"wings"`) {
		t.Errorf("%v", err)
	}
}
