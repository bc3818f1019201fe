package gateway

import (
	"crypto/tls"
	"net"
	"syscall"
	"unsafe"
)

// sendNow writes what the socket takes without waiting; 0 without a fault is a socket that takes nothing now. As it never waits, the
// runtime need not be told of the system call.
func sendNow(descriptor int32, bytes []byte) (n int, fault error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	for {
		sent, _, number := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(descriptor),
			uintptr(unsafe.Pointer(unsafe.SliceData(bytes))), uintptr(len(bytes)), flags, 0, 0) //nolint:gosec // the call reads the bytes and keeps nothing
		switch number {
		case 0:
			return int(sent), nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, number
		}
	}
}

// isPlain reports whether what is written to a connection goes into its socket as it is: there is no TLS.
func isPlain(c net.Conn) bool {
	for {
		if _, ok := c.(*tls.Conn); ok {
			return false
		}
		if _, ok := c.(syscall.Conn); ok {
			return true
		}
		around, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return false
		}
		c = around.NetConn()
	}
}
