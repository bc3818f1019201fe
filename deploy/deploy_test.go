// Package deploy_test looks at the files that set a server up on a machine.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// systemd takes the units. The program that they start is not installed where the tests run, so another one stands in for it.
func TestSystemdTakesTheUnits(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: systemd-analyze is not installed")
	}
	dir := t.TempDir()
	for _, name := range []string{"magpie.service", "magpie.socket"} {
		text, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		there := strings.ReplaceAll(string(text), "/usr/local/bin/magpie", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(there), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, "magpie.socket"), filepath.Join(dir, "magpie.service")).CombinedOutput()
	if err != nil || strings.Contains(string(said), dir) {
		t.Errorf("%v\n%s", err, said)
	}
}

// The server's user may read its settings, which nobody else may: they hold keys.
func TestUnitReadsItsSettings(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile("systemd/magpie.service")
	if err != nil {
		t.Fatal(err)
	}
	runs := regexp.MustCompile(`(?m)^User=(\S+)$`).FindSubmatch(unit)
	made := regexp.MustCompile(`(?m)^useradd .* (\S+)$`).FindSubmatch(readme)
	reads := regexp.MustCompile(`(?m)^install -m 640 -g (\S+) -D magpie\.conf (\S+)$`).FindSubmatch(readme)
	if runs == nil || made == nil || reads == nil {
		t.Fatalf("the unit runs as %q; %q is made, and %q may read", runs, made, reads)
	}
	if string(runs[1]) != string(made[1]) || string(runs[1]) != string(reads[1]) || !strings.Contains(string(unit), "--config "+string(reads[2])+" ") {
		t.Errorf("the unit runs as %s; %s is made, and %s may read %s", runs[1], made[1], reads[1], reads[2])
	}
}

// Variables and flags that these files set are settings of the server.
func TestSettingsAreThere(t *testing.T) {
	t.Parallel()
	known, err := os.ReadFile("../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	setting := regexp.MustCompile(`MAGPIE_[A-Z_]+|"?--[a-z-]+"?`)
	for _, name := range []string{"systemd/magpie.service", "docker/Dockerfile", "docker/compose.yaml", "docker/compose.cluster.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(text)) {
			if command := strings.Contains(line, "serve") || strings.Contains(line, "MAGPIE_"); !command || strings.HasPrefix(line, "#") {
				continue
			}
			for _, one := range setting.FindAllString(line, -1) {
				found++
				if !strings.Contains(string(known), "`"+strings.Trim(one, `"`)+"`") {
					t.Errorf("%s sets %s, which docs/config.md does not have", name, one)
				}
			}
		}
		if found == 0 && name != "docker/compose.yaml" {
			t.Errorf("%s sets nothing: does this test still read it?", name)
		}
	}
}
