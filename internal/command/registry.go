package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Registry holds the commands of a server and passes calls to them.
type Registry struct {
	log      *slog.Logger
	commands []Command
	rest     map[string]*entry // by "service/name"
	client   map[string]*entry // by "service.name"
	limiter  *limiter
	unknown  [2]*telemetry.CommandMetrics // by door
}

type entry struct {
	Command
	metrics [2]*telemetry.CommandMetrics // by door
}

// NewRegistry makes an empty registry. restRate is how many calls of one command an application may make per second at
// the REST door; zero is no bound.
func NewRegistry(log *slog.Logger, metrics *telemetry.Metrics, restRate int) *Registry {
	return &Registry{
		log:     log,
		rest:    map[string]*entry{},
		client:  map[string]*entry{},
		limiter: newLimiter(restRate),
		unknown: [2]*telemetry.CommandMetrics{
			metrics.Command("unknown", im.DoorREST.String()), metrics.Command("unknown", im.DoorClient.String()),
		},
	}
}

// Register adds a room's commands. Two commands of one name are a fault of the program, so it panics.
func (r *Registry) Register(metrics *telemetry.Metrics, commands []Command) {
	for _, c := range commands {
		e := &entry{Command: c}
		name := c.Service + "." + c.Name
		e.metrics[im.DoorREST] = metrics.Command(name, im.DoorREST.String())
		e.metrics[im.DoorClient] = metrics.Command(name, im.DoorClient.String())
		for _, service := range append([]string{c.Service}, c.Also...) {
			if c.Doors&REST != 0 {
				add(r.rest, service+"/"+c.Name, e)
			}
			if c.Doors&Client != 0 {
				add(r.client, service+"."+c.Name, e)
			}
		}
		r.commands = append(r.commands, c)
	}
}

func add(to map[string]*entry, name string, e *entry) {
	if to[name] != nil {
		panic("command declared twice: " + name)
	}
	to[name] = e
}

// Commands lists what is registered, by service and name.
func (r *Registry) Commands() []Command {
	list := slices.Clone(r.commands)
	slices.SortStableFunc(list, func(a, b Command) int {
		return strings.Compare(a.Service+"."+a.Name, b.Service+"."+b.Name)
	})
	return list
}

// Serve passes a call through the chain and gives the reply's body, envelope included, and its code. name is
// "service/command" at the REST door and "service.command" at the client door. The actor is known to be who it says.
func (r *Registry) Serve(ctx context.Context, actor *im.Actor, name string, body []byte) ([]byte, im.Code) {
	started := time.Now()
	if telemetry.Trace(ctx) == "" {
		ctx = telemetry.WithTrace(ctx, telemetry.NewTrace())
	}
	found := r.find(actor.Door, name)
	if found == nil {
		reply, code := r.answer(ctx, actor, &result{err: im.Errorf(im.CodeUnknownCommand, "no command %.80q", name)})
		r.unknown[actor.Door].Observe(code, time.Since(started))
		return reply, code
	}
	value, err := r.call(ctx, actor, found, body)
	reply, code := r.answer(ctx, actor, &result{name, found.Family, value, err})
	found.metrics[actor.Door].Observe(code, time.Since(started))
	if r.log.Enabled(ctx, slog.LevelDebug) {
		r.log.DebugContext(ctx, "command", telemetry.FieldCommand, name, telemetry.FieldCode, int(code),
			telemetry.FieldApp, actor.App.ID, telemetry.FieldUser, actor.UserID, telemetry.FieldTrace, telemetry.Trace(ctx),
			telemetry.FieldDuration, time.Since(started))
	}
	return reply, code
}

func (r *Registry) find(door im.Door, name string) *entry {
	if door == im.DoorREST {
		return r.rest[name]
	}
	return r.client[name]
}

func (r *Registry) call(ctx context.Context, actor *im.Actor, e *entry, body []byte) (reply any, err error) {
	if actor.Door == im.DoorREST && !r.limiter.allow(actor.App.ID, e) {
		return nil, im.Errorf(im.CodeRateExceeded, "more than %d calls of %s in one second", r.limiter.rate(e), e.Name)
	}
	defer func() {
		if fault := recover(); fault != nil {
			reply, err = nil, fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	return e.serve(ctx, actor, body)
}

// answer turns a handler's result into a body. What is not a refusal is our own fault: logged whole, and the caller
// learns the trace id only.
func (r *Registry) answer(ctx context.Context, actor *im.Actor, of *result) ([]byte, im.Code) {
	code, info := im.CodeOK, ""
	if of.err != nil {
		refusal, ok := im.Refusal(of.err)
		if !ok {
			return r.fail(ctx, actor, of, of.err)
		}
		code, info = refusal.Code, refusal.Info
	}
	body, err := Encode(of.reply, code, info)
	if err != nil {
		return r.fail(ctx, actor, of, err)
	}
	return body, code
}

// result is what a handler gave, and of which command.
type result struct {
	name   string
	family im.Family
	reply  any
	err    error
}

func (r *Registry) fail(ctx context.Context, actor *im.Actor, of *result, err error) ([]byte, im.Code) {
	r.report(ctx, actor, of.name, err)
	body, _ := Encode(nil, of.family.Internal, "internal error, trace "+telemetry.Trace(ctx))
	return body, of.family.Internal
}

func (r *Registry) report(ctx context.Context, actor *im.Actor, name string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelInfo
	}
	r.log.Log(ctx, level, "command failed", telemetry.FieldCommand, name, telemetry.FieldApp, actor.App.ID,
		telemetry.FieldUser, actor.UserID, telemetry.FieldTrace, telemetry.Trace(ctx), telemetry.FieldError, err)
}
