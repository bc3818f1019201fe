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

	"github.com/magpie-im/magpie/internal/clock"
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
	features string
	unknown  [2]*telemetry.CommandMetrics // by door
}

type entry struct {
	Command
	metrics [2]*telemetry.CommandMetrics // by door
}

// NewRegistry makes an empty registry. restRate is how many calls of one command an application may make per second at
// the REST door; zero is no bound.
func NewRegistry(log *slog.Logger, metrics *telemetry.Metrics, restRate int, c *clock.Clock) *Registry {
	return &Registry{
		log:     log,
		rest:    map[string]*entry{},
		client:  map[string]*entry{},
		limiter: newLimiter(restRate, c),
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
			if c.By.rest() {
				add(r.rest, service+"/"+c.Name, e)
			}
			if c.By.client() {
				add(r.client, service+"."+c.Name, e)
			}
		}
		r.commands = append(r.commands, c)
	}
	r.features = features(r.commands)
}

// features writes the bits of the commands, the rightmost is bit 0.
func features(commands []Command) string {
	bits := []byte(strings.Repeat("0", featureBits))
	for _, c := range commands {
		if c.Feature != 0 {
			bits[featureBits-1-c.Feature] = '1'
		}
	}
	return string(bits)
}

// Features is the string of bits, the rightmost is bit 0, of the features that the registered commands make up
// (docs/protocol/wire.md#config).
func (r *Registry) Features() string { return r.features }

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
// "service/command" at the REST door and "service.command" at the client door. The call's actor is known to be who it says.
func (r *Registry) Serve(ctx context.Context, call *Call, name string, body []byte) ([]byte, im.Code) {
	started := time.Now()
	if telemetry.Trace(ctx) == "" {
		ctx = telemetry.WithTrace(ctx, telemetry.NewTrace())
	}
	found, refused := r.find(call, name)
	if refused != nil {
		reply, code := r.answer(ctx, call, &result{of: &entry{}, err: refused})
		r.unknown[call.Door].Observe(code, time.Since(started))
		return reply, code
	}
	value, err := r.run(ctx, call, found, body)
	reply, code := r.answer(ctx, call, &result{found, name, value, err})
	found.metrics[call.Door].Observe(code, time.Since(started))
	if r.log.Enabled(ctx, slog.LevelDebug) {
		r.log.DebugContext(ctx, "command", telemetry.FieldCommand, name, telemetry.FieldCode, int(code),
			telemetry.FieldApp, call.App.ID, telemetry.FieldUser, call.UserID, telemetry.FieldTrace, telemetry.Trace(ctx),
			telemetry.FieldDuration, time.Since(started))
	}
	return reply, code
}

// find looks a command up for the caller, or refuses. A guest does not learn which commands there are.
func (r *Registry) find(call *Call, name string) (*entry, error) {
	var found *entry
	guest := call.Door == im.DoorClient && call.Account == 0
	if call.Door == im.DoorREST {
		found = r.rest[name]
	} else {
		found = r.client[name]
	}
	switch {
	case guest && (found == nil || found.By&Guest == 0):
		return nil, im.Errorf(im.CodeSessionInvalid, "log in first")
	case found == nil || !guest && call.Door == im.DoorClient && found.By&Member == 0:
		return nil, im.Errorf(im.CodeUnknownCommand, "no command %.80q", name)
	}
	return found, nil
}

func (r *Registry) run(ctx context.Context, call *Call, e *entry, body []byte) (reply any, err error) {
	if err := r.limiter.allow(call, e); err != nil {
		return nil, err
	}
	defer func() {
		if fault := recover(); fault != nil {
			reply, err = nil, fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	return e.serve(ctx, call, body)
}

// answer turns a handler's result into a body. What is not a refusal is our own fault: logged whole, and the caller
// learns the trace id only.
func (r *Registry) answer(ctx context.Context, call *Call, of *result) ([]byte, im.Code) {
	code, info := im.CodeOK, ""
	if of.err != nil {
		refusal, ok := im.Refusal(of.err)
		if !ok {
			return r.fail(ctx, call, of, of.err)
		}
		code, info = refusal.Code, refusal.Info
	}
	body, err := Encode(of.reply, code, info)
	if err != nil {
		return r.fail(ctx, call, of, err)
	}
	return body, code
}

// result is what a handler gave, and of which command.
type result struct {
	of    *entry
	name  string // as it was called
	reply any
	err   error
}

func (r *Registry) fail(ctx context.Context, call *Call, of *result, err error) ([]byte, im.Code) {
	r.report(ctx, call, of.name, err)
	body, _ := Encode(nil, of.of.Family.Internal, "internal error, trace "+telemetry.Trace(ctx))
	return body, of.of.Family.Internal
}

func (r *Registry) report(ctx context.Context, call *Call, name string, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelInfo
	}
	r.log.Log(ctx, level, "command failed", telemetry.FieldCommand, name, telemetry.FieldApp, call.App.ID,
		telemetry.FieldUser, call.UserID, telemetry.FieldTrace, telemetry.Trace(ctx), telemetry.FieldError, err)
}
