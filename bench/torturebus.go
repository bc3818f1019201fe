package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// busLine is what lies between a node and the bus: it carries bytes both ways, and can be cut, or stalled so that nothing
// arrives and nothing ends.
type busLine struct {
	listener net.Listener
	target   string

	mutex   sync.Mutex
	moved   *sync.Cond // of what follows
	open    map[net.Conn]struct{}
	cut     bool
	stalled bool
	closed  bool
	work    sync.WaitGroup
}

// newBusLine starts a line to the bus at an address such as nats://host:4222, and returns the address for the node.
func newBusLine(ctx context.Context, bus string) (*busLine, string, error) {
	address, err := url.Parse(bus)
	if err != nil {
		return nil, "", fmt.Errorf("--bus: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen before the bus: %w", err)
	}
	l := &busLine{listener: listener, target: address.Host, open: map[net.Conn]struct{}{}}
	if address.Port() == "" {
		l.target = net.JoinHostPort(address.Hostname(), "4222")
	}
	l.moved = sync.NewCond(&l.mutex)
	address.Host = listener.Addr().String()
	l.work.Go(func() { l.accept(context.WithoutCancel(ctx)) })
	return l, address.String(), nil
}

func (l *busLine) accept(ctx context.Context) {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.work.Go(func() { l.carry(ctx, near) })
	}
}

// carry joins a node's connection with one to the bus until either ends.
func (l *busLine) carry(ctx context.Context, near net.Conn) {
	const patience = 5 * time.Second
	defer l.forget(near)
	if !l.keep(near) {
		return
	}
	far, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", l.target)
	if err != nil {
		return
	}
	defer l.forget(far)
	if !l.keep(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(near, far) })
	both.Go(func() { l.copy(far, near) })
	both.Wait()
}

// keep reports whether the line is whole, and then remembers the connection, which a cut ends.
func (l *busLine) keep(c net.Conn) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cut || l.closed {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *busLine) forget(c net.Conn) {
	_ = c.Close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.open, c)
}

func (l *busLine) copy(to io.WriteCloser, from io.ReadCloser) {
	defer func() { _, _ = to.Close(), from.Close() }()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		l.await()
		if n > 0 {
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// await returns when the line is not stalled.
func (l *busLine) await() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for l.stalled && !l.cut && !l.closed {
		l.moved.Wait()
	}
}

// state cuts the line, stalls it, or makes it whole again.
func (l *busLine) state(cut, stalled bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.cut, l.stalled = cut, stalled
	if cut {
		for c := range l.open {
			_ = c.Close()
		}
	}
	l.moved.Broadcast()
}

// close ends the line and returns when none of its goroutines is left.
func (l *busLine) close() {
	_ = l.listener.Close()
	l.mutex.Lock()
	l.closed = true
	for c := range l.open {
		_ = c.Close()
	}
	l.moved.Broadcast()
	l.mutex.Unlock()
	l.work.Wait()
}

// lay puts a line between each node and the bus, if there is one.
func (t *torture) lay(ctx context.Context) error {
	if t.Bus == "" {
		return nil
	}
	for _, n := range t.stage.nodes {
		line, address, err := newBusLine(ctx, t.Bus)
		if err != nil {
			return err
		}
		t.lines = append(t.lines, line)
		n.env = append(n.env[:len(n.env):len(n.env)], "MAGPIE_BUS="+address)
	}
	return nil
}

func (t *torture) takeUp() {
	for _, line := range t.lines {
		line.close()
	}
}

// disturb cuts or stalls one node's line to the bus for a part of a server's life, now and then. It returns the rest of the
// life.
func (t *torture) disturb(ctx context.Context, life time.Duration) (time.Duration, error) {
	if len(t.lines) == 0 || t.chance.one(3) {
		return life, nil
	}
	line, cut := of(t.chance, t.lines), t.chance.one(2)
	before := t.chance.between(0, life/3)
	during := t.chance.between(life/10, life-before)
	if err := wait(ctx, before); err != nil {
		return 0, err
	}
	if cut {
		return life - before - during, t.cut(ctx, line, during)
	}
	t.report.Stalls++
	line.state(false, true)
	defer line.state(false, false)
	return life - before - during, wait(ctx, during)
}

// cut cuts a line for a while.
func (t *torture) cut(ctx context.Context, line *busLine, d time.Duration) error {
	t.report.Cuts++
	line.state(true, false)
	defer line.state(false, false)
	return wait(ctx, d)
}
