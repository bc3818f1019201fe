package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/magpie-im/magpie/internal/config"
)

// grammar is a command line like cmd/magpie's: the configuration belongs to one command.
type grammar struct {
	Serve struct {
		config.Config `embed:""`
	} `cmd:""`
	Other struct {
		Listen string
	} `cmd:""`
}

// parse reads a command line as cmd/magpie does, with file as the configuration file if it is not empty.
func parse(t *testing.T, file string, args ...string) (*config.Config, error) {
	t.Helper()
	var g grammar
	parser, err := kong.New(&g, kong.Configuration(config.FromFile))
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve"}, args...)
	if file != "" {
		path := filepath.Join(t.TempDir(), "magpie.conf")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	_, err = parser.Parse(args)
	return &g.Serve.Config, err
}

func mustParse(t *testing.T, file string, args ...string) *config.Config {
	t.Helper()
	c, err := parse(t, file, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultIsWhatAnEmptyCommandLineGives(t *testing.T) {
	got, want := config.Default(), mustParse(t, "")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Default() = %+v\nparsed    = %+v", got, want)
	}
	if got.HelloInterval != 30*time.Second || got.MaxFrameBytes != 256<<10 || got.Listen != "127.0.0.1:8080" {
		t.Errorf("Default() = %+v", got)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("Default() is not valid: %v", err)
	}
}

func TestDefaultIgnoresTheEnvironment(t *testing.T) {
	t.Setenv("MAGPIE_LISTEN", ":1")
	if got := config.Default().Listen; got != "127.0.0.1:8080" {
		t.Errorf("Listen = %q", got)
	}
}

func TestFileThenEnvironmentThenFlag(t *testing.T) {
	const file = "listen = file:1\ndata = from-file\ncluster = file\nlog-level=warn\n"
	t.Setenv("MAGPIE_LISTEN", "environment:2")
	t.Setenv("MAGPIE_DATA", "from-environment")
	c := mustParse(t, file, "--listen", "flag:3")
	if c.Listen != "flag:3" || c.Data != "from-environment" || c.Cluster != "file" || c.LogLevel != "warn" || c.LogFormat != "text" {
		t.Errorf("%+v", c)
	}
}

func TestFileNamedByTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "magpie.conf")
	if err := os.WriteFile(path, []byte("cluster = night"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MAGPIE_CONFIG", path)
	if c := mustParse(t, ""); c.Cluster != "night" {
		t.Errorf("Cluster = %q", c.Cluster)
	}
}

func TestFileSpelling(t *testing.T) {
	c := mustParse(t, "\ufeff# a comment\r\n\r\n  hello-interval =  90s\r\nmax-frame-bytes=65536\ndb = postgres://u:a=b@h/n?x=#y\n")
	if c.HelloInterval != 90*time.Second || c.MaxFrameBytes != 65536 || c.DB != "postgres://u:a=b@h/n?x=#y" {
		t.Errorf("%+v", c)
	}
}

func TestFileRefusals(t *testing.T) {
	for _, row := range []struct{ name, file, want string }{
		{"unknown name", "listen = :1\nlisten-port = 2", `line 2: there is no setting "listen-port"`},
		{"another command's name", "apps = 1:k", `there is no setting "apps"`},
		{"no value", "listen", "line 1: want 'name = value'"},
		{"twice", "data = a\n\ndata = b", `line 3: "data" is set a second time`},
		{"nested", "config = other", "cannot name another one"},
		{"bad number", "commit-batch = many", `--commit-batch: expected a valid 64 bit int but got "many"`},
		{"bad time", "idle-timeout = 60", `--idle-timeout: expected duration but got "60"`},
		{"out of range", "commit-batch = 0", "--commit-batch=0: want a whole number from 1 to 10000"},
		{"endless line", "data = " + strings.Repeat("x", 70_000), "read the configuration file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := parse(t, row.file)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error = %v, want it to contain %q", err, row.want)
			}
		})
	}
}

func TestFileErrorsKeepSecrets(t *testing.T) {
	if _, err := parse(t, "app 1400000001:c0ffee"); err == nil || strings.Contains(err.Error(), "c0ffee") {
		t.Errorf("error = %v", err)
	}
}

