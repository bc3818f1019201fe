// Package stranger slows down strangers that fail to log in again and again, by address.
//
// It refuses no login: many people may share one address, and those whose signature is good do not wait. Only the answers to
// failed logins are held back, so that one address gets a bounded number of them. The package does not know the doors.
package stranger

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

const (
	// patience is for how long an address may fail at its full rate before its answers are held back: a mistyped key in
	// one configuration makes many clients fail at once.
	patience = 10 * time.Second
	// longest bounds how long one answer is held back, and so what a held back answer costs.
	longest = 5 * time.Second
	// maxAddresses bounds the table. When it is full, an address that is forgotten begins afresh.
	maxAddresses = 8192
)

// Strangers counts failed logins. It is safe for concurrent use.
type Strangers struct {
	clock    *clock.Clock
	interval time.Duration // between two failures of an address; zero slows no stranger
	mutex    sync.Mutex
	paid     map[netip.Addr]time.Time // until when the failures of an address have used up its rate
}

// New makes one for all doors of a node. perSecond is how many failed logins of one address are answered in a second;
// zero slows no stranger. A nil clock is the system's.
func New(perSecond int, c *clock.Clock) *Strangers {
	s := &Strangers{clock: c, paid: map[netip.Addr]time.Time{}}
	if perSecond > 0 {
		s.interval = time.Second / time.Duration(perSecond)
	}
	return s
}

// Failed counts a failed login from an address, without a port, and waits until it may be answered, or ctx ends.
func (s *Strangers) Failed(ctx context.Context, address string) {
	delay := s.count(address)
	if delay <= 0 {
		return
	}
	timer := s.clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *Strangers) count(address string) time.Duration {
	parsed, err := netip.ParseAddr(address)
	if s.interval == 0 || err != nil {
		return 0
	}
	key, now := Network(parsed), s.clock.Now()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	until := s.paid[key]
	// A clock that was set back must not hold an address longer than it may be held.
	if until.Before(now) || until.Sub(now) > patience+longest {
		until = now
	}
	until = until.Add(s.interval)
	delay := until.Sub(now) - patience
	if delay > longest {
		delay, until = longest, now.Add(patience+longest)
	}
	s.makeRoom(key, now)
	s.paid[key] = until
	return delay
}

// makeRoom forgets addresses that have not failed lately, and any others when these are not enough.
func (s *Strangers) makeRoom(key netip.Addr, now time.Time) {
	if _, known := s.paid[key]; known || len(s.paid) < maxAddresses {
		return
	}
	for address, until := range s.paid {
		if until.Before(now) || len(s.paid) > maxAddresses*3/4 {
			delete(s.paid, address)
		}
	}
}

// ipv6Site is the network that a provider gives to one line of IPv6: a machine in it picks any of its addresses.
const ipv6Site = 64

// Network is what counts as one address: an address of IPv4, or a network of 64 bits of IPv6.
func Network(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if !address.Is6() {
		return address
	}
	network, err := address.Prefix(ipv6Site)
	if err != nil {
		return address
	}
	return network.Addr()
}
