//go:build !linux

package bench

import "time"

// sleeper sleeps as exactly as the runtime's timers do.
type sleeper struct{}

func newSleeper() *sleeper { return &sleeper{} }

func (s *sleeper) release() {}

func (s *sleeper) until(watch stopwatch, moment int64) {
	if early := moment - watch.ns(); early > 0 {
		<-time.After(time.Duration(early))
	}
}