func TestApps(t *testing.T) {
	first, second := config.AppKey{ID: 1400000001, Key: "0123456789abcdef"}, config.AppKey{ID: 1400000002, Key: "fedcba98765:3210"}
	check := func(c *config.Config, want ...config.AppKey) {
		t.Helper()
		got, err := c.AppKeys()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("AppKeys() = %v, %v; want %v", got, err, want)
		}
	}
	check(mustParse(t, "", "--app", "1400000001:0123456789abcdef", "--app", "1400000002:fedcba98765:3210"), first, second)
	check(mustParse(t, "app = 1400000001:0123456789abcdef\napp = 1400000002:fedcba98765:3210\n"), first, second)
	t.Setenv("MAGPIE_APP", "1400000001:0123456789abcdef,1400000002:fedcba98765:3210")
	check(mustParse(t, "app = 7:replaced-by-the-environment"), first, second)
}

// A key that can be guessed is refused where an application is brought along; signatures can be made with any.
func TestWeakKeys(t *testing.T) {
	for key, weak := range map[string]bool{
		"k": true, "short-key-15byt": true, "0000000000000000": true, strings.Repeat("abcab", 20): true,
		"aibot-example-key": false, "5bd2a7d0b3f1c4e6": false, strings.Repeat("0123456789abcdef", 4): false,
	} {
		c := config.Default()
		c.Apps = []string{"1400000001:" + key}
		err := c.Validate()
		if (err != nil) != weak || weak && (!strings.Contains(err.Error(), "1400000001") || strings.Contains(err.Error(), key+" ")) {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := c.AppKeys(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Webhooks reach this machine while nobody else reaches the node, unless somebody decides.
func TestForbidsPrivate(t *testing.T) {
	for _, row := range []struct {
		listen, setting string
		want            bool
	}{
		{"127.0.0.1:8080", "auto", false}, {"[::1]:8080", "auto", false}, {"localhost:8080", "auto", false}, {":8080", "auto", true},
		{"0.0.0.0:8080", "auto", true}, {"10.0.0.1:8080", "auto", true}, {"127.0.0.1:8080", "forbid", true}, {":8080", "allow", false},
	} {
		c := config.Default()
		c.Listen, c.WebhookPrivate = row.listen, row.setting
		if c.ForbidsPrivate() != row.want {
			t.Errorf("%s, %s: forbidden: %v", row.listen, row.setting, !row.want)
		}
	}
}

func TestAppRefusals(t *testing.T) {
	for _, apps := range [][]string{
		{"secret"}, {"1:"}, {":secret"}, {"0:secret"}, {"-1:secret"}, {"4294967296:secret"}, {"1:se cret"}, {"2:x", "2:secret"},
	} {
		c := config.Default()
		c.Apps = apps
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), "--app") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", apps, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"listen":              func(c *config.Config) { c.Listen = "8080" },
		"tls-key":             func(c *config.Config) { c.TLSCert = "cert.pem" },
		"trusted-proxies":     func(c *config.Config) { c.TrustedProxies = "10.0.0.0/33" },
		"proxy-protocol":      func(c *config.Config) { c.TrustedProxies, c.ProxyProtocol = "", true },
		"metrics-listen":      func(c *config.Config) { c.MetricsListen = "9090" },
		"debug-listen":        func(c *config.Config) { c.DebugListen = "6060" },
		"metrics-token":       func(c *config.Config) { c.MetricsToken = "a b" },
		"data":                func(c *config.Config) { c.Data = "" },
		"db":                  func(c *config.Config) { c.DB = "mysql://u:p@h/n" },
		"bus":                 func(c *config.Config) { c.DB, c.Bus = "postgres://h/n", "nats://a:1,b:2" },
		"set --db":            func(c *config.Config) { c.Bus = "nats://a:1" },
		"cluster":             func(c *config.Config) { c.Cluster = "a.b" },
		"log-level":           func(c *config.Config) { c.LogLevel = "loud" },
		"log-format":          func(c *config.Config) { c.LogFormat = "xml" },
		"hello-interval":      func(c *config.Config) { c.HelloInterval = 1500 * time.Millisecond },
		"idle-timeout":        func(c *config.Config) { c.IdleTimeout = 0 },
		"drain-timeout":       func(c *config.Config) { c.DrainTimeout = -1 },
		"max-connections":     func(c *config.Config) { c.MaxConnections = 0 },
		"max-frame-bytes":     func(c *config.Config) { c.MaxFrameBytes = 1 },
		"write-queue-bytes":   func(c *config.Config) { c.WriteQueueBytes = 1 },
		"guest-frame-bytes":   func(c *config.Config) { c.GuestFrameBytes = 1000 },
		"guest-requests":      func(c *config.Config) { c.GuestRequests = 0 },
		"guest-queue-bytes":   func(c *config.Config) { c.GuestQueueBytes = 1000 },
		"login-timeout":       func(c *config.Config) { c.LoginTimeout = time.Second },
		"command-name-bytes":  func(c *config.Config) { c.CommandNameBytes = 10 },
		"compress-above":      func(c *config.Config) { c.CompressAbove = -1 },
		"commands-per-second": func(c *config.Config) { c.CommandsPerSecond = -1 },
		"rest-per-second":     func(c *config.Config) { c.RESTPerSecond = -1 },
		"commit-batch":        func(c *config.Config) { c.CommitBatch = 10_001 },
	} {
		c := config.Default()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

// Profiles leave the machine only if an operator says so twice.
func TestDebugListen(t *testing.T) {
	for address, alone := range map[string]bool{
		"": true, "127.0.0.1:6060": true, "127.1.2.3:0": true, "[::1]:6060": true, "localhost:6060": true,
		":6060": false, "0.0.0.0:6060": false, "10.0.0.7:6060": false, "[::]:6060": false, "node-1:6060": false, "localhost.example:1": false,
	} {
		c := config.Default()
		c.DebugListen = address
		if err := c.Validate(); (err == nil) != alone || err != nil && !strings.Contains(err.Error(), "--debug-listen-anywhere") {
			t.Errorf("%q: %v", address, err)
		}
		c.DebugListenAnywhere = true
		if err := c.Validate(); err != nil {
			t.Errorf("%q, anywhere: %v", address, err)
		}
	}
}

func TestValidateAcceptsACluster(t *testing.T) {
	c := config.Default()
	c.Listen, c.TLSCert, c.TLSKey = "[::1]:0", "cert.pem", "key.pem"
	c.DB, c.Bus = "postgres:///magpie?host=/run/postgresql", "nats://a:4222, tls://b:4222"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if keys, err := c.AppKeys(); err != nil || len(keys) != 0 {
		t.Errorf("AppKeys() = %v, %v", keys, err)
	}
}

// A second spelling of a setting is one that somebody will look for in vain.
func TestEnvironmentNamesFollowTheFlags(t *testing.T) {
	typ := reflect.TypeFor[config.Config]()
	for i := range typ.NumField() {
		tag := typ.Field(i).Tag
		want := "MAGPIE_" + strings.ToUpper(strings.ReplaceAll(tag.Get("name"), "-", "_"))
		if tag.Get("env") != want || tag.Get("help") == "" {
			t.Errorf("%s: env %q, want %q; help %q", typ.Field(i).Name, tag.Get("env"), want, tag.Get("help"))
		}
	}
}

// Whatever a file holds: an error that says where, or settings that kong can ask for, each of which a line of the file sets.
func FuzzFromFile(f *testing.F) {
	f.Add("listen = :8080\napp = 1:k\n# c\n")
	f.Fuzz(func(t *testing.T, text string) {
		resolver, err := config.FromFile(strings.NewReader(text))
		if err != nil {
			words := err.Error()
			if resolver != nil || !strings.HasPrefix(words, "line ") && !strings.HasPrefix(words, "read the configuration file") {
				t.Errorf("resolver %v, error %v", resolver, err)
			}
			return
		}
		var c config.Config
		parser, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range parser.Model.Flags {
			value, err := resolver.Resolve(nil, nil, flag)
			if err != nil || value != nil && !strings.Contains(text, flag.Name) {
				t.Errorf("%s is %v, error %v", flag.Name, value, err)
			}
		}
	})
}
