package bustest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a node and a NATS server, and can keep all bytes back while the connections stand: so it looks to a
// node when the server's process is stopped.
type Proxy struct {
	listener net.Listener
	to       string

	mutex   sync.Mutex
	moving  sync.Cond
	stalled bool
	ended   bool
	open    []net.Conn
	running sync.WaitGroup
}

// StartProxy takes a free port; the test's Cleanup ends the proxy.
func StartProxy(t testing.TB, to *Server) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, to: to.running.Addr().String()}
	p.moving.L = &p.mutex
	p.running.Go(p.accept)
	t.Cleanup(p.end)
	return p
}

// URL is what ConnectNATS takes.
func (p *Proxy) URL() string { return "nats://" + p.listener.Addr().String() }

// Stall keeps back what comes from now on, in both directions.
func (p *Proxy) Stall() { p.set(true, false) }

// Resume passes on what was kept back, and all that follows.
func (p *Proxy) Resume() { p.set(false, false) }

func (p *Proxy) set(stalled, ended bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.stalled, p.ended = stalled, p.ended || ended
	p.moving.Broadcast()
}

func (p *Proxy) end() {
	_ = p.listener.Close()
	p.set(false, true)
	p.mutex.Lock()
	for _, each := range p.open {
		_ = each.Close()
	}
	p.mutex.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mutex.Lock()
		p.open = append(p.open, near, far)
		p.mutex.Unlock()
		p.running.Go(func() { p.relay(near, far) })
		p.running.Go(func() { p.relay(far, near) })
	}
}

// relay carries bytes from one side to the other until either ends.
func (p *Proxy) relay(from io.ReadCloser, to io.WriteCloser) {
	defer func() { _, _ = from.Close(), to.Close() }()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		p.mutex.Lock()
		for p.stalled && !p.ended {
			p.moving.Wait()
		}
		p.mutex.Unlock()
		if n > 0 {
			if _, failed := to.Write(piece[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
