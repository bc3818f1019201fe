package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/usersig"
)

type serveCommand struct {
	config.Config `embed:""`
}

// Run serves until the process is told to stop, and then drains.
func (c *serveCommand) Run() error {
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
	s, err := server.Start(ctx, &c.Config, log, server.Options{})
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
		case <-hangups:
			c.reload(s, log)
		}
	}
	stop() // a second signal ends the process at once
	return s.Stop(context.Background())
}

// greet prints how to reach the node. Keys are printed only for applications that nobody chose a key for, because
// whoever started the node could not know them.
func (c *serveCommand) greet(w io.Writer, s *server.Server) error {
	scheme, socket := "http", "ws"
	if c.TLSCert != "" {
		scheme, socket = "https", "wss"
	}
	address := s.Address()
	_, err := fmt.Fprintf(w, "Magpie serves on %s\n  REST         %s://%s/v4/{service}/{command}\n  WebSocket    the web client's proxyServer: '%s://%s'\n",
		address, scheme, address, socket, address)
	if err != nil {
		return err
	}
	tenants := s.Apps()
	slices.SortFunc(tenants, func(x, y *app.Tenant) int { return int(x.App.ID) - int(y.App.ID) })
	for _, t := range tenants {
		if _, err := fmt.Fprint(w, c.describe(t)); err != nil {
			return err
		}
	}
	return nil
}

func (c *serveCommand) describe(t *app.Tenant) string {
	if slices.ContainsFunc(c.Apps, func(given string) bool { return given == fmt.Sprintf("%d:%s", t.App.ID, t.Keys.Secret) }) {
		return fmt.Sprintf("  application  %d\n", t.App.ID)
	}
	const day = 24 * time.Hour
	sig, err := usersig.Sign(uint32(t.App.ID), t.Keys.Secret, im.DefaultAdmin, day, time.Now())
	if err != nil {
		return fmt.Sprintf("  application  %d\n", t.App.ID)
	}
	return fmt.Sprintf("  application  %d, key %s\n  administrator's UserSig for a day:\n    %s\n", t.App.ID, t.Keys.Secret, sig)
}
