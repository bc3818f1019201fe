package stranger

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// An address fails at its rate for a while, then its answers come later and later, but never later than the longest
// wait; a pause makes it as good as new.
func TestSlower(t *testing.T) {
	m := clock.NewManual(time.Unix(1_700_000_000, 0))
	s := New(5, m.Clock())
	for i := range 50 {
		if d := s.count("192.0.2.1"); d > 0 {
			t.Fatalf("failure %d is held back for %v", i+1, d)
		}
	}
	if d := s.count("192.0.2.1"); d != 200*time.Millisecond {
		t.Errorf("failure 51 is held back for %v, want 200 ms", d)
	}
	for range 1000 {
		if d := s.count("192.0.2.1"); d > longest {
			t.Fatalf("a failure is held back for %v", d)
		}
	}
	if d := s.count("192.0.2.1"); d != longest {
		t.Errorf("after a thousand failures the next is held back for %v", d)
	}
	if d := s.count("192.0.2.2"); d > 0 {
		t.Errorf("another address is held back for %v", d)
	}
	m.Advance(patience + longest)
	if d := s.count("192.0.2.1"); d > 0 {
		t.Errorf("after a pause it is held back for %v", d)
	}
	for range 1000 {
		s.count("192.0.2.1")
	}
	m.Advance(-time.Hour)
	if d := s.count("192.0.2.1"); d > longest {
		t.Errorf("with a clock that was set back it is held back for %v", d)
	}
}

// One network of IPv6 is one address; many addresses do not fill the memory.
func TestAddresses(t *testing.T) {
	m := clock.NewManual(time.Unix(1_700_000_000, 0))
	s := New(1, m.Clock())
	for i := range 20 {
		s.count(fmt.Sprintf("2001:db8::%d", i+1))
	}
	if d := s.count("2001:db8::ffff"); d <= 0 {
		t.Error("an address of the same network is not held back")
	}
	if d := s.count("2001:db8:1::1"); d > 0 {
		t.Errorf("another network is held back for %v", d)
	}
	for i := range 3 * maxAddresses {
		s.count(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
		if len(s.paid) > maxAddresses {
			t.Fatalf("%d addresses are kept", len(s.paid))
		}
	}
	if d := New(0, nil).count("192.0.2.1"); d != 0 {
		t.Errorf("without a rate it is held back for %v", d)
	}
}
