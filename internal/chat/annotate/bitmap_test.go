package annotate

import (
	"slices"
	"testing"
)

func TestBitmap(t *testing.T) {
	var set bitmap
	numbers := []int64{1, 7, 8, 9, 63, 64, 1000}
	for _, n := range slices.Backward(numbers) {
		before := set
		set = set.with(n)
		if before.has(n) || !set.has(n) || set.has(n+10_000) {
			t.Errorf("%d is in %v before, or not in %v after", n, before, set)
		}
	}
	if set.count() != int64(len(numbers)) || set.with(7).count() != set.count() {
		t.Errorf("there are %d", set.count())
	}
	for _, row := range []struct {
		above int64
		most  int
		want  []int64
	}{{0, 3, []int64{1, 7, 8}}, {8, 3, []int64{9, 63, 64}}, {64, 3, []int64{1000}}, {1000, 3, nil}, {-5, 1, []int64{1}}} {
		if got := set.after(row.above, row.most); !slices.Equal(got, row.want) {
			t.Errorf("above %d: %v, want %v", row.above, got, row.want)
		}
	}
}
