package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// underWay is a call that is not answered yet.
type underWay struct {
	registry *Registry
	ctx      context.Context //nolint:containedctx // it is the call's, and ends with it
	call     *Call
	of       *registered
	name     string // as it was called
	began    time.Time
	answer   func([]byte, im.Code)
	ended    atomic.Bool
}

// run has the handler serve the call.
func (u *underWay) run(body []byte) {
	if err := u.registry.limiter.allow(u.call, u.of, len(body)); err != nil {
		u.end(nil, err)
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			u.end(nil, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	u.of.serve(u.ctx, u.call, body, u.end)
}

// end answers with the handler's result. A handler that fails after it has answered changes nothing.
func (u *underWay) end(value any, err error) {
	if u.ended.Swap(true) {
		u.report(err)
		return
	}
	reply, code := u.encode(value, err)
	took := time.Since(u.began)
	u.of.metrics[u.call.Door].Observe(code, took)
	if log := u.registry.log; log.Enabled(u.ctx, slog.LevelDebug) {
		log.DebugContext(u.ctx, "command", telemetry.FieldCommand, u.name, telemetry.FieldCode, int(code),
			telemetry.FieldApp, u.call.App.ID, telemetry.FieldUser, u.call.UserID, telemetry.FieldTrace, telemetry.Trace(u.ctx),
			telemetry.FieldDuration, took)
	}
	u.answer(reply, code)
}

// encode turns a handler's result into a body. An error that is no refusal is our own fault: logged whole, and the actor
// learns the trace id only.
func (u *underWay) encode(value any, err error) (reply []byte, code im.Code) {
	defer func() {
		if fault := recover(); fault != nil {
			reply, code = u.fail(fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	info := ""
	if err != nil {
		refusal, ok := im.Refusal(err)
		if !ok {
			return u.fail(err)
		}
		code, info = refusal.Code, refusal.Info
	}
	body, err := Encode(value, code, info)
	if err != nil {
		return u.fail(err)
	}
	return body, code
}

func (u *underWay) fail(err error) ([]byte, im.Code) {
	u.report(err)
	body, _ := Encode(nil, u.of.Family.Internal, "internal error, trace "+telemetry.Trace(u.ctx))
	return body, u.of.Family.Internal
}

func (u *underWay) report(err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelInfo
	}
	skipped, due := u.registry.faults.due(db.KnownFault(err), u.registry.limiter.clock.Now().Unix())
	if !due {
		return
	}
	args := []any{
		telemetry.FieldCommand, u.name, telemetry.FieldApp, u.call.App.ID, telemetry.FieldUser, u.call.UserID,
		telemetry.FieldTrace, telemetry.Trace(u.ctx), telemetry.FieldError, err,
	}
	if skipped > 0 {
		args = append(args, telemetry.FieldSkipped, skipped)
	}
	u.registry.log.Log(u.ctx, level, "command failed", args...)
}
