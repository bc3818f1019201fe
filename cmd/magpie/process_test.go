package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this package run the program as a process: this test's binary is magpie when the variable is set.
const actAsMagpie = "ACT_AS_MAGPIE"

func TestMain(m *testing.M) {
	if os.Getenv(actAsMagpie) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// magpie is a command to run, in an environment with these variables and none of the developer's settings.
func magpie(t *testing.T, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = t.TempDir()
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MAGPIE_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(append(cmd.Env, actAsMagpie+"=1"), environment...)
	return cmd
}

// run runs a command to its end and gives what it printed.
func run(t *testing.T, environment []string, args ...string) (output string, code int) {
	t.Helper()
	out, err := magpie(t, environment, args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if failed != nil {
		code = failed.ExitCode()
	}
	return string(out), code
}

// journal keeps what a process writes.
type journal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write keeps a piece.
func (j *journal) Write(p []byte) (int, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.String()
}

// process is a running server.
type process struct {
	*exec.Cmd
	url   string
	said  *journal
	ended chan struct{}
}

// serve starts a server and waits until it is ready. prepare may change the command before.
func serve(t *testing.T, prepare func(*exec.Cmd), args ...string) *process {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	p := &process{
		Cmd: magpie(t, nil, append([]string{"serve", "--listen", address, "--data", filepath.Join(t.TempDir(), "data")}, args...)...),
		url: "http://" + address, said: &journal{}, ended: make(chan struct{}),
	}
	p.Stdout, p.Stderr = p.said, p.said
	if prepare != nil {
		prepare(p.Cmd)
	}
	p.begin(t)
	p.ready(t)
	return p
}

// begin starts the process, which ends with the test.
func (p *process) begin(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("the server said\n%s", p.said)
		}
	})
}

// ready waits until the server is.
func (p *process) ready(t *testing.T) {
	t.Helper()
	eventually(t, "the server is ready", func() bool { return p.status("/readyz") == http.StatusOK })
}

// status is what a page is answered with, 0 when there is no answer.
func (p *process) status(path string) int {
	response, err := http.Get(p.url + path)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// stop asks the server to end, and fails the test if it does not end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	p.signal(t, syscall.SIGTERM)
	select {
	case <-p.ended:
		if code := p.ProcessState.ExitCode(); code != 0 {
			t.Errorf("it ended with %d\n%s", code, p.said)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("it does not end\n%s", p.said)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about that %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A hang-up is no end: the server goes on, and takes what can be changed from its file.
func TestHangUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "magpie.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log-level = info\n")
	p := serve(t, nil, "--config", file)
	says := func(words string, times int) {
		t.Helper()
		eventually(t, "the log says "+words, func() bool { return strings.Count(p.said.String(), words) == times })
	}
	p.signal(t, syscall.SIGHUP)
	says("msg=reloaded", 1)
	write("log-level = debug\ncommit-batch = 7\n")
	p.signal(t, syscall.SIGHUP)
	says("settings=commit-batch", 1)
	says("log-level=debug", 1)
	write("log-level = shout\n")
	p.signal(t, syscall.SIGHUP)
	says("nothing has changed", 1)
	if p.status("/readyz") != http.StatusOK {
		t.Error("it is not ready any more")
	}
	p.stop(t)
	if !strings.Contains(p.said.String(), "msg=stopped") {
		t.Errorf("it has not drained:\n%s", p.said)
	}
}

// Whoever read the log is gone: the server goes on without.
func TestNobodyReadsTheLog(t *testing.T) {
	p := serve(t, func(cmd *exec.Cmd) {
		for _, stream := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			*stream = writer
			_ = reader.Close()
			t.Cleanup(func() { _ = writer.Close() })
		}
	}, "--log-level", "debug")
	for range 3 {
		response, err := http.Post(p.url+"/v4/openim/sendmsg", "", strings.NewReader("{}")) // a refusal, which is logged
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	p.signal(t, syscall.SIGHUP)
	p.stop(t)
}

// Out of descriptors, the server says so, and serves again when there are some.
func TestOutOfDescriptors(t *testing.T) {
	p := serve(t, func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 64; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Skip(err)
		}
		cmd.Path = sh
	})
	var held []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	eventually(t, "the log says what is short", func() bool {
		return strings.Contains(p.said.String(), "level=WARN") && strings.Contains(p.said.String(), "reason=descriptors") &&
			strings.Contains(p.said.String(), "too many open files")
	})
	for _, conn := range held {
		_ = conn.Close()
	}
	eventually(t, "it serves again", func() bool { return p.status("/healthz") == http.StatusOK })
	response, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !bytes.Contains(page, []byte(`magpie_accept_failures_total{reason="descriptors"}`)) {
		t.Errorf("the metrics do not count it (%v)", err)
	}
	p.stop(t)
}

