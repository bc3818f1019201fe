package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake is told in a line or two that say what to do, with 2 where nothing was tried and 1 where it was.
func TestMistakesAreShort(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "magpie.conf")
	if err := os.WriteFile(file, []byte("# where\nlisten = :0\nlistn = :0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := t.TempDir()
	for _, row := range []struct {
		args []string
		env  []string
		code int
		says []string
	}{
		{nil, nil, 2, []string{`expected one of "serve"`, "`magpie --help`"}},
		{[]string{"serv"}, nil, 2, []string{`did you mean "serve"?`, "`magpie --help`"}},
		{[]string{"app", "set"}, nil, 2, []string{"expected", "`magpie app set --help`"}},
		{[]string{"serve", "--listn=:0"}, nil, 2, []string{`did you mean "--listen"?`, "`magpie serve --help`"}},
		{[]string{"serve", "--idle-timeout=1ms"}, nil, 2, []string{"want at least 1s"}},
		{[]string{"serve", "--config", file}, nil, 2, []string{file + ", line 3: there is no setting \"listn\""}},
		{[]string{"serve"}, []string{"MAGPIE_LISTN=:0"}, 2, []string{"the nearest is MAGPIE_LISTEN"}},
		{[]string{"app", "list", "--data", nowhere}, nil, 1, []string{"there is no store in " + nowhere}},
		{[]string{"backup", "--data", nowhere}, nil, 1, []string{"there is no store in " + nowhere}},
		{[]string{"restore", nowhere, "--data", nowhere}, nil, 1, []string{"there is no store in " + nowhere}},
	} {
		said, code := run(t, row.env, row.args...)
		if code != row.code || strings.Count(said, "\n") > 2 {
			t.Errorf("magpie %q ends with %d:\n%s", row.args, code, said)
		}
		for _, words := range row.says {
			if !strings.Contains(said, words) {
				t.Errorf("magpie %q does not say %s:\n%s", row.args, words, said)
			}
		}
	}
}

// The version says what was built, by flag and by command.
func TestVersion(t *testing.T) {
	t.Parallel()
	byCommand, code := run(t, nil, "version")
	byFlag, _ := run(t, nil, "--version")
	if code != 0 || byCommand != byFlag || !strings.HasPrefix(byCommand, "magpie ") || !strings.Contains(byCommand, ", go1.") {
		t.Errorf("the command says %q, the flag %q", byCommand, byFlag)
	}
}

// The settings of an application are shown with what was chosen, and no secret.
func TestAppShow(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{{"add", "1400000001"}, {"set", "1400000001", "login.web_instances=3", "webhook.token=hidden"}} {
		if said, code := run(t, nil, append(append([]string{"app"}, args...), "--data", data)...); code != 0 {
			t.Fatalf("%q: %d %s", args, code, said)
		}
	}
	said, code := run(t, nil, "app", "show", "1400000001", "--data", data)
	for _, words := range []string{"\n* login.web_instances = 3 ", "\n* webhook.token = (set) ", "\n  login.policy = "} {
		if code != 0 || !strings.Contains(said, words) || strings.Contains(said, "hidden") {
			t.Errorf("it ends with %d and does not say %q:\n%s", code, words, said)
		}
	}
	if said, code := run(t, nil, "app", "show", "7", "--data", data); code != 1 || !strings.Contains(said, "no application 7") {
		t.Errorf("an application that is not there: %d %s", code, said)
	}
}
