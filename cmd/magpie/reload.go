package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// reload reads the settings and the certificate's files again. The log's level and the certificate change under the
// running node; of other settings that changed it says that they need a restart. What cannot be read leaves everything
// as it is: the node goes on whatever a hang-up brings.
func (c *serveCommand) reload(s *server.Server, log *slog.Logger) {
	next, err := readAgain()
	if err != nil {
		log.Warn("told to reload, but the settings cannot be read; nothing has changed", telemetry.FieldError, err)
		return
	}
	// Its level was validated with the other settings.
	_ = telemetry.SetLevel(log, next.LogLevel)
	reloaded := []string{"log-level=" + next.LogLevel}
	if c.TLSCert != "" {
		if err := s.Reload(); err != nil {
			log.Warn("told to reload, but the certificate cannot be read; the former stays in use", telemetry.FieldError, err)
		} else {
			reloaded = append(reloaded, "tls-cert")
		}
	}
	log.Info("reloaded", telemetry.FieldSettings, strings.Join(reloaded, " "))
	if changed := config.Changed(&c.Config, next, "log-level"); len(changed) > 0 {
		log.Warn("settings have changed that need a restart", telemetry.FieldSettings, strings.Join(changed, " "))
	}
}

// readAgain reads the settings as the start did: command line, environment, file.
func readAgain() (*config.Config, error) {
	var line commandLine
	if _, err := newParser(&line).Parse(os.Args[1:]); err != nil {
		return nil, fmt.Errorf("read the settings again: %w", err)
	}
	return &line.Serve.Config, nil
}
