package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/server/listen"
	"github.com/magpie-im/magpie/internal/telemetry"
)

type serveCommand struct {
	config.Config `embed:""`
}

// Run serves until the process is told to stop, and then drains.
func (c *serveCommand) Run() error { return c.serve(server.Options{}) }

func (c *serveCommand) serve(options server.Options) error {
	// Without this, a line for a log or a terminal that nobody reads any more would end the process.
	signal.Ignore(syscall.SIGPIPE)
	log, err := telemetry.NewLogger(os.Stderr, c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	if options.Opened, err = listen.Inherited(os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")); err != nil {
		return err
	}
	settings := c.Config // c keeps what was read, which a reload compares with
	if options.Opened != nil {
		settings.Listen = options.Opened.Addr().String() // rules ask who reaches the node
	}
	s, err := server.Start(ctx, &settings, log, options)
	if err != nil {
		return err
	}
	if err := c.greet(os.Stdout, s); err != nil {
		log.Warn("print how to reach the node", telemetry.FieldError, err)
	}
	if os.Getenv("GOGC") == "" { // an operator's own choice is left alone
		go server.BalanceMemory(ctx)
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.Replaced():
			log.Info("another process takes over")
			return s.Stop(context.Background())
		case <-hangups:
			c.reload(s, log)
		}
	}
	stop() // a second signal ends the process at once
	return s.Stop(context.Background())
}

// greet prints how to reach the node. A key is printed only by the start that made it: nobody could know it otherwise.
func (c *serveCommand) greet(w io.Writer, s *server.Server) error {
	scheme, socket := "http", "ws"
	if c.TLSCert != "" {
		scheme, socket = "https", "wss"
	}
	address := s.Address()
	var text strings.Builder
	fmt.Fprintf(&text, "Magpie serves on %[1]s\n  web page     %[2]s://%[1]s/\n", address, scheme)
	if c.ShowsDemo() {
		fmt.Fprintf(&text, "  demo chat    %s://%s/demo\n", scheme, address)
	}
	fmt.Fprintf(&text, "  REST         %[2]s://%[1]s/v4/{service}/{command}\n  WebSocket    the web client's proxyServer: '%[3]s://%[1]s'\n",
		address, scheme, socket)
	first, key := s.FirstApp()
	tenants := s.Apps()
	slices.SortFunc(tenants, func(x, y *app.Tenant) int { return cmp.Compare(x.App.ID, y.App.ID) })
	for _, t := range tenants {
		fmt.Fprintf(&text, "  application  %d", t.App.ID)
		if t.App.ID == first {
			fmt.Fprintf(&text, ", key %s\n               (keep the key: it is not shown again; `magpie usersig --app %d --data %s` signs with it)", key, first, c.Data)
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}
