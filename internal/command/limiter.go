package command

import (
	"sync"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/im"
)

// limiter counts the calls of the running second: all calls of an account and of an application (share.go), and those of
// single commands: at the REST door for each application; at the client door for each account, or guest's address, of the
// commands that have a bound of their own.
type limiter struct {
	clock  *clock.Clock
	usual  int // at the REST door, where the application has no rate of its own; zero is no bound
	mutex  sync.Mutex
	second int64
	counts map[limitKey]int
	used   map[limitKey]usage // of the shares
	debts  map[limitKey]debts // of accounts at the client door, that took something in this second
	older  map[limitKey]debts // and in the one before
}

type limitKey struct {
	to      *registered // nil for all commands together
	app     im.AppID
	account im.AccountID // at the client door
	address string       // of a guest
}

func newLimiter(usual int, c *clock.Clock) *limiter {
	return &limiter{clock: c, usual: usual, counts: map[limitKey]int{}, used: map[limitKey]usage{}, debts: map[limitKey]debts{}}
}

// rate is the command's bound for the call; zero is none. A documented lower figure of the REST door holds only while
// bounds are on at all.
func (l *limiter) rate(call *Call, c *registered) int {
	if call.Door == im.DoorClient {
		return c.ClientRate
	}
	usual := l.usual
	if chosen := restCalls.Of(call.App); chosen > 0 {
		usual = chosen
	}
	if usual > 0 && c.RESTRate > 0 {
		return min(c.RESTRate, usual)
	}
	return usual
}

// allow counts a call with a body of so many bytes, and refuses it above its bounds.
func (l *limiter) allow(call *Call, c *registered, size int) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.turn()
	take := usage{calls: 1, bytes: size}
	l.slow(call, take)
	if rate := l.rate(call, c); rate > 0 {
		key := limitKey{to: c, app: call.App.ID}
		if call.Door == im.DoorClient {
			key.account = call.Account
			if call.Account == 0 {
				key.address = call.Address
			}
		}
		if l.counts[key]++; l.counts[key] > rate {
			return im.Errorf(tooMuch(call), "more than %d calls of %s in one second", rate, c.Name)
		}
	}
	return l.within(call, take)
}

// turn begins a new second if there is one; the caller holds the mutex.
func (l *limiter) turn() {
	if now := l.clock.Now().Unix(); now != l.second {
		l.second = now
		clear(l.counts)
		clear(l.used)
		l.forgive()
	}
}
