package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// debugDoor is the door of --debug-listen: profiles and traces of the node, for developers. It asks for no password, so it has
// an address of its own, and nothing of it is on another one.
type debugDoor struct {
	listener net.Listener
	http     *http.Server
	// waits is held while a profile of waiting goroutines is made: what the runtime looks at is set for the whole node.
	waits sync.Mutex
}

// What a debug request may take. A profile is made for as long as its request asks, at most for maxProfile.
const (
	maxProfile     = 300 // seconds
	debugHeaders   = 10 * time.Second
	debugWrites    = 30 * time.Second // net/http/pprof adds what a profile takes to be made
	waitsByDefault = "10"
)

func openDebug(ctx context.Context, address string) (*debugDoor, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for profiles: %w", err)
	}
	d := &debugDoor{listener: listener}
	d.http = &http.Server{Handler: bounded(d.routes()), ReadHeaderTimeout: debugHeaders, WriteTimeout: debugWrites}
	return d, nil
}

// routes leaves out what net/http/pprof would show beside profiles: the command line may hold an application's key.
func (d *debugDoor) routes() http.Handler {
	const mutexes, blocks = 5, 10_000 // one contention of five, one wait in 10 µs of waiting
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/{$}", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	for _, name := range []string{"allocs", "goroutine", "heap", "threadcreate"} {
		mux.Handle("GET /debug/pprof/"+name, pprof.Handler(name))
	}
	mux.Handle("GET /debug/pprof/mutex", d.during("mutex", func() func() {
		before := runtime.SetMutexProfileFraction(mutexes)
		return func() { runtime.SetMutexProfileFraction(before) }
	}))
	mux.Handle("GET /debug/pprof/block", d.during("block", func() func() {
		runtime.SetBlockProfileRate(blocks)
		return func() { runtime.SetBlockProfileRate(0) }
	}))
	return mux
}

// bounded refuses a request that would take longer than maxProfile.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := r.URL.Query().Get("seconds"); text != "" {
			if seconds, err := strconv.ParseFloat(text, 64); err != nil || !(seconds > 0 && seconds <= maxProfile) {
				http.Error(w, fmt.Sprintf("seconds: want a number above 0 and up to %d.", maxProfile), http.StatusBadRequest)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// during makes a profile of what happens while it is made, ten seconds unless the request says otherwise. At other times
// the runtime does not look, which would cost every goroutine that waits.
func (d *debugDoor) during(name string, look func() (stop func())) http.Handler {
	profile := pprof.Handler(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.waits.TryLock() {
			http.Error(w, "Another profile of mutexes or blocking is being made. Try again when it is done.", http.StatusConflict)
			return
		}
		defer d.waits.Unlock()
		defer look()()
		if query := r.URL.Query(); !query.Has("seconds") {
			query.Set("seconds", waitsByDefault)
			r.URL.RawQuery = query.Encode()
		}
		profile.ServeHTTP(w, r)
	})
}

func (s *Server) listenDebug(ctx context.Context) (err error) {
	if s.config.DebugListen != "" {
		s.debug, err = openDebug(ctx, s.config.DebugListen)
	}
	return err
}

func (s *Server) serveDebug() {
	if err := s.debug.http.Serve(s.debug.listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("serve profiles", telemetry.FieldError, err)
	}
}

// close ends also a profile that is being made. A nil door is closed.
func (d *debugDoor) close() error {
	if d == nil {
		return nil
	}
	err := d.http.Close()
	if again := d.listener.Close(); !errors.Is(again, net.ErrClosed) { // the door closes it once it serves
		err = errors.Join(err, again)
	}
	return err
}

// DebugAddress is where the node listens for developers, or "" when it does not.
func (s *Server) DebugAddress() string {
	if s.debug == nil {
		return ""
	}
	return s.debug.listener.Addr().String()
}
