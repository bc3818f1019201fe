package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is a server process of the run's own, which keeps its address and its store over restarts.
type node struct {
	exe     string
	env     []string
	address string
	data    string
	debug   string     // where it gives profiles; empty if it gives none
	bare    bool       // it is the server that broadcasts and does nothing else
	walks   bool       // it broadcasts as a walker of live rooms writes
	clock   *nodeClock // nil where nobody sets its clock

	process *os.Process
	exited  chan struct{} // closed when the process has ended
	log     tail
}

// startWithin bounds a start, with the recovery of a store that was cut off.
const startWithin = 60 * time.Second

// start runs the server and returns when it is ready.
func (n *node) start(ctx context.Context) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), n.exe, n.arguments()...)
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = n.env, &n.log, childAttributes()
	if err := n.clock.to(cmd); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	started, exited := make(chan error), make(chan struct{})
	go func() {
		// The kernel ties the child to the thread that starts it, so that thread waits for it.
		runtime.LockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	n.process, n.exited = cmd.Process, exited
	return n.awaitReady(ctx)
}

func (n *node) arguments() []string {
	if n.bare {
		return []string{"bench", "bare", "--listen", n.address, "--walk=" + strconv.FormatBool(n.walks)}
	}
	rest := []string{"--listen", n.address, "--data", n.data, "--log-level", "warn"}
	if n.clock != nil {
		return append([]string{"torture-node", "--clock-shift=" + n.clock.shift().String()}, rest...)
	}
	return append([]string{"serve"}, rest...)
}

func (n *node) awaitReady(ctx context.Context) error {
	const look = 5 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		if n.ready(ctx) {
			return nil
		}
		if !n.running() {
			return fmt.Errorf("the server ended while it started:\n%s", n.log.text())
		}
		if err := wait(ctx, look); err != nil {
			n.kill()
			return fmt.Errorf("the server was not ready: %w\n%s", err, n.log.text())
		}
	}
}

func (n *node) ready(ctx context.Context) bool {
	body, err := fetch(ctx, "http://"+n.address+"/readyz")
	return err == nil && strings.HasPrefix(body, "ready")
}

// running reports whether the process has not ended.
func (n *node) running() bool {
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// kill ends the process the hard way and returns when it is gone.
func (n *node) kill() {
	_ = n.process.Kill()
	<-n.exited
}

// stop asks the process to end, and ends it if it does not.
func (n *node) stop() error {
	const patience = 20 * time.Second
	if n.process == nil || !n.running() {
		return nil
	}
	_ = n.process.Signal(syscall.SIGTERM)
	select {
	case <-n.exited:
		return nil
	case <-time.After(patience):
		n.kill()
		return errors.New("the server did not stop when it was asked to")
	}
}

// freeAddress picks a port below those that the kernel gives to outgoing connections: a client that dials a dead server
// again and again would otherwise sooner or later be given the server's own port.
func freeAddress(ctx context.Context) (string, error) {
	const low, high, tries = 18_000, 32_000, 100
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", low+rand.IntN(high-low))
		if listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("found no free port")
}

// fetch reads a page of the server's operations.
func fetch(ctx context.Context, url string) (string, error) { return fetchAs(ctx, url, "") }

// fetchAs is fetch with a token, if there is one.
func fetchAs(ctx context.Context, url, token string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return "", err
	}
	return body.String(), nil
}

// tail keeps the end of a server's log, for when something goes wrong.
type tail struct {
	mutex sync.Mutex
	held  []byte
}

const tailBytes = 8 << 10

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.held = append(t.held, p...)
	if over := len(t.held) - tailBytes; over > 0 {
		t.held = append(t.held[:0], t.held[over:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.held)
}
