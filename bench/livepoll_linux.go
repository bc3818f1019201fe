package bench

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"
)

// partyPoll says on which of many connections something has come.
type partyPoll struct {
	number int
	events [256]syscall.EpollEvent
}

func newPartyPoll() (*partyPoll, error) {
	number, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll instance: %w", err)
	}
	return &partyPoll{number: number}, nil
}

func (p *partyPoll) close() { _ = syscall.Close(p.number) }

// watch begins or ends that a connection is looked at.
func (p *partyPoll) watch(socket int32, reads bool) error {
	how := syscall.EPOLL_CTL_DEL
	if reads {
		how = syscall.EPOLL_CTL_ADD
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: socket}
	if err := syscall.EpollCtl(p.number, how, int(socket), &event); err != nil {
		return fmt.Errorf("watch a connection: %w", err)
	}
	return nil
}

// come gives the connections on which something has come now, without waiting, and reports whether there may be more.
func (p *partyPoll) come(read func(socket int32)) (more bool) {
	n, _ := syscall.EpollWait(p.number, p.events[:], 0) // its error comes with nothing
	for _, event := range p.events[:max(n, 0)] {
		read(event.Fd)
	}
	return n == len(p.events)
}

// receive reads what has come on a connection; gone says that it has ended.
func receive(socket int32, into []byte) (n int, gone bool) {
	n, _, err := syscall.Recvfrom(int(socket), into, syscall.MSG_DONTWAIT)
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return 0, false
	case err != nil || n == 0:
		return 0, true
	}
	return n, false
}

// answerPing answers as every WebSocket does. One whose socket takes nothing is not answered.
func answerPing(socket int32, payload []byte) {
	const pong, masked, most = 0x8a, 0x80, 125
	if len(payload) > most {
		return
	}
	frame := append([]byte{pong, masked | byte(len(payload)), 0, 0, 0, 0}, payload...)
	_, _ = syscall.SendmsgN(int(socket), frame, nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// sendWhole writes what the socket takes without waiting. The runtime need not know of a call that does not wait.
func sendWhole(socket int, text []byte) {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(socket), uintptr(unsafe.Pointer(unsafe.SliceData(text))), //nolint:gosec // the call reads the bytes and keeps nothing
		uintptr(len(text)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
}
