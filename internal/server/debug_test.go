package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/magpietest"
)

// debugged starts a node with a debug address.
func debugged(t *testing.T) *server.Server {
	t.Helper()
	c := config.Default()
	c.Listen, c.Data, c.DebugListen = "127.0.0.1:0", t.TempDir(), "127.0.0.1:0"
	s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// Profiles are at their own address, and only there; the command line, which may hold keys, is nowhere.
func TestDebugAddress(t *testing.T) {
	s := debugged(t)
	own, clients := "http://"+s.DebugAddress(), "http://"+s.Address()
	for url, want := range map[string]int{
		own + "/debug/pprof/": 200, own + "/debug/pprof/goroutine?debug=1": 200, own + "/debug/pprof/heap": 200,
		own + "/debug/pprof/allocs": 200, own + "/debug/pprof/symbol": 200, own + "/debug/pprof/cmdline": 404, own + "/metrics": 404,
		own + "/v4/openim/sendmsg": 404, own + "/binfo": 404, own + "/": 404,
		clients + "/debug/pprof/": 404, clients + "/debug/pprof/heap": 404, clients + "/debug/pprof/profile": 404,
	} {
		if code, _ := ask(t, url); code != want {
			t.Errorf("%s: %d, want %d", url, code, want)
		}
	}
	if code, _ := ask(t, magpietest.Start(t).URL+"/debug/pprof/"); code != 404 {
		t.Errorf("nobody asked for profiles: %d", code)
	}
}

// What takes time to make has what happened meanwhile in it, in the form that the tools read.
func TestDebugProfiles(t *testing.T) {
	own := "http://" + debugged(t).DebugAddress() + "/debug/pprof/"
	const packed = "\x1f\x8b" // a profile is gzipped
	check := func(path, begins string) {
		if code, body := ask(t, own+path); code != 200 || !strings.HasPrefix(body, begins) {
			t.Errorf("%s: %d %.40q", path, code, body)
		}
	}
	var group sync.WaitGroup
	for path, begins := range map[string]string{"profile?seconds=1": packed, "trace?seconds=0.1": "go 1.", "mutex?seconds=1": packed} {
		group.Go(func() { check(path, begins) })
	}
	magpietest.Eventually(t, "the profile of mutexes is being made", func() bool {
		_, stacks := ask(t, own+"goroutine?debug=1")
		return strings.Contains(stacks, "debugDoor).during")
	})
	if code, _ := ask(t, own+"block?seconds=1"); code != http.StatusConflict {
		t.Errorf("another profile of waiting meanwhile: %d", code)
	}
	group.Wait()
	check("block?seconds=1", packed)
	for _, seconds := range []string{"301", "0", "-1", "NaN", "long"} {
		if code, _ := ask(t, own+"profile?seconds="+seconds); code != http.StatusBadRequest {
			t.Errorf("%s seconds: %d", seconds, code)
		}
	}
}

// A node that stops ends a profile that is being made, and does not answer any more.
func TestDebugEndsWithTheNode(t *testing.T) {
	s := debugged(t)
	address := s.DebugAddress()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /debug/pprof/profile?seconds=200 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	magpietest.Eventually(t, "the profile is being made", func() bool {
		_, stacks := ask(t, "http://"+address+"/debug/pprof/goroutine?debug=1")
		return strings.Contains(stacks, "pprof.Profile")
	})
	http.DefaultClient.CloseIdleConnections()
	began := time.Now()
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if rest, _ := io.ReadAll(conn); bytes.Contains(rest, []byte("200 OK")) {
		t.Errorf("a profile came: %.100q", rest)
	}
	if again, err := net.Dial("tcp", address); err == nil {
		t.Error("the stopped node answers at the debug address")
		_ = again.Close()
	}
}

// An address that is taken keeps the node from starting.
func TestDebugAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config.Default()
	c.Listen, c.Data, c.DebugListen = "127.0.0.1:0", t.TempDir(), taken.Addr().String()
	if s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{}); err == nil || !strings.Contains(err.Error(), "profiles") {
		t.Errorf("start: %v", err)
		if err == nil {
			_ = s.Stop(context.Background())
		}
	}
}
