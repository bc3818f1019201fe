//go:build !linux

package gateway

import (
	"errors"
	"net"
)

func sendNow(int32, []byte) (n int, fault error) { return 0, errors.ErrUnsupported }

// isPlain is false where sockets are written to by their outboxes alone.
func isPlain(net.Conn) bool { return false }

// narrow leaves the kernel what it keeps.
func (*Session) narrow() {}
