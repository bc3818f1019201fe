package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook/backend"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
	"github.com/magpie-im/magpie/magpietest"
)

// built is the folder of the program, once a test has wanted it.
var built atomic.Pointer[string]

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "magpie-webhook-test")
	if err != nil {
		return "", err
	}
	built.Store(&dir)
	exe := filepath.Join(dir, "magpie")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "../../cmd/magpie").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests mostly wait, so more of them than there are processors run at once. Fuzzing does not wait.
	if fuzz := flag.Lookup("test.fuzz"); fuzz == nil || fuzz.Value.String() == "" {
		if err := flag.Set("test.parallel", "24"); err != nil {
			panic(err)
		}
	}
	code := magpietest.Run(m)
	if dir := built.Load(); dir != nil {
		_ = os.RemoveAll(*dir)
	}
	os.Exit(code)
}

// run runs the program and returns what it prints.
func run(t *testing.T, args ...string) string {
	t.Helper()
	exe, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("magpie %q: %v\n%s%s", args, err, out, errors.Bytes())
	}
	return string(out)
}

// child is a server in a process of its own.
type child struct {
	url  string
	kill func()
}

func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	exe, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if c := tryChild(t, exe, args); c != nil {
			return c
		}
	}
	t.Fatal("no process starts")
	return nil
}

