package client

import "time"

// now is the one place of this package that reads the clock.
func now() time.Time { return time.Now() }

// since is the age of t in nanoseconds, on the monotonic clock, so that a changed wall clock fires no timer.
func since(t time.Time) int64 { return int64(now().Sub(t)) }
