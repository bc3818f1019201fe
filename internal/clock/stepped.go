package clock

import (
	"sync/atomic"
	"time"
)

// Stepped is the system's clock, off by a span that is set: forth or back, as an operator or a time server does who sets a
// machine's clock. Timers do not care. It is for runs that look for faults; the zero value shows the system's time. It is safe for
// concurrent use.
//
// Setting it is harder on rules than setting a machine's clock: every difference between two of its times sees the step.
type Stepped struct{ by atomic.Int64 }

// Clock returns the clock for those who only read it.
func (s *Stepped) Clock() *Clock { return &Clock{stepped: s} }

// Step makes the clock differ from the system's by so much, whatever it differed by before; below zero it is behind.
func (s *Stepped) Step(by time.Duration) { s.by.Store(int64(by)) }

func (s *Stepped) now() time.Time { return time.Now().Add(time.Duration(s.by.Load())) }
