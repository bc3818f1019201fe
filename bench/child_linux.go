package bench

import (
	"runtime"
	"syscall"
)

// childAttributes has the kernel end a child when the thread that started it ends, which is when this process does. A
// group of its own keeps the terminal's interrupt from a child: the run stops it in its own time.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// pause sleeps in the kernel, which wakes within some 60 µs; the runtime's timers may be a millisecond late, and an open
// loop would count that against the server. The caller has the goroutine on a thread of its own.
func pause(ns int64) {
	span := syscall.NsecToTimespec(ns)
	_ = syscall.Nanosleep(&span, nil)
}

// ownThread gives the goroutine a thread that pause may stop.
func ownThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
