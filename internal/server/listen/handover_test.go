package listen

import (
	"path/filepath"
	"strings"
	"testing"
)

// Who stops has no socket to give any more: the next process opens one of its own, and does not fail.
func TestTakeOverFromWhoStops(t *testing.T) {
	t.Parallel()
	l, _ := bounded(t, Bounds{})
	path := filepath.Join(t.TempDir(), "offer")
	offer, err := l.Offer(path, func() { t.Error("the socket was taken") })
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if taken, err := TakeOver(t.Context(), path, address); taken != nil || err != nil {
		t.Errorf("taken over is %v, %v", taken, err)
	}
	if err := offer.Close(); err != nil {
		t.Error(err)
	}
}

// At a path that is too long for such a socket nobody offers one.
func TestTakeOverAtALongPath(t *testing.T) {
	t.Parallel()
	l, _ := bounded(t, Bounds{})
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if offer, err := l.Offer(path, func() {}); err == nil {
		t.Fatal(offer.Close(), "it is offered")
	}
	if taken, err := TakeOver(t.Context(), path, l.Addr().String()); taken != nil || err != nil {
		t.Errorf("taken over is %v, %v", taken, err)
	}
}
