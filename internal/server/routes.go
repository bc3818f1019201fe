package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/internal/rest"
)

// routes sends a request to its door. It is a plain switch because http.ServeMux answers the paths that careless
// clients make ("//binfo") with a redirect, which no WebSocket client follows.
func (s *Server) routes(restDoor http.Handler) http.Handler {
	metrics := s.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, rest.Prefix): // first, because a command may be called "info" too
			restDoor.ServeHTTP(w, r)
		case gateway.Serves(path):
			s.gateway.ServeHTTP(w, r)
		case path == "/metrics":
			metrics.ServeHTTP(w, r)
		case path == "/healthz":
			_, _ = fmt.Fprintln(w, "ok")
		case path == "/readyz":
			s.ready(w, r)
		case path == "/":
			_, _ = fmt.Fprintln(w, "Magpie. REST: POST /v4/{service}/{command}. Clients: proxyServer ws(s)://this-host.")
		default:
			http.NotFound(w, r)
		}
	})
}

// ready answers 200 once the store answers; the schema was brought up to date before the node listened.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ready")
}
