package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/magpie-im/magpie/internal/im"
)

// minFrameBytes holds a message of the default size (12 KiB) in its envelope.
const minFrameBytes = 16 << 10

// minGuestFrameBytes holds a login with its UserSig, and minNameBytes the names of all commands.
const (
	minGuestFrameBytes = 4 << 10
	minNameBytes       = 64
)

// maxFrameBytes keeps one client from making the node allocate without measure.
const maxFrameBytes = 16 << 20

// minBodyBytes gives each address room for two bodies of the largest size, with the space in which they grow.
const minBodyBytes = 16 << 20

// Validate tells everything that is wrong at once, each as a sentence for the operator. It looks at the values only: a
// directory or a server that cannot be reached is found when it is opened. No error repeats a key or a database URL.
func (c *Config) Validate() error {
	keys, apps := c.AppKeys()
	for _, given := range keys {
		if WeakKey(given.Key) {
			apps = errors.Join(apps, fmt.Errorf("--app %d: its key can be guessed: want at least %d bytes, and not the same few again; "+
				"`magpie app add` makes one", given.ID, minKeyBytes))
		}
	}
	return errors.Join(
		validListen("listen", c.Listen),
		c.validTLS(),
		c.validProxies(),
		c.validMetrics(),
		c.validDebug(),
		c.validStores(),
		apps,
		oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error"),
		oneOf("log-format", c.LogFormat, "text", "json"),
		oneOf("webhook-private", c.WebhookPrivate, auto, "allow", "forbid"),
		oneOf("demo", c.Demo, auto, "on", "off"),
		c.validTimes(),
		c.validLimits(),
	)
}

const auto = "auto"

// ForbidsPrivate reports whether webhooks are kept out of private networks.
func (c *Config) ForbidsPrivate() bool {
	return c.WebhookPrivate == "forbid" || c.WebhookPrivate == auto && !c.ListensNear()
}

// ShowsDemo reports whether there is a demo chat.
func (c *Config) ShowsDemo() bool { return c.Demo == "on" || c.Demo == auto && c.ListensNear() }

// StoreFlags are the flags by which the command line's tools find the node's store. A PostgreSQL is not named: its URL may hold a
// password.
func (c *Config) StoreFlags() string {
	if c.DB != "" {
		return "--db URL"
	}
	return "--data " + c.Data
}

// ListensNear reports whether only this machine reaches the node.
func (c *Config) ListensNear() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// NamesProxies reports whether somebody has said which proxies stand in front, or that there are none.
func (c *Config) NamesProxies() bool {
	return c.ProxyProtocol || c.TrustedProxies != Default().TrustedProxies
}

func validListen(name, listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--%s=%q: want an address and a port, such as 127.0.0.1:8080, [::1]:8080 or :8080", name, listen)
	}
	return nil
}

func (c *Config) validTLS() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: give both, or neither to serve without TLS")
	}
	return nil
}

func (c *Config) validProxies() error {
	networks, err := c.Proxies()
	if err == nil && c.ProxyProtocol && len(networks) == 0 {
		err = errors.New("--proxy-protocol needs --trusted-proxies: whose headers are to be believed?")
	}
	return err
}

// maxProxies bounds the list that each request is held against.
const maxProxies = 256

// Proxies reads TrustedProxies: networks, of which a single address is one.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(c.TrustedProxies, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil && address.Zone() == "" {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies: %.60q: want an address or a network, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8", text)
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("--trusted-proxies: %.60q: write an IPv4 address as such, not within IPv6", text)
		}
		networks = append(networks, network.Masked())
	}
	if len(networks) > maxProxies {
		return nil, fmt.Errorf("--trusted-proxies has %d networks: want up to %d", len(networks), maxProxies)
	}
	return networks, nil
}

func (c *Config) validMetrics() error {
	var errs []error
	if c.MetricsListen != "" {
		errs = append(errs, validListen("metrics-listen", c.MetricsListen))
	}
	if strings.ContainsFunc(c.MetricsToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("--metrics-token: want letters, digits and signs of ASCII, without spaces"))
	}
	return errors.Join(errs...)
}

func (c *Config) validStores() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("--data is empty: give a directory, also with --db, for what one node keeps"))
	}
	if c.DB != "" && !hasScheme(c.DB, "postgres", "postgresql") {
		errs = append(errs, errors.New("--db: want postgres://user:password@host:port/name, or nothing for SQLite in --data"))
	}
	for address := range strings.SplitSeq(c.Bus, ",") {
		if c.Bus != "" && !hasScheme(strings.TrimSpace(address), "nats", "tls", "ws", "wss") {
			errs = append(errs, errors.New("--bus: want nats://host:port, several separated by commas, or nothing for one node"))
			break
		}
	}
	if c.Bus != "" && c.DB == "" {
		errs = append(errs, errors.New("--bus joins nodes that share one database: set --db to a PostgreSQL, or leave --bus empty"))
	}
	if u, err := url.Parse(c.FilesURL); c.FilesURL != "" && (err != nil || !hasScheme(c.FilesURL, "http", "https") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
		errs = append(errs, fmt.Errorf("--files-url=%q: want scheme and host alone, such as https://im.example.com", c.FilesURL))
	}
	if !isToken(c.Cluster) {
		errs = append(errs, fmt.Errorf("--cluster=%q: want up to 32 letters, digits, - and _", c.Cluster))
	}
	return errors.Join(errs...)
}

