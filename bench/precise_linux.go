package bench

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// sleeper sleeps on a thread of its own. The runtime's timers may be a millisecond late, and so is a system call that
// the runtime knows of when all processors are busy at its end: an open loop would count that against the server.
type sleeper struct {
	processors int
	yielded    int64
}

// newSleeper gives the calling goroutine a thread of its own until release. The thread keeps a processor of the runtime
// also while it sleeps, so there is one more meanwhile.
func newSleeper() *sleeper {
	runtime.LockOSThread()
	s := &sleeper{processors: runtime.GOMAXPROCS(0)}
	runtime.GOMAXPROCS(s.processors + 1)
	// The kernel may else wake a thread 50 µs late, to save power.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, 1, 0)
	return s
}

func (s *sleeper) release() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, 0, 0) // the default again
	runtime.GOMAXPROCS(s.processors)
	runtime.UnlockOSThread()
}

// until returns at the moment given, of a stopwatch. The kernel wakes the thread, without the runtime's scheduler in
// between. The collector stops the thread with a signal, which ends the system call early.
func (s *sleeper) until(watch stopwatch, moment int64) {
	const (
		far  = int64(10 * time.Millisecond)
		room = int64(100 * time.Microsecond)
		turn = int64(5 * time.Millisecond) // the runtime takes the processor away after 10 ms, at no good moment
	)
	if early := moment - watch.ns(); early > far {
		<-time.After(time.Duration(early - far/2))
	}
	at := watch.ns()
	if moment-at > room && at-s.yielded > turn {
		runtime.Gosched()
		at = watch.ns()
		s.yielded = at
	}
	for ; at < moment; at = watch.ns() {
		span := syscall.NsecToTimespec(moment - at)
		_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&span)), 0, 0) //nolint:gosec // the call reads the span and keeps nothing
	}
}
