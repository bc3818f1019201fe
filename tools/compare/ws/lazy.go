package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// hijackLazily makes the library read from a connection that owns a buffer only while there is something in it.
type hijackLazily struct{ http.ResponseWriter }

func (h hijackLazily) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn, rw, nil // TLS: the kernel's buffer is not ours to wait for
	}
	lazy, err := newLazyReader(tcp)
	return &lazyConn{tcp, lazy}, rw, err
}

type lazyConn struct {
	*net.TCPConn
	lazy *lazyReader
}

func (c *lazyConn) Read(p []byte) (int, error) { return c.lazy.Read(p) }

func newLazyReader(tcp *net.TCPConn) (*lazyReader, error) {
	raw, err := tcp.SyscallConn()
	return &lazyReader{raw: raw}, err
}

// lazyReader waits for bytes without a buffer, then borrows one for as long as bytes remain.
type lazyReader struct {
	raw  syscall.RawConn
	buf  *[4096]byte
	from int
	to   int
}

var buffers = sync.Pool{New: func() any { return new([4096]byte) }}

func (c *lazyReader) Read(p []byte) (int, error) {
	if c.buf == nil {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.from:c.to])
	if c.from += n; c.from == c.to {
		c.release()
	}
	return n, nil
}

// fill borrows a buffer for each attempt and gives it back before it parks.
func (c *lazyReader) fill() error {
	var failed error
	err := c.raw.Read(func(fd uintptr) bool {
		c.buf = buffers.Get().(*[4096]byte)
		n, err := syscall.Read(int(fd), c.buf[:])
		for err == syscall.EINTR {
			n, err = syscall.Read(int(fd), c.buf[:])
		}
		if err == nil && n == 0 {
			err = io.EOF
		}
		c.from, c.to = 0, n
		if err != nil {
			c.release()
		}
		failed = err
		return err != syscall.EAGAIN
	})
	if err != nil {
		return err
	}
	return failed
}

func (c *lazyReader) release() {
	buffers.Put(c.buf)
	c.buf = nil
}
