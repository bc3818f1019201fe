package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// replace starts a second process for the data and the address of a first one.
func replace(t *testing.T, first *process, more ...string) *process {
	t.Helper()
	p := &process{Cmd: magpie(t, nil, append(slices.Clone(first.Args[1:]), more...)...), url: first.url, said: &journal{}, ended: make(chan struct{})}
	p.Stdout, p.Stderr = p.said, p.said
	p.begin(t)
	return p
}

// flock are clients that send without a pause. They count how long they wait at most for an answer, over a restart too.
type flock struct {
	mutex sync.Mutex
	acked map[string]int
	waits []time.Duration
	stop  chan struct{}
	group sync.WaitGroup
}

func flies(t *testing.T, p *process, number int) *flock {
	t.Helper()
	f := &flock{acked: map[string]int{}, stop: make(chan struct{})}
	for n := range number {
		name := fmt.Sprint("bird", n)
		c := enter(t, p, name)
		f.group.Go(func() {
			longest := time.Duration(0)
			for n := 0; ; n++ {
				select {
				case <-f.stop:
					f.mutex.Lock()
					defer f.mutex.Unlock()
					f.waits = append(f.waits, longest)
					return
				default:
				}
				started := time.Now()
				if _, err := c.Send(t.Context(), client.Outgoing{To: "nest", Elements: []client.Element{client.Text(fmt.Sprint(n))}}); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				longest = max(longest, time.Since(started))
				f.mutex.Lock()
				f.acked[name] = n + 1
				f.mutex.Unlock()
			}
		})
	}
	return f
}

func (f *flock) sum() (n int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, one := range f.acked {
		n += one
	}
	return n
}

// lands ends the sends and holds what was acknowledged against what the server has.
func (f *flock) lands(t *testing.T, p *process) {
	t.Helper()
	close(f.stop)
	f.group.Wait()
	nest := enter(t, p, "nest")
	for name, acked := range f.acked {
		next := acked
		for m, err := range nest.Messages(t.Context(), name, client.HistoryQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if next--; m.Text() != fmt.Sprint(next) {
				t.Fatalf("%s: message %s stands where %d belongs", name, m.Text(), next)
			}
		}
		if next != 0 {
			t.Errorf("%s: the oldest %d messages are missing", name, next)
		}
	}
	slices.Sort(f.waits)
	t.Logf("%d messages; the longest wait of each client: %v in the median, %v at most", f.sum(), f.waits[len(f.waits)/2], f.waits[len(f.waits)-1])
}

// A second process takes over from the first one: that one ends well, no message is lost or doubled, and nobody who connects is
// refused meanwhile.
func TestTakeover(t *testing.T) {
	data, app := filepath.Join(t.TempDir(), "data"), fmt.Sprintf("%d:%s", backupApp, backupKey)
	first := serve(t, nil, "--data", data, "--app", app, "--takeover")
	enter(t, first, "nest")
	birds := flies(t, first, 20)
	eventually(t, "messages are sent", func() bool { return birds.sum() > 200 })
	refused := watch(t, first)
	second := replace(t, first)
	select {
	case <-first.ended:
		if code := first.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the first process ends with %d", code)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the first process does not end")
	}
	second.ready(t)
	if n := refused(); n > 0 {
		t.Errorf("%d connections were refused", n)
	}
	sent := birds.sum()
	eventually(t, "messages are sent to the second process", func() bool { return birds.sum() > sent+200 })
	birds.lands(t, second)
	second.stop(t)
	if strings.Contains(second.said.String(), "level=ERROR") {
		t.Errorf("the second process says\n%s", second.said)
	}
}

// watch connects again and again, and counts how often that is refused until it is asked.
func watch(t *testing.T, p *process) func() int {
	t.Helper()
	address := strings.TrimPrefix(p.url, "http://")
	stop, counted := make(chan struct{}), make(chan int)
	go func() {
		refused := 0
		for {
			select {
			case <-stop:
				counted <- refused
				return
			case <-time.After(2 * time.Millisecond):
			}
			c, err := net.Dial("tcp", address)
			if err != nil {
				refused++
				continue
			}
			_ = c.Close()
		}
	}()
	return func() int {
		close(stop)
		return <-counted
	}
}

// A process that nobody can be taken over from starts as ever; one that does not ask is refused while another serves.
func TestTakeoverFromNobody(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := serve(t, nil, "--data", data, "--takeover")
	if said, code := run(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0"); code != 1 || !strings.Contains(said, "a server is running") {
		t.Errorf("without --takeover it ends with %d:\n%s", code, said)
	}
	p.signal(t, syscall.SIGKILL)
	<-p.ended
	replace(t, p).ready(t)
}

// A process that could not serve anyway leaves the one that does alone: its certificate is not there, or its store is a newer program's.
func TestTakeoverInVain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := serve(t, nil, "--data", data, "--takeover")
	wrong := filepath.Join(t.TempDir(), "none.pem")
	serving := []string{"serve", "--data", data, "--listen", strings.TrimPrefix(p.url, "http://"), "--takeover"}
	said, code := run(t, nil, append(slices.Clone(serving), "--tls-cert", wrong, "--tls-key", wrong)...)
	if code != 1 || !strings.Contains(said, "load certificate") {
		t.Errorf("without a certificate it ends with %d:\n%s", code, said)
	}
	if _, err := dbtest.Raw(t, db.Options{Dir: data}).Exec("INSERT INTO migration (number, applied_at) VALUES (9999, 0)"); err != nil {
		t.Fatal(err)
	}
	if said, code := run(t, nil, serving...); code != 1 || !strings.Contains(said, "does not fit this program") {
		t.Errorf("with a newer store it ends with %d:\n%s", code, said)
	}
	select {
	case <-p.ended:
		t.Error("nobody serves any more")
	default:
		p.stop(t)
	}
}

// A socket that a service manager opened is served, whatever --listen says, and who connects while no process is there waits.
func TestInheritedSocket(t *testing.T) {
	opened, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	file, err := opened.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	data, app := filepath.Join(t.TempDir(), "data"), fmt.Sprintf("%d:%s", backupApp, backupKey)
	start := func() *process {
		p := &process{Cmd: magpie(t, nil), url: "http://" + opened.Addr().String(), said: &journal{}, ended: make(chan struct{})}
		args := []string{"serve", "--data", data, "--app", app}
		p.Cmd = exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, p.Path}, args...)...)
		p.Env, p.Dir = magpie(t, nil).Env, t.TempDir()
		p.ExtraFiles = []*os.File{file}
		p.Stdout, p.Stderr = p.said, p.said
		p.begin(t)
		p.ready(t)
		return p
	}
	p := start()
	enter(t, p, "nest")
	birds := flies(t, p, 5)
	eventually(t, "messages are sent", func() bool { return birds.sum() > 50 })
	refused := watch(t, p)
	p.stop(t)
	p = start()
	p.signal(t, syscall.SIGHUP)
	eventually(t, "the settings are read again", func() bool { return strings.Contains(p.said.String(), "msg=reloaded") })
	sent := birds.sum()
	eventually(t, "messages are sent again", func() bool { return birds.sum() > sent+50 })
	if n := refused(); n > 0 {
		t.Errorf("%d connections were refused", n)
	}
	birds.lands(t, p)
	p.stop(t)
	if strings.Contains(p.said.String(), "need a restart") {
		t.Errorf("nothing has changed, and it says\n%s", p.said)
	}
}
