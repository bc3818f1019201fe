//go:build !linux

package load

import (
	"syscall"
	"time"
)

// childAttributes are the default here: only Linux ends children with their parent.
func childAttributes() *syscall.SysProcAttr { return nil }

func pause(ns int64) { <-time.After(time.Duration(ns)) }

func ownThread() (release func()) { return func() {} }
