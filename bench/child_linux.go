package bench

import "syscall"

// childAttributes has the kernel end a child when the thread that started it ends, which is when this process does. A
// group of its own keeps the terminal's interrupt from a child: the run stops it in its own time.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
