package command_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// While the store takes no writes one line a second says so; another fault is logged each time.
func TestFaultsOfTheStore(t *testing.T) {
	m := clock.NewManual(time.Unix(1_700_000_000, 0))
	var log bytes.Buffer
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.NewTextHandler(&log, nil)), metrics, 0, m.Clock())
	var fault error
	r.Register(metrics, []command.Command{command.New(command.Spec{Service: "hall", Name: "greet", By: command.Administrator, Family: im.FamilyAccount()},
		func(context.Context, *command.Call, *command.None) (*command.None, error) { return nil, fault })})
	lines := func(err error, calls int) int {
		fault = err
		log.Reset()
		for range calls {
			if _, code := r.Serve(t.Context(), caller(im.DoorREST), "hall/greet", nil); code != im.CodeAccountInternal {
				t.Errorf("answered %d", code)
			}
		}
		return strings.Count(log.String(), "command failed")
	}
	full := &pgconn.PgError{Code: "53100"}
	if n := lines(full, 50); n != 1 {
		t.Errorf("50 writes to a full disk in one second are %d lines", n)
	}
	m.Advance(time.Second)
	if n := lines(full, 50); n != 1 || !strings.Contains(log.String(), "skipped=49") {
		t.Errorf("in the next second: %d lines, %s", n, &log)
	}
	if n := lines(errors.New("something else"), 5); n != 5 {
		t.Errorf("5 other faults are %d lines", n)
	}
}
