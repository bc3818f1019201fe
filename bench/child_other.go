//go:build !linux

package bench

import "syscall"

// childAttributes lack what only Linux has, the end of a child with its parent.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
