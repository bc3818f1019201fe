package main

import (
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// poller is the least that works: one-shot epoll and a few workers. Linux only; TLS would need a goroutine anyway.
type poller struct {
	fd    int
	mu    sync.RWMutex
	conns map[int32]*net.TCPConn
	ready chan int32
}

func newPoller(workers int) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &poller{fd: fd, conns: map[int32]*net.TCPConn{}, ready: make(chan int32, 1024)}
	go p.wait()
	for range workers {
		go p.work()
	}
	return p, nil
}

func (p *poller) add(c *net.TCPConn) error {
	return p.control(c, func(fd int) error {
		p.mu.Lock()
		p.conns[int32(fd)] = c
		p.mu.Unlock()
		return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, interest(fd))
	})
}

func interest(fd int) *unix.EpollEvent {
	return &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(fd)}
}

func (p *poller) control(c *net.TCPConn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func (p *poller) wait() {
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(p.fd, events, -1)
		if err != nil && err != unix.EINTR {
			panic(err)
		}
		for i := range max(n, 0) {
			p.ready <- events[i].Fd
		}
	}
}

func (p *poller) work() {
	for fd := range p.ready {
		p.mu.RLock()
		c := p.conns[fd]
		p.mu.RUnlock()
		err := readReady(c)
		if err == nil {
			err = p.control(c, func(fd int) error { return unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, fd, interest(fd)) })
		}
		if err != nil {
			p.mu.Lock()
			delete(p.conns, fd)
			p.mu.Unlock()
			_ = c.Close() // leaves the epoll set with it
		}
	}
}
