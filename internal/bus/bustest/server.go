package bustest

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a NATS server inside the test process, on 127.0.0.1.
type Server struct {
	options server.Options
	running *server.Server
}

// StartServer takes a free port; the test's Cleanup stops the server.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{options: server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true}}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// URL is what ConnectNATS takes.
func (s *Server) URL() string { return s.running.ClientURL() }

// Start runs the server again after Stop, on the port it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	options := s.options // the server changes what it is given
	running, err := server.NewServer(&options)
	if err != nil {
		t.Fatalf("nats server: %v", err)
	}
	s.running = running
	running.Start()
	if !running.ReadyForConnections(Patience) {
		t.Fatal("nats server: not ready")
	}
	s.options.Port = options.Port
}

// Stop cuts all connections. Stopping again does nothing.
func (s *Server) Stop() {
	s.running.Shutdown()
	s.running.WaitForShutdown()
}
