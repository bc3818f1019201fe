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

// sendBuffer is how many bytes the kernel keeps for a session in a live room. With its usual buffers it keeps megabytes for whoever does
// not read, who would be shown all of that when he reads again.
const sendBuffer = 32 << 10

// narrow has the kernel keep little of what the session does not read.
func (s *Session) narrow() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.closed && s.descriptor != noDescriptor {
		_ = syscall.SetsockoptInt(int(s.descriptor), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer) // without it more is kept
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