// tryChild starts a process at a port that was free just now, and that is none of those from which the system serves
// whoever asks for any, as all other tests do. It returns nil if somebody else took it meanwhile.
func tryChild(t *testing.T, exe string, args []string) *child {
	t.Helper()
	const lowest, ports = 20000, 10000
	address := fmt.Sprint("127.0.0.1:", lowest+rand.N(ports))
	free, err := net.Listen("tcp", address)
	if err != nil {
		return nil
	}
	_ = free.Close()
	cmd := exec.Command(exe, append([]string{"serve", "--log-level", "error", "--rest-per-second", "0", "--listen", address}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	c := &child{url: "http://" + address, kill: func() {
		_ = cmd.Process.Kill()
		<-ended
	}}
	t.Cleanup(c.kill)
	lost := false
	magpietest.Eventually(t, "the process is ready", func() bool {
		response, err := http.Get(c.url + "/readyz")
		if err == nil {
			_ = response.Body.Close()
		}
		select {
		case <-ended: // whoever answers is another
			lost = true
		default:
		}
		return lost || err == nil && response.StatusCode == http.StatusOK
	})
	if lost {
		return nil
	}
	return c
}

// say sends a message through the process and tells whether it was acknowledged.
func (c *child) say(path string, message M) bool {
	body, _ := json.Marshal(message)
	response, err := http.Post(c.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var e magpietest.Envelope
	text, err := io.ReadAll(response.Body)
	return err == nil && json.Unmarshal(text, &e) == nil && e.ActionStatus == "OK"
}

// takeOver has deliveries go on as soon as a killed node's turn is over, which a clock that is ahead of it sees at once.
func takeOver(t *testing.T, database string) {
	t.Helper()
	d, log, metrics := dbtest.Open(t, db.Options{URL: database}), slog.New(slog.DiscardHandler), telemetry.NewMetrics()
	apps, err := app.Open(t.Context(), d, server.Settings(), log)
	if err != nil {
		t.Fatal(err)
	}
	ahead := clock.NewManual(time.Now().Add(7 * time.Second)).Clock()
	next := outbox.New(outbox.Parts{
		DB: d, Bus: bus.NewMemory(), Log: log, Metrics: metrics, Clock: ahead, After: 16,
		Endpoints: backend.New(metrics, backend.Options{After: 16, Clock: ahead}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := next.Run(ctx, apps); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// The process is killed while it delivers. Its successor delivers every message that was acknowledged at least once, in
// order in each conversation.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"sqlite", "postgres"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			dir, database := t.TempDir(), ""
			args := []string{"--data", dir}
			if base == "postgres" {
				database = dbtest.URL(t)
				args = append(args, "--db", database)
			}
			s := magpietest.Start(t, magpietest.Dir(dir), magpietest.Database(database))
			st := enter(t, s, afterSend)
			users, got := people(t, s, 6), &accepted{}
			path := st.Path(t, "openim/sendmsg")
			s.Stop(t)
			// Some are refused, so that they wait for a second attempt when the process is killed.
			var count atomic.Int64
			st.back.Answer(got.take(http.StatusInternalServerError, func(*magpietest.Callback) bool { return count.Add(1)%15 > 0 }))
			running := startChild(t, args...)
			acked := make([]int, len(users))
			var talking sync.WaitGroup
			for i, user := range users {
				talking.Go(func() {
					for n := 1; n <= 300 && running.say(path, magpietest.Message("alice", user, fmt.Sprint(n))); n++ {
						acked[i] = n
					}
				})
			}
			magpietest.Eventually(t, "much was delivered", func() bool { return len(got.all()) > 60 })
			running.kill()
			talking.Wait()
			before := len(got.all())
			st.back.Answer(got.take(0, always))
			if base == "postgres" {
				takeOver(t, database)
			} else {
				magpietest.Start(t, magpietest.Dir(dir))
			}
			missing := func() (lines []string) {
				came := map[string]int{}
				for _, one := range got.all() {
					came[one.To]++
				}
				for i, user := range users {
					if came[user] < acked[i] {
						lines = append(lines, fmt.Sprintf("%s: %d of %d", user, came[user], acked[i]))
					}
				}
				return lines
			}
			defer func() {
				if t.Failed() {
					t.Logf("missing: %q", missing())
				}
			}()
			magpietest.Eventually(t, "every acknowledged message is told of", func() bool { return missing() == nil })
			t.Logf("%d before the kill, %d in all", before, len(got.all()))
			got.inOrder(t, len(got.all()))
		})
	}
}

// The node that delivers is killed, so that it cannot give its turn back. Another takes over.
func TestDeliveringNodeIsKilled(t *testing.T) {
	t.Parallel()
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	first := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	st := enter(t, first, afterSend)
	users, got := people(t, first, 4), &accepted{}
	path := first.Path(t, "openim/sendmsg")
	first.Stop(t)
	st.back.Answer(got.take(0, always))
	doomed := startChild(t, "--data", t.TempDir(), "--db", database, "--bus", nats.URL())
	if !doomed.say(path, magpietest.Message("alice", users[0], "1")) {
		t.Fatal("not sent")
	}
	got.inOrder(t, 1)
	second := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	st.back.Answer(got.take(http.StatusBadGateway, never))
	sent := 1 + talk(t, second, users, 2, 4)
	doomed.kill()
	sent += talk(t, second, users, 5, 6)
	st.back.Answer(got.take(0, always))
	takeOver(t, database)
	got.inOrder(t, sent)
}

// An operator looks at dead letters and sends them again from beside the running server.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(dir))
	st := enter(t, s, afterSend, "webhook.retry", "off", "webhook.secret", "do not print")
	app := fmt.Sprint(s.AppID)
	st.back.Answer(func(*magpietest.Callback) (int, string) { return http.StatusBadGateway, "two\nlines" })
	st.Send(t, "alice", "bob", "first")
	st.Send(t, "alice", "bob", "second")
	dead := deadLetters(t, s, 2)
	lines := strings.Split(strings.TrimSpace(run(t, "webhook", "list", "--data", dir, app)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], dead[0].EventID+" ") || !strings.Contains(lines[0], afterSend+" attempts=1") ||
		strings.Contains(lines[0], "first") {
		t.Errorf("list prints %q", lines)
	}
	page := run(t, "webhook", "list", "--data", dir, "--after", dead[0].EventID, "--limit", "1", "--body", app)
	if !strings.HasPrefix(page, dead[1].EventID+" ") || !strings.Contains(page, `"Text":"second"`) || strings.Count(page, "\n") != 1 {
		t.Errorf("a page with bodies is %q", page)
	}
	if out := run(t, "webhook", "list", "--data", dir, "--state", "waiting", app); out != "" {
		t.Errorf("waiting are %q", out)
	}
	tries := run(t, "webhook", "attempts", "--data", dir, app, dead[0].EventID)
	if !strings.HasPrefix(tries, "1 ") || !strings.Contains(tries, "status=502") || !strings.Contains(tries, `"two\nlines"`) {
		t.Errorf("attempts prints %q", tries)
	}
	st.back.Says(magpietest.OK)
	if out := run(t, "webhook", "replay", "--data", dir, app, dead[1].EventID); !strings.HasPrefix(out, "1 ") {
		t.Errorf("replay prints %q", out)
	}
	if c := st.back.Gets(t, afterSend, 3)[2]; c.Event() != dead[1].EventID {
		t.Errorf("the replay brings %s, want %s", c.Event(), dead[1].EventID)
	}
	if out := run(t, "webhook", "replay", "--data", dir, app); !strings.HasPrefix(out, "1 ") {
		t.Errorf("replay of all prints %q", out)
	}
	if c := st.back.Gets(t, afterSend, 4)[3]; c.Event() != dead[0].EventID {
		t.Errorf("the replay brings %s, want %s", c.Event(), dead[0].EventID)
	}
	deadLetters(t, s, 0)
}
