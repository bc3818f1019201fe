package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/usersig"
)

const (
	backupApp = 1400000001
	backupKey = "0123456789abcdef0123456789abcdef"
)

// enter logs a user in.
func enter(t *testing.T, p *process, user string) *client.Client {
	t.Helper()
	sig, err := usersig.Sign(backupApp, backupKey, user, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(t.Context(), client.Options{
		URL: strings.Replace(p.url, "http", "ws", 1), AppID: backupApp, UserID: user, UserSig: sig,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// chatter sends messages from alice to bob until it is stopped, and knows which were acknowledged.
type chatter struct {
	mutex sync.Mutex
	acked int
	stop  chan struct{}
	ended chan struct{}
}

func chat(t *testing.T, p *process) *chatter {
	t.Helper()
	alice := enter(t, p, "alice")
	c := &chatter{stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		for n := 0; ; n++ {
			select {
			case <-c.stop:
				return
			default:
			}
			if _, err := alice.Send(t.Context(), client.Outgoing{To: "bob", Elements: []client.Element{client.Text(fmt.Sprint(n))}}); err != nil {
				return
			}
			c.mutex.Lock()
			c.acked = n + 1
			c.mutex.Unlock()
		}
	}()
	return c
}

func (c *chatter) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.acked
}

// A copy that is made while messages are sent has all that were acknowledged before it began, in their order and without a gap,
// whatever became of the server afterwards; it is for its owner alone, and is put over no other store.
func TestBackupUnderLoad(t *testing.T) {
	data, copied, restored := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "new")
	app := fmt.Sprintf("%d:%s", backupApp, backupKey)
	p := serve(t, nil, "--data", data, "--app", app)
	enter(t, p, "bob")
	load := chat(t, p)
	eventually(t, "messages are sent", func() bool { return load.count() > 50 })
	before := load.count()
	object := filepath.Join("files", "ab", "ab0-1-2")
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(data, object)), 0o700), os.WriteFile(filepath.Join(data, object), []byte("bytes"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if said, code := run(t, nil, "backup", copied, "--data", data); code != 0 || !strings.HasPrefix(said, "copied "+copied+": ") {
		t.Fatalf("backup: %d %s", code, said)
	}
	after := load.count()
	eventually(t, "messages are sent afterwards", func() bool { return load.count() > after+20 })
	close(load.stop)
	<-load.ended
	p.signal(t, syscall.SIGKILL)
	<-p.ended
	if info, err := os.Stat(filepath.Join(copied, "magpie.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info, err)
	}
	if said, code := run(t, nil, "backup", copied, "--data", data); code != 1 || !strings.Contains(said, "there is a store already") {
		t.Errorf("a second copy into the same directory: %d %s", code, said)
	}
	if said, code := run(t, nil, "restore", copied, "--data", data); code != 1 || !strings.Contains(said, "there is a store already") {
		t.Errorf("a copy over a store: %d %s", code, said)
	}
	if said, code := run(t, nil, "restore", copied, "--data", restored); code != 0 {
		t.Fatalf("restore: %d %s", code, said)
	}
	if bytes, err := os.ReadFile(filepath.Join(restored, object)); err != nil || string(bytes) != "bytes" {
		t.Errorf("a file is %q: %v", bytes, err)
	}
	p = serve(t, nil, "--data", restored, "--app", app)
	found := -1
	for m, err := range enter(t, p, "bob").Messages(t.Context(), "alice", client.HistoryQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscan(m.Text(), &n); err != nil {
			t.Fatal(err)
		}
		if found >= 0 && n != found-1 {
			t.Fatalf("message %d stands before %d", n, found)
		}
		if found < 0 && n+1 < before {
			t.Fatalf("the newest message is %d, and %d were acknowledged before", n, before)
		}
		found = n
	}
	if found != 0 {
		t.Errorf("the oldest message is %d", found)
	}
}

// A copy without its files is none: it can be made again. Files are put beside no store that is there already.
func TestFilesGoWithTheStore(t *testing.T) {
	t.Parallel()
	data, copied := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy")
	object := filepath.Join("files", "ab", "ab0-1-2")
	if said, code := run(t, nil, "app", "add", "--data", data); code != 0 {
		t.Fatalf("%d %s", code, said)
	}
	obstacle := filepath.Join(copied, "files")
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(data, object)), 0o700), os.WriteFile(filepath.Join(data, object), []byte("bytes"), 0o600),
		os.MkdirAll(copied, 0o700), os.WriteFile(obstacle, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if said, code := run(t, nil, "backup", copied, "--data", data); code != 1 {
		t.Errorf("a copy whose files cannot be copied: %d %s", code, said)
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	if said, code := run(t, nil, "backup", copied, "--data", data); code != 0 {
		t.Fatalf("the copy again: %d %s", code, said)
	}
	if err := os.Remove(filepath.Join(data, object)); err != nil {
		t.Fatal(err)
	}
	if said, code := run(t, nil, "restore", copied, "--data", data); code != 1 {
		t.Errorf("a copy over a store: %d %s", code, said)
	}
	if _, err := os.Stat(filepath.Join(data, object)); err == nil {
		t.Error("a file of the copy is beside the store that was there")
	}
}

// A damaged copy is found before it is a server's store, and leaves nothing.
func TestDamagedCopy(t *testing.T) {
	t.Parallel()
	data, copied, restored := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "new")
	for _, args := range [][]string{{"app", "add", "--data", data}, {"backup", copied, "--data", data}} {
		if said, code := run(t, nil, args...); code != 0 {
			t.Fatalf("%q: %d %s", args, code, said)
		}
	}
	path := filepath.Join(copied, "magpie.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"cut": whole[:len(whole)/2], "empty": {}, "overwritten": append(append(whole[:8192:8192], make([]byte, 4096)...), whole[12288:]...),
	} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		said, code := run(t, nil, "restore", copied, "--data", restored)
		if code != 1 || strings.Count(said, "\n") > 2 {
			t.Errorf("%s: %d %s", name, code, said)
		}
		if _, err := os.Stat(filepath.Join(restored, "magpie.db")); err == nil {
			t.Errorf("%s: there is a store", name)
		}
	}
}

// A move names what is wrong in a line.
func TestMoveOfNothing(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "mistyped")
	said, code := run(t, nil, "move", "--data", nowhere, "--to", "postgres://nobody@127.0.0.1:1/none")
	if code != 1 || strings.Count(said, "\n") > 2 || !strings.Contains(said, "there is no store in "+nowhere) {
		t.Errorf("it ends with %d:\n%s", code, said)
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("it has made the directory")
	}
}
