package gateway

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// poller waits for all sleeping sessions at once, with one goroutine. It is an epoll instance of its own: the runtime's
// wakes a goroutine only, and a sleeping session has none (docs/adr/0011-connections.md).
type poller struct {
	file   *os.File // the epoll instance, on which the runtime waits in turn, so that no thread does
	number int
	over   chan struct{}
	events [pollerEvents]syscall.EpollEvent

	mutex    sync.Mutex // is held while the instance is changed
	sessions []*Session // by the number of their descriptor
	closed   bool
}

// pollerEvents is how many sessions are woken with one system call.
const pollerEvents = 128

func newPoller() (*poller, error) {
	number, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll instance: %w", err)
	}
	if err := syscall.SetNonblock(number, true); err != nil {
		return nil, errors.Join(err, syscall.Close(number))
	}
	return &poller{file: os.NewFile(uintptr(number), "epoll"), number: number, over: make(chan struct{})}, nil
}

// arm has a session woken once, when there is something to read on its descriptor. The caller holds the session's mutex,
// so that the descriptor is not closed meanwhile.
func (p *poller) arm(s *Session) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	if need := int(s.descriptor) + 1; need > len(p.sessions) {
		p.sessions = append(p.sessions, make([]*Session, need-len(p.sessions))...)
	}
	p.sessions[s.descriptor] = s
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: s.descriptor}
	err := syscall.EpollCtl(p.number, syscall.EPOLL_CTL_MOD, int(s.descriptor), &event)
	if errors.Is(err, syscall.ENOENT) { // the first time
		err = syscall.EpollCtl(p.number, syscall.EPOLL_CTL_ADD, int(s.descriptor), &event)
	}
	return err
}

// forget is called before a descriptor is closed, which takes it out of the epoll instance, with the session's mutex held.
func (p *poller) forget(s *Session) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if int(s.descriptor) < len(p.sessions) && p.sessions[s.descriptor] == s {
		p.sessions[s.descriptor] = nil
	}
}

// run wakes sessions until the poller is closed. An event may come late, when its descriptor is another session's already;
// that one then waits with a reader for a while, which does no harm.
func (p *poller) run() {
	defer close(p.over)
	raw, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	for count := 0; err == nil; {
		err = raw.Read(func(epoll uintptr) bool {
			count, _ = syscall.EpollWait(int(epoll), p.events[:], 0) // its error is EINTR, which comes with nothing
			return count > 0
		})
		for _, event := range p.events[:max(count, 0)] {
			p.mutex.Lock()
			s := p.sessions[event.Fd]
			p.mutex.Unlock()
			if s != nil {
				s.wake()
			}
		}
		count = 0
	}
}

// close ends the poller, and returns when its goroutine has ended.
func (p *poller) close() {
	p.mutex.Lock()
	p.closed = true
	p.mutex.Unlock()
	p.file.Close()
	<-p.over
}
