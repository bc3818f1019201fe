package command

import (
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// limiter counts the REST calls of each application and command in the running second.
type limiter struct {
	usual  int
	mutex  sync.Mutex
	second int64
	counts map[limitKey]int
}

type limitKey struct {
	app im.AppID
	to  *entry
}

func newLimiter(usual int) *limiter { return &limiter{usual: usual, counts: map[limitKey]int{}} }

// rate is the command's bound; zero is none. A documented lower figure holds only while bounds are on at all.
func (l *limiter) rate(e *entry) int {
	if l.usual > 0 && e.RESTRate > 0 {
		return min(e.RESTRate, l.usual)
	}
	return l.usual
}

func (l *limiter) allow(app im.AppID, e *entry) bool {
	rate := l.rate(e)
	if rate == 0 {
		return true
	}
	now := time.Now().Unix()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if now != l.second {
		l.second = now
		clear(l.counts)
	}
	key := limitKey{app, e}
	l.counts[key]++
	return l.counts[key] <= rate
}
