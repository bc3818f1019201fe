package config_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/config"
)

// A variable that looks like a setting and is none stops the start, and the error says which was meant.
func TestUnknownVariables(t *testing.T) {
	for variable, nearest := range map[string]string{
		"MAGPIE_DTA=/secret":                                 "MAGPIE_DATA",
		"MAGPIE_LOGLEVEL=secret":                             "MAGPIE_LOG_LEVEL",
		"MAGPIE_APPS=1:secret":                               "MAGPIE_APP",
		"MAGPIE_PORT=8080secret":                             "MAGPIE_",
		"MAGPIE_=secret":                                     "MAGPIE_",
		"MAGPIE_METRICS_TOKENS=secret":                       "MAGPIE_METRICS_TOKEN",
		"MAGPIE_TRUSTED_PROXY=secret":                        "MAGPIE_TRUSTED_PROXIES",
		"MAGPIE_" + strings.Repeat("X", 100_000) + "=secret": "MAGPIE_",
	} {
		err := config.CheckEnvironment([]string{"PATH=/bin", variable, "MAGPIE_LISTEN=:1"})
		name, _, _ := strings.Cut(variable, "=")
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), nearest) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.40s: %.200v", variable, err)
		}
	}
	if err := config.CheckEnvironment([]string{"MAGPIE_A=1", "MAGPIE_B=2"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two of them: %v", err)
	}
}

func TestKnownVariables(t *testing.T) {
	typ := reflect.TypeFor[config.Config]()
	environment := []string{"PATH=/bin", "MAGPIE", "MAGPIES_DATA=1", "magpie_home=1", "MY_MAGPIE_DATA=1", "=C:=x", ""}
	for i := range typ.NumField() {
		environment = append(environment, typ.Field(i).Tag.Get("env")+"=x")
	}
	// What Kubernetes makes for services named magpie and magpie-metrics.
	for _, prefix := range []string{"MAGPIE_", "MAGPIE_METRICS_"} {
		environment = append(environment,
			prefix+"SERVICE_HOST=10.0.0.1", prefix+"SERVICE_PORT=80", prefix+"SERVICE_PORT_HTTP=80", prefix+"PORT=tcp://10.0.0.1:80",
			prefix+"PORT_80_TCP=tcp://10.0.0.1:80", prefix+"PORT_80_TCP_PROTO=tcp", prefix+"PORT_80_TCP_PORT=80", prefix+"PORT_80_TCP_ADDR=10.0.0.1")
	}
	if err := config.CheckEnvironment(environment); err != nil {
		t.Error(err)
	}
}

func TestProxies(t *testing.T) {
	c := config.Default()
	for text, want := range map[string][]string{
		"":                             nil,
		" , ":                          nil,
		"10.0.0.7":                     {"10.0.0.7/32"},
		"10.1.2.3/8, fd00::1 ,::1/128": {"10.0.0.0/8", "fd00::1/128", "::1/128"},
	} {
		c.TrustedProxies = text
		got, err := c.Proxies()
		var networks []netip.Prefix
		for _, network := range want {
			networks = append(networks, netip.MustParsePrefix(network))
		}
		if err != nil || !reflect.DeepEqual(got, networks) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"proxy.example", "10.0.0.0/33", "fe80::1%eth0", "::ffff:10.0.0.1", "10.0.0.1:80", strings.Repeat("10.0.0.1,", 257)} {
		c.TrustedProxies = text
		if _, err := c.Proxies(); err == nil || len(err.Error()) > 300 {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
