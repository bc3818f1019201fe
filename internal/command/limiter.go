package command

import (
	"sync"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/im"
)

// limiter counts the calls of the running second: at the REST door those of each application and command, at the client
// door those of each account, or guest's address, of the commands that have a bound of their own there.
type limiter struct {
	clock  *clock.Clock
	usual  int // at the REST door; zero is no bound
	mutex  sync.Mutex
	second int64
	counts map[limitKey]int
}

type limitKey struct {
	to      *registered
	app     im.AppID
	account im.AccountID // at the client door
	address string       // of a guest
}

func newLimiter(usual int, c *clock.Clock) *limiter {
	return &limiter{clock: c, usual: usual, counts: map[limitKey]int{}}
}

// rate is the command's bound for the call; zero is none. A documented lower figure of the REST door holds only while
// bounds are on at all.
func (l *limiter) rate(call *Call, c *registered) int {
	switch {
	case call.Door == im.DoorClient:
		return c.ClientRate
	case l.usual > 0 && c.RESTRate > 0:
		return min(c.RESTRate, l.usual)
	default:
		return l.usual
	}
}

// allow counts the call, and refuses it above its bound.
func (l *limiter) allow(call *Call, c *registered) error {
	rate := l.rate(call, c)
	if rate == 0 {
		return nil
	}
	key, code := limitKey{to: c, app: call.App.ID}, im.CodeRateExceeded
	if call.Door == im.DoorClient {
		key.account, code = call.Account, im.CodeTooFrequent
		if call.Account == 0 {
			key.address = call.Address
		}
	}
	if l.count(key) > rate {
		return im.Errorf(code, "more than %d calls of %s in one second", rate, c.Name)
	}
	return nil
}

func (l *limiter) count(key limitKey) int {
	now := l.clock.Now().Unix()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if now != l.second {
		l.second = now
		clear(l.counts)
	}
	l.counts[key]++
	return l.counts[key]
}
