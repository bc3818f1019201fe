//go:build !linux

package bench

import (
	"syscall"
	"time"
)

// childAttributes lack what only Linux has, the end of a child with its parent.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func pause(ns int64) { <-time.After(time.Duration(ns)) }

func ownThread() (release func()) { return func() {} }
