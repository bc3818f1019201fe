package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/usersig"
)

// A key is shown once, when it is made; signatures are made with the one of the store.
func TestKeysAreShownOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := serve(t, nil, "--data", data)
	shown := regexp.MustCompile(`application +1400000001, key ([0-9a-f]{64})\n`).FindStringSubmatch(p.said.String())
	if shown == nil {
		t.Fatalf("the first start does not show the key:\n%s", p.said)
	}
	key := shown[1]
	p.stop(t)
	p = serve(t, nil, "--data", data)
	if said := p.said.String(); strings.Contains(said, key) || !strings.Contains(said, "application  1400000001") {
		t.Errorf("the second start says\n%s", said)
	}
	if out, code := run(t, nil, "app", "list", "--data", data); code != 0 || strings.Contains(out, key) {
		t.Errorf("app list: %d %s", code, out)
	}
	signs := func(key string, args ...string) {
		t.Helper()
		out, code := run(t, nil, append([]string{"usersig", "--user", "alice"}, args...)...)
		if code != 0 || strings.Contains(out, key) {
			t.Fatalf("usersig %q: %d %s", args, code, out)
		}
		if _, err := usersig.Verify(strings.TrimSpace(out), 1400000001, "alice", usersig.Keys{Secret: key}, time.Now()); err != nil {
			t.Errorf("usersig %q: %v", args, err)
		}
	}
	signs(key, "--app", "1400000001", "--data", data)
	signs("any", "--app", "1400000001:any")
	if out, code := run(t, nil, "usersig", "--user", "alice", "--app", "7", "--data", data); code == 0 || !strings.Contains(out, "no application 7") {
		t.Errorf("an application that is not there: %d %s", code, out)
	}
	out, code := run(t, nil, "app", "rotate-key", "1400000001", "--keep", "24h", "--data", data)
	fresh, ok := strings.CutPrefix(strings.TrimSpace(out), "1400000001:")
	if code != 0 || !ok || len(fresh) != 64 || fresh == key {
		t.Fatalf("rotate-key: %d %s", code, out)
	}
	signs(fresh, "--app", "1400000001", "--data", data)
	if out, code := run(t, nil, "app", "disable", "1400000001", "--data", data); code != 0 {
		t.Errorf("disable: %d %s", code, out)
	}
	if out, _ := run(t, nil, "app", "list", "--data", data); !strings.HasPrefix(out, "1400000001 disabled ") {
		t.Errorf("app list: %s", out)
	}
	if out, code := run(t, nil, "app", "enable", "7", "--data", data); code == 0 || !strings.Contains(out, "no application 7") {
		t.Errorf("enable: %d %s", code, out)
	}
	p.stop(t)
}

// An application is removed for good only by somebody who says so, and only when nobody uses it.
func TestAppRemove(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := serve(t, nil, "--data", data)
	remove := func(want string, ok bool, more ...string) {
		t.Helper()
		out, code := run(t, nil, append([]string{"app", "remove", "1400000001", "--data", data}, more...)...)
		if (code == 0) != ok || !strings.Contains(out, want) {
			t.Errorf("app remove %q: %d %s, want %q", more, code, out, want)
		}
	}
	remove("type its number", false)
	remove("not disabled", false, "--yes-remove-everything")
	if out, code := run(t, nil, "app", "disable", "1400000001", "--data", data); code != 0 {
		t.Fatalf("disable: %d %s", code, out)
	}
	remove("a server runs", false, "--yes-remove-everything")
	p.stop(t)
	remove("application 1400000001 is removed", true, "--yes-remove-everything")
	remove("no such application", false, "--yes-remove-everything")
	if out, code := run(t, nil, "app", "list", "--data", data); code != 0 || !strings.Contains(out, "no application yet") {
		t.Errorf("app list: %d %s", code, out)
	}
}

// A node that others reach without TLS says so once, unless somebody has thought of it.
func TestPlainIsSaid(t *testing.T) {
	for _, row := range []struct {
		host string
		args []string
		want int
	}{{"127.0.0.1", nil, 0}, {"0.0.0.0", nil, 1}, {"0.0.0.0", []string{"--trusted-proxies", "10.0.0.1"}, 0}} {
		p := serve(t, func(cmd *exec.Cmd) {
			at := slices.Index(cmd.Args, "--listen") + 1
			cmd.Args[at] = strings.Replace(cmd.Args[at], "127.0.0.1", row.host, 1)
		}, row.args...)
		p.stop(t)
		if strings.Count(p.said.String(), "without TLS") != row.want {
			t.Errorf("on %s with %q it says\n%s", row.host, row.args, p.said)
		}
	}
}