// hasScheme reports whether text is a URL of one of the schemes with a host in it.
func hasScheme(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains(schemes, u.Scheme) && (u.Host != "" || u.RawQuery != "")
}

// isToken reports whether text may stand between two dots of a NATS subject.
func isToken(text string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return text != "" && len(text) <= 32 && strings.Trim(text, allowed) == ""
}

func (c *Config) validTimes() error {
	var errs []error
	if c.HelloInterval < time.Second || c.HelloInterval > time.Hour || c.HelloInterval%time.Second != 0 {
		errs = append(errs, fmt.Errorf("--hello-interval=%s: want whole seconds from 1s to 1h", c.HelloInterval))
	}
	if c.IdleTimeout < time.Second {
		errs = append(errs, fmt.Errorf("--idle-timeout=%s: want at least 1s; clients on slow networks need tens of seconds",
			c.IdleTimeout))
	}
	if c.LoginTimeout != 0 && c.LoginTimeout < 10*time.Second {
		errs = append(errs, fmt.Errorf("--login-timeout=%s: want 0 (no end) or at least 10s; the client SDK connects before its user logs in",
			c.LoginTimeout))
	}
	if c.RESTBodyWithin < time.Second || c.RESTBodyWithin > time.Hour {
		errs = append(errs, fmt.Errorf("--rest-body-within=%s: want 1s to 1h", c.RESTBodyWithin))
	}
	if c.FilePatience < 10*time.Millisecond || c.FilePatience > time.Hour {
		errs = append(errs, fmt.Errorf("--file-patience=%s: want 10ms to 1h", c.FilePatience))
	}
	if c.DrainTimeout < 0 {
		errs = append(errs, fmt.Errorf("--drain-timeout=%s: want 0 (stop at once) or more", c.DrainTimeout))
	}
	return errors.Join(errs...)
}

func (c *Config) validLimits() error {
	return errors.Join(
		between("max-connections", c.MaxConnections, 1, 10_000_000),
		between("max-connections-per-address", c.MaxConnectionsPerAddress, 0, 10_000_000),
		between("max-http-connections", c.MaxHTTPConnections, 0, 1_000_000),
		between("rest-body-bytes", c.RESTBodyBytes, minBodyBytes, 1<<40),
		between("failed-logins-per-second", c.FailedLoginsPerSecond, 0, 1_000_000),
		between("max-frame-bytes", c.MaxFrameBytes, minFrameBytes, maxFrameBytes),
		between("write-queue-bytes", c.WriteQueueBytes, minFrameBytes, 1<<30),
		between("guest-frame-bytes", c.GuestFrameBytes, minGuestFrameBytes, maxFrameBytes),
		between("guest-requests", c.GuestRequests, 1, 64),
		between("guest-queue-bytes", c.GuestQueueBytes, minFrameBytes, 1<<30),
		between("command-name-bytes", c.CommandNameBytes, minNameBytes, 1<<10),
		between("compress-above", c.CompressAbove, 0, 1<<30),
		between("commands-per-second", c.CommandsPerSecond, 0, 1_000_000),
		between("rest-per-second", c.RESTPerSecond, 0, 1_000_000),
		between("webhook-before", c.WebhookBefore, 1, 10_000),
		between("webhook-after", c.WebhookAfter, 1, 256),
		between("max-uploads", c.MaxUploads, 1, 100_000),
		between("commit-batch", c.CommitBatch, 1, 10_000),
	)
}

func oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("--%s=%q: want one of %s", name, value, strings.Join(allowed, ", "))
}

func between(name string, value, low, high int) error {
	if value >= low && value <= high {
		return nil
	}
	return fmt.Errorf("--%s=%d: want a whole number from %d to %d", name, value, low, high)
}

// AppKey is one application that the configuration brings along.
type AppKey struct {
	ID  im.AppID
	Key string // the secret that signs UserSigs; never logged
}

const (
	// minKeyBytes is a key of 64 bits in hexadecimal; the reference system's have 64 digits.
	minKeyBytes = 16
	// minKeyLetters keeps keys out like 0000000000000000.
	minKeyLetters = 6
)

// WeakKey reports whether a key is too short or too plain: who guesses it signs as anybody.
func WeakKey(key string) bool {
	letters := map[rune]bool{}
	for _, letter := range key {
		letters[letter] = true
	}
	return len(key) < minKeyBytes || len(letters) < minKeyLetters
}

// AppKeys reads Apps, each "SDKAPPID:KEY": a number as the reference system gives it, and the key as text, not decoded.
// An application may be named once.
func (c *Config) AppKeys() ([]AppKey, error) {
	keys := make([]AppKey, 0, len(c.Apps))
	seen := map[im.AppID]bool{}
	var errs []error
	for i, text := range c.Apps {
		number, key, _ := strings.Cut(text, ":")
		id, err := strconv.ParseUint(number, 10, 32)
		app := AppKey{im.AppID(id), key}
		switch {
		case err != nil || id == 0 || key == "" || strings.ContainsFunc(key, unicode.IsSpace):
			errs = append(errs, fmt.Errorf("--app number %d: want SDKAPPID:KEY, such as 1400000001: and the key without spaces", i+1))
		case seen[app.ID]:
			errs = append(errs, fmt.Errorf("--app names application %d twice: keep the key that is in use", app.ID))
		default:
			seen[app.ID] = true
			keys = append(keys, app)
		}
	}
	return keys, errors.Join(errs...)
}
