package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
)

// fakeServer speaks enough of the NATS protocol to be connected to, and nothing is ever delivered. Unlike a real server
// it keeps no memory of its own, so that a client's can be measured, and it can be told to stop reading.
type fakeServer struct {
	listener net.Listener
	payload  int
	stuck    atomic.Bool
	stop     chan struct{}
}

func startFake(t testing.TB, payload int) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{listener: listener, payload: payload, stop: make(chan struct{})}
	t.Cleanup(func() { _ = listener.Close() })
	go f.accept()
	return f
}

func (f *fakeServer) url() string { return "nats://" + f.listener.Addr().String() }

func (f *fakeServer) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		go f.serve(conn)
	}
}

func (f *fakeServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "INFO {\"server_id\":\"fake\",\"version\":\"2.10.0\",\"proto\":1,\"max_payload\":%d}\r\n", f.payload)
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "PING") {
			_, _ = conn.Write([]byte("PONG\r\n"))
		}
		if f.stuck.Load() {
			<-f.stop
			return
		}
	}
}

// logged is a slog.Handler that hands over the messages it is given.
type logged chan string

func (l logged) Enabled(context.Context, slog.Level) bool      { return true }
func (l logged) WithAttrs([]slog.Attr) slog.Handler            { return l }
func (l logged) WithGroup(string) slog.Handler                 { return l }
func (l logged) Handle(_ context.Context, r slog.Record) error { l <- r.Message; return nil }

// until returns when the message has been logged.
func (l logged) until(t *testing.T, message string) {
	t.Helper()
	for {
		select {
		case got := <-l:
			if got == message {
				return
			}
		case <-time.After(bustest.Patience):
			t.Fatal("never logged: " + message)
		}
	}
}
