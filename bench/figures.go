package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// each is a value of each run. A run in which it could not be measured says NaN, and has none.
func each[R any](runs []R, of func(*R) float64) []float64 {
	values := make([]float64, 0, len(runs))
	for i := range runs {
		if value := of(&runs[i]); !math.IsNaN(value) {
			values = append(values, value)
		}
	}
	return values
}

func sum(values []float64) float64 {
	var all float64
	for _, value := range values {
		all += value
	}
	return all
}

// median of no values is 0; of an even number, the mean of the two in the middle.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratio is 0 when there is nothing to relate.
func ratio(x, y float64) float64 {
	if y == 0 {
		return 0
	}
	return x / y
}

// writeFigure prints a line of a table, unless the figure was not measured.
func writeFigure(w io.Writer, name, unit string, values []float64) {
	m := median(values)
	if m == 0 {
		return
	}
	spread := ""
	if len(values) > 1 {
		spread = fmt.Sprintf("\t(%s to %s)", short(slices.Min(values)), short(slices.Max(values)))
	}
	_, _ = fmt.Fprintf(w, "%s\t%s %s%s\n", name, short(m), unit, spread)
}

// short writes three digits that mean something.
func short(value float64) string {
	switch size := math.Abs(value); {
	case size == 0:
		return "0"
	case size >= 100:
		return fmt.Sprintf("%.0f", value)
	case size >= 10:
		return fmt.Sprintf("%.1f", value)
	case size >= 1:
		return fmt.Sprintf("%.2f", value)
	default:
		return fmt.Sprintf("%.3f", value)
	}
}
