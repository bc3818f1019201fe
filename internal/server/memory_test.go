package server

import "testing"

func TestPercentFor(t *testing.T) {
	for alive, want := range map[uint64]int{
		0:         mostPercent,
		1 << 20:   mostPercent,
		24 << 20:  100,
		96 << 20:  25,
		100 << 30: leastPercent,
	} {
		if got := percentFor(alive); got != want {
			t.Errorf("percentFor(%d MB) = %d, want %d", alive>>20, got, want)
		}
	}
}