// A misspelled variable stops whatever reads settings.
func TestUnknownVariable(t *testing.T) {
	wrong := []string{"MAGPIE_DTA=/nowhere"}
	for _, args := range [][]string{
		{"serve"}, {"app", "list"}, {"webhook", "list", "1400000001"}, {"usersig", "--app", "1400000001:k", "--user", "u"},
	} {
		if out, code := run(t, wrong, args...); code == 0 || !strings.Contains(out, "MAGPIE_DTA") || !strings.Contains(out, "MAGPIE_DATA") {
			t.Errorf("%q: %d %s", args, code, out)
		}
	}
	if out, code := run(t, wrong, "version"); code != 0 {
		t.Errorf("version: %d %s", code, out)
	}
}

// Tools find a store, and only `app add` makes one.
func TestToolsMakeNoStore(t *testing.T) {
	dir := t.TempDir()
	typo := filepath.Join(dir, "typo")
	for _, args := range [][]string{
		{"app", "list"}, {"app", "set", "1400000001", "login.web_instances=2"}, {"webhook", "list", "1400000001"},
		{"webhook", "attempts", "1400000001", "1"}, {"webhook", "replay", "1400000001"},
	} {
		out, code := run(t, nil, append(args, "--data", typo)...)
		if code == 0 || !strings.Contains(out, "no store") || !strings.Contains(out, typo) {
			t.Errorf("%q: %d %s", args, code, out)
		}
		if _, err := os.Stat(typo); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%q made %s (%v)", args, typo, err)
		}
	}
	out, code := run(t, nil, "app", "add", "--data", typo)
	if code != 0 || !strings.HasPrefix(out, "1400000001:") {
		t.Fatalf("app add: %d %s", code, out)
	}
	if out, code := run(t, nil, "app", "list", "--data", typo); code != 0 || !strings.HasPrefix(out, "1400000001 ") {
		t.Errorf("app list: %d %s", code, out)
	}
	for _, args := range [][]string{{"webhook", "list", "7"}, {"webhook", "attempts", "7", "1"}, {"webhook", "replay", "7"}, {"app", "set", "7", "login.web_instances=2"}} {
		if out, code := run(t, nil, append(args, "--data", typo)...); code == 0 || !strings.Contains(out, "no application 7") {
			t.Errorf("%q of an application that is not there: %d %s", args, code, out)
		}
	}
}

// A UserSig is made only for a name that can log in.
func TestUsersigForNobody(t *testing.T) {
	for _, user := range []string{"", strings.Repeat("a", 33), "a\nb", "a\x7f"} {
		if out, code := run(t, nil, "usersig", "--app", "1400000001:key", "--user", user); code == 0 || !strings.Contains(out, "--user") {
			t.Errorf("%q: %d %s", user, code, out)
		}
	}
	out, code := run(t, nil, "usersig", "--app", "1400000001:key", "--user", strings.Repeat("a", 32))
	if code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("32 bytes: %d %s", code, out)
	}
}

// The start says on one line what was started, and the version is the same that the program prints.
func TestStartLine(t *testing.T) {
	p := serve(t, nil, "--app", "1400000001:a-key-for-the-test", "--app", "1400000002:b-key-for-the-test")
	version, _ := run(t, nil, "version")
	want := fmt.Sprintf("version=%s address=%s", strings.TrimSuffix(strings.Fields(version)[1], ","), strings.TrimPrefix(p.url, "http://"))
	if said := p.said.String(); strings.Count(said, "msg=started") != 1 || !strings.Contains(said, want) || !strings.Contains(said, "bus=none apps=2") {
		t.Errorf("want %s in\n%s", want, said)
	}
	p.stop(t)
}
