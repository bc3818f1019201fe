package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
)

// library is one candidate: it upgrades a request, then echoes for as long as the connection lives.
type library interface {
	// It calls joined once the connection may be written to; when it returns, net/http's goroutine ends.
	upgrade(w http.ResponseWriter, r *http.Request, joined func(peer)) error
	// prepare turns a payload into something that may be written to any number of peers.
	prepare(payload []byte) message
}

// message is a payload made ready for one library.
type message interface {
	writeTo(peer) error
	// close waits until the frame has left for all of these.
	close([]peer)
}

// peer is whatever the library calls a connection.
type peer any

// hub holds every peer; an echo server needs no more than a slice.
type hub struct {
	mu    sync.Mutex
	peers []peer
}

const maxFrame = 64 << 10

var libraries = map[string]func(options) (library, error){}

// state is what /state answers; sizes in KB.
type state struct {
	Conns, RSS, Goroutines int
	Heap, Stack            float64
	CPU                    float64 // microseconds since the start
	Mallocs                float64
}

// fanned is what /fan answers.
type fanned struct{ Rate, CPU, Allocs float64 }

func serve(o options) error {
	start := libraries[o.lib]
	if start == nil {
		return fmt.Errorf("unknown library %q", o.lib)
	}
	lib, err := start(o)
	if err != nil {
		return err
	}
	h := &hub{}
	mux := http.NewServeMux()
	mux.HandleFunc("/binfo", func(w http.ResponseWriter, r *http.Request) {
		_ = lib.upgrade(w, r, func(p peer) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.peers = append(h.peers, p)
		})
	})
	mux.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(h.state()) })
	mux.HandleFunc("/fan", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(h.fan(lib, o)) })

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go exitWithParent()
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second}).Serve(ln)
}

// exitWithParent ends the process when the pipe from the parent closes.
func exitWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func (h *hub) state() state {
	cpu := float64(cpuTime().Microseconds()) // before the collections
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	mallocs := float64(m.Mallocs)
	for range 3 { // sync.Pool gives up its contents at the second collection
		runtime.GC()
	}
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	h.mu.Lock()
	defer h.mu.Unlock()
	return state{
		Conns: len(h.peers), RSS: resident(), Goroutines: runtime.NumGoroutine(),
		Heap: float64(m.HeapInuse) / 1024, Stack: float64(m.StackInuse) / 1024,
		CPU: cpu, Mallocs: mallocs,
	}
}

// resident is VmRSS in KB.
func resident() (kb int) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			_, _ = fmt.Sscan(strings.TrimPrefix(line, "VmRSS:"), &kb)
		}
	}
	return kb
}

// fan writes rounds frames of 300 bytes to the first o.fan peers.
func (h *hub) fan(lib library, o options) fanned {
	h.mu.Lock()
	peers := h.peers[:o.fan]
	h.mu.Unlock()
	payload := []byte(strings.Repeat("x", 300))
	round := func() {
		m := lib.prepare(payload)
		for _, p := range peers {
			if err := m.writeTo(p); err != nil {
				panic(err)
			}
		}
		m.close(peers)
	}
	round() // warm up

	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	began, cpu := time.Now(), cpuTime()
	for range o.rounds {
		round()
	}
	n := float64(o.rounds * o.fan)
	f := fanned{Rate: n / time.Since(began).Seconds(), CPU: float64((cpuTime() - cpu).Microseconds()) / n}
	runtime.ReadMemStats(&b)
	f.Allocs = float64(b.Mallocs-a.Mallocs) / n
	return f
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
