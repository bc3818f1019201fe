package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// bareCast is a server that writes each message that a connection sends to all connections, and does nothing else: what a push
// costs at least with this WebSocket library, one write for each message and connection.
type bareCast struct {
	gws.BuiltinEventHandler
	parts []*barePart // each writes to its share of the connections

	mutex sync.Mutex
	next  int // the part of the next connection
}

type barePart struct {
	messages chan []byte

	mutex sync.Mutex
	all   map[*gws.Conn]struct{}
}

// bareWaiting is how many messages may wait to be written; the sender then waits too.
const bareWaiting = 256

// ServeBare runs a server that broadcasts until ctx ends. It says "ready" at /readyz.
func ServeBare(ctx context.Context, listen string) error {
	ctx, cancel := context.WithCancel(ctx)
	b := &bareCast{}
	var writers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		part := &barePart{messages: make(chan []byte, bareWaiting), all: map[*gws.Conn]struct{}{}}
		b.parts = append(b.parts, part)
		writers.Go(func() { part.write(ctx) })
	}
	err := serveBare(ctx, listen, b)
	cancel()
	writers.Wait()
	return err
}

// serveBare serves until ctx ends.
func serveBare(ctx context.Context, listen string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ServeHTTP upgrades every connection but one that asks whether the server is ready.
func (b *bareCast) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if saysReady(w, r) {
		return
	}
	socket, err := gws.NewUpgrader(b, nil).Upgrade(w, r)
	if err != nil {
		return
	}
	part := b.part()
	part.keep(socket, true)
	defer part.keep(socket, false)
	socket.ReadLoop()
}

// saysReady answers whoever asks whether the server is ready.
func saysReady(w io.Writer, r *http.Request) bool {
	if r.URL.Path != "/readyz" {
		return false
	}
	_, _ = io.WriteString(w, "ready\n")
	return true
}

func (b *bareCast) part() *barePart {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.next++
	return b.parts[b.next%len(b.parts)]
}

// OnMessage has all parts write the message.
func (b *bareCast) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }()
	text := append([]byte(nil), message.Bytes()...)
	for _, part := range b.parts {
		part.messages <- text
	}
}

func (p *barePart) keep(socket *gws.Conn, there bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if there {
		p.all[socket] = struct{}{}
	} else {
		delete(p.all, socket)
	}
}

func (p *barePart) write(ctx context.Context) {
	for {
		select {
		case text := <-p.messages:
			p.writeToAll(text)
		case <-ctx.Done():
			return
		}
	}
}

func (p *barePart) writeToAll(text []byte) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for socket := range p.all {
		_ = socket.WriteMessage(gws.OpcodeBinary, text) // one that has ended is not kept for long
	}
}
