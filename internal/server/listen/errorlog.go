package listen

import (
	"context"
	"log"
	"log/slog"
	"strings"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// ErrorLog is what net/http is given to complain to. It has no other way to tell of a failed handshake.
func ErrorLog(to *slog.Logger, sampled *telemetry.Sampled, metrics *telemetry.Metrics) *log.Logger {
	return log.New(&complaints{to, sampled, metrics}, "", 0)
}

type complaints struct {
	log     *slog.Logger
	sampled *telemetry.Sampled
	metrics *telemetry.Metrics
}

// Write takes one line of net/http.
func (c *complaints) Write(line []byte) (int, error) {
	ctx, text := context.Background(), strings.TrimSpace(string(line))
	if handshake, ok := strings.CutPrefix(text, "http: TLS handshake error from "); ok {
		peer, why, _ := strings.Cut(handshake, ": ")
		c.metrics.Handshakes.Inc()
		c.sampled.Warn(ctx, "handshake", "a TLS handshake failed", telemetry.FieldPeer, peer, telemetry.FieldReason, why)
		return len(line), nil
	}
	level := slog.LevelDebug
	if strings.HasPrefix(text, "http: panic serving") {
		level = slog.LevelError
	}
	c.log.Log(ctx, level, "http", telemetry.FieldError, text)
	return len(line), nil
}
