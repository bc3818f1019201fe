package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/magpie-im/magpie/internal/config"
)

// There names a server that runs already, on this machine or on another one.
type There struct {
	// URL is its address for clients, such as "ws://host:8080", and App one of its applications, "SDKAPPID:KEY".
	URL, App string
	// Metrics is where it tells its metrics; empty is /metrics at URL. Token is what it asks for them. Without metrics a run
	// knows less of what the server used.
	Metrics, Token string
	// First is the number of the first user. Runs at the same time need users of their own.
	First int
}

func (t *There) validate() error {
	switch {
	case (t.URL == "") != (t.App == ""):
		return errors.New("--url and --app belong together: give both, or neither to start a server")
	case t.URL == "" && (t.Metrics != "" || t.Token != "" || t.First != 0):
		return errors.New("--metrics, --metrics-token and --first-user need --url: other servers are the run's own")
	case t.First < 0:
		return errors.New("--first-user: not below zero")
	}
	return nil
}

func (t *There) target() (*target, error) {
	keys, err := (&config.Config{Apps: []string{t.App}}).AppKeys()
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(t.URL)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	ip := net.ParseIP(address.Hostname())
	return &target{
		app: uint32(keys[0].ID), key: keys[0].Key, urls: func(int) []string { return []string{t.URL} }, first: t.First,
		far: ip == nil || !ip.IsLoopback(),
	}, nil
}

// usage reads what the server tells of itself.
func (t *There) usage(ctx context.Context) usage {
	address := t.Metrics
	if address == "" {
		address = metricsURL(t.URL)
	}
	page := scrape(ctx, address, t.Token)
	return usage{
		processor: time.Duration(field(page, "process_cpu_seconds_total") * float64(time.Second)),
		commits:   field(page, commitsMetric), acked: field(page, ackedMetric),
	}
}
