package magpietest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/server"
)

// Shared tells a story once for each database, as Scenario does, on a server that the package's stories share: each has an
// application of its own, and applications share nothing. It is for stories that need no server of their own: they neither
// stop it, nor change its settings or its clock, nor read its log. The package's TestMain calls Main.
func Shared(t *testing.T, story func(t *testing.T, s *Server)) {
	t.Helper()
	for _, h := range houses {
		t.Run(h.database, func(t *testing.T) {
			t.Parallel()
			story(t, h.enter(t))
		})
	}
}

// Enter gives a test an application of its own on the shared server on SQLite; what Shared says holds here too.
func Enter(t *testing.T) *Server {
	t.Helper()
	return houses[0].enter(t)
}

// Main runs a package's tests, and then stops the servers that its stories shared: func TestMain(m *testing.M) { magpietest.Main(m) }
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do: it returns the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	for _, h := range houses {
		if err := h.close(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "the shared server on", h.database+":", err)
			code = max(code, 1)
		}
	}
	return code
}

// houses are the servers of this process that stories share; each is opened by the first story that enters it.
var houses = []*house{{database: "sqlite"}, {database: "postgres"}}

// house is a shared server.
type house struct {
	database string

	mutex   sync.Mutex
	opened  bool
	node    *node
	label   string
	err     error
	stories map[testing.TB]struct{} // those that are being told: whose server has an error is not known
	apps    atomic.Uint32
}

// enter gives a story an application of its own.
func (h *house) enter(t *testing.T) *Server {
	t.Helper()
	h.mutex.Lock()
	if !h.opened {
		h.opened, h.stories = true, map[testing.TB]struct{}{}
		h.err = h.open()
	}
	h.stories[t] = struct{}{}
	h.mutex.Unlock()
	t.Cleanup(func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		delete(h.stories, t)
	})
	if errors.Is(h.err, dbtest.ErrNotInstalled) {
		t.Skip(h.err)
	}
	if h.err != nil {
		t.Fatalf("start the shared server: %v", h.err)
	}
	const firstApp = 1_500_000_000
	return (&Server{node: h.node}).App(t, firstApp+h.apps.Add(1), rand.Text())
}

// open starts the server; the caller holds the mutex.
func (h *house) open() error {
	o := options{config: config.Default(), shapes: usual(), shared: true}
	o.log = slog.New(strict{h.fail})
	o.config.Listen, o.config.RESTPerSecond, o.config.FailedLoginsPerSecond = "127.0.0.1:0", 0, 0
	o.config.Apps = []string{fmt.Sprintf("%d:%s", AppID, Key)}
	var err error
	if o.config.Data, err = os.MkdirTemp("", "magpietest"); err != nil {
		return err
	}
	if h.database == "postgres" {
		if o.config.DB, err = dbtest.Keep(); err != nil {
			return errors.Join(err, os.RemoveAll(o.config.Data))
		}
	}
	h.node = &node{options: o}
	h.label = labelled(func(ctx context.Context) { h.node.server, err = server.Start(ctx, o.config, o.log, o.server) })
	if err != nil {
		return err
	}
	h.node.URL, h.node.WebSocketURL = "http://"+h.node.server.Address(), "ws://"+h.node.server.Address()
	return nil
}

// fail fails the stories that are being told, for a fault of the server that they share.
func (h *house) fail(fault string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for t := range h.stories {
		t.Errorf("the server that this story shares logged an error: %s", fault)
	}
}

func (h *house) close() error {
	if h.node == nil || h.node.server == nil {
		return nil
	}
	err := errors.Join(h.node.server.Stop(context.Background()), h.node.beside.close(), os.RemoveAll(h.node.options.config.Data))
	if left := leaksOf(h.label); len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("%d goroutines go on: %q", len(left), left))
	}
	return err
}
