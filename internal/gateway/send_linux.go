package gateway

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// sendNow writes what the socket takes without waiting; 0 without a fault is a socket that takes nothing now.
func sendNow(descriptor int32, bytes []byte) (n int, fault error) {
	for {
		n, err := syscall.SendmsgN(int(descriptor), bytes, nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		}
		return n, err
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
