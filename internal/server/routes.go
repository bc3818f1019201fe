package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/file"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/internal/rest"
	"github.com/magpie-im/magpie/internal/server/listen"
	"github.com/magpie-im/magpie/internal/welcome"
)

// routes sends a request to its door. It is a plain switch because http.ServeMux answers the paths that careless
// clients make ("//binfo", "//v4/…", from a base address that ends in a slash) with a redirect, which neither a
// WebSocket client nor most back ends follow.
func (s *Server) routes(restDoor http.Handler) http.Handler {
	metrics := s.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local := listen.FromThisMachine(r)
		if !s.listener.Admit(w, r) {
			return
		}
		r.URL.Path = "/" + strings.TrimLeft(r.URL.Path, "/")
		if !strings.HasPrefix(r.URL.Path, rest.Prefix) {
			boundBody(w, r)
		}
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, rest.Prefix): // first, because a command may be called "info" too
			restDoor.ServeHTTP(w, r)
		case strings.HasPrefix(path, file.Prefix):
			s.files.ServeHTTP(w, r)
		case gateway.Serves(path):
			s.gateway.ServeHTTP(w, r)
		case path == "/metrics" && s.config.MetricsListen == "":
			if s.mayScrape(w, r, local) {
				metrics.ServeHTTP(w, r)
			}
		case welcome.Serves(path):
			s.pages.Serve(w, r, local)
		default:
			s.health(w, r)
		}
	})
}

// bodyWithin is how long a body may take that was sent elsewhere than to REST, which has a bound of its own.
const bodyWithin = 2 * time.Second

// boundBody bounds the time of a body, which net/http reads also when nobody wants it: a caller who does not send his would hold the
// connection for ever, and a node that stops would wait for him.
func boundBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
	}
}

// operators is what the address of --metrics-listen serves.
func (s *Server) operators() http.Handler {
	metrics := s.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		boundBody(w, r)
		if r.URL.Path != "/metrics" {
			s.health(w, r)
		} else if s.mayScrape(w, r, true) {
			metrics.ServeHTTP(w, r)
		}
	})
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		_, _ = fmt.Fprintln(w, "ok")
	case "/readyz":
		s.ready(w, r)
	default:
		http.NotFound(w, r)
	}
}

// mayScrape lets a Prometheus server in: by the token where there is one, else from this machine, or from anywhere at an
// address of the metrics' own.
func (s *Server) mayScrape(w http.ResponseWriter, r *http.Request, near bool) bool {
	if s.config.MetricsToken == "" {
		if !near {
			http.Error(w, "Metrics are for this machine only, unless --metrics-token or --metrics-listen is set.", http.StatusForbidden)
		}
		return near
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, have := sha256.Sum256([]byte(s.config.MetricsToken)), sha256.Sum256([]byte(given))
	if !ok || subtle.ConstantTimeCompare(want[:], have[:]) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "Metrics need 'Authorization: Bearer TOKEN' with the token of --metrics-token.", http.StatusUnauthorized)
		return false
	}
	return true
}

// trouble says why the node cannot serve: the store takes no writes, or another node is in the way.
func (s *Server) trouble(ctx context.Context) error {
	if err := s.node.Trouble(); err != nil {
		return err
	}
	return s.node.Writable(ctx)
}

// ready answers 200 as long as there is no trouble; the schema was brought up to date before the node listened.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.trouble(r.Context()); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	// Sends are stored and answered without the bus, so a balancer goes on; what other nodes push comes with its return.
	if !s.bus.Connected() {
		_, _ = fmt.Fprintln(w, "ready, degraded: the bus is away, and other nodes are not heard")
		return
	}
	_, _ = fmt.Fprintln(w, "ready")
}
