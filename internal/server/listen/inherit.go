package listen

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstInherited is the descriptor at which sockets begin that a service manager hands over (sd_listen_fds of systemd).
const firstInherited = 3

// Inherited gives the socket that whoever started this process listens on in its place; nil when there is none. Who connects while the
// process is not there waits in that socket for the next one. process and sockets are what the variables LISTEN_PID and LISTEN_FDS
// say: which process the sockets are for, and how many there are.
func Inherited(process, sockets string) (net.Listener, error) {
	if process != strconv.Itoa(os.Getpid()) || sockets == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	if sockets != "1" {
		return nil, fmt.Errorf("the service manager hands over %s sockets: one is wanted, with all doors on it", sockets)
	}
	return fromDescriptor(firstInherited)
}

// fromDescriptor makes a listener of a descriptor, which is the listener's afterwards.
func fromDescriptor(descriptor int) (net.Listener, error) {
	syscall.CloseOnExec(descriptor)
	file := os.NewFile(uintptr(descriptor), "listener")
	defer func() { _ = file.Close() }()
	found, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("the socket that was handed over: %w", err)
	}
	if _, ok := found.(*net.TCPListener); !ok {
		_ = found.Close()
		return nil, fmt.Errorf("the socket that was handed over is of the kind %s: want one of TCP", found.Addr().Network())
	}
	return found, nil
}
