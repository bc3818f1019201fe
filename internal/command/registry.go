package command

import (
	"context"
	"log/slog"
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
	rest     map[string]*registered // by "service/name"
	client   map[string]*registered // by "service.name"
	limiter  *limiter
	faults   faults
	features string
	unknown  [2]*telemetry.CommandMetrics // by door
}

// registered is a command with the metrics of its calls.
type registered struct {
	Command
	metrics [2]*telemetry.CommandMetrics // by door
}

// NewRegistry makes an empty registry. restRate is how many calls of one command an application may make per second at
// the REST door; zero is no bound.
func NewRegistry(log *slog.Logger, metrics *telemetry.Metrics, restRate int, c *clock.Clock) *Registry {
	return &Registry{
		log:     log,
		rest:    map[string]*registered{},
		client:  map[string]*registered{},
		limiter: newLimiter(restRate, c),
		unknown: [2]*telemetry.CommandMetrics{
			metrics.Command("unknown", im.DoorREST.String()), metrics.Command("unknown", im.DoorClient.String()),
		},
	}
}

// Register adds a room's commands. Two commands of one name are a fault of the program, so it panics.
func (r *Registry) Register(metrics *telemetry.Metrics, commands []Command) {
	for _, c := range commands {
		named := &registered{Command: c}
		name := c.Service + "." + c.Name
		named.metrics[im.DoorREST] = metrics.Command(name, im.DoorREST.String())
		named.metrics[im.DoorClient] = metrics.Command(name, im.DoorClient.String())
		for _, service := range append([]string{c.Service}, c.Also...) {
			if c.By.rest() {
				add(r.rest, service+"/"+c.Name, named)
			}
			if c.By.client() {
				add(r.client, service+"."+c.Name, named)
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

func add(to map[string]*registered, name string, e *registered) {
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
func (r *Registry) Serve(ctx context.Context, call *Call, name string, body []byte) (reply []byte, code im.Code) {
	answered := make(chan struct{})
	r.Begin(ctx, call, name, body, func(given []byte, with im.Code) {
		reply, code = given, with
		close(answered)
	})
	<-answered
	return reply, code
}

// Begin is Serve that need not wait: answer is called once, by this goroutine or, for a deferred command, by another one,
// perhaps after Begin has returned. answer must be quick.
func (r *Registry) Begin(ctx context.Context, call *Call, name string, body []byte, answer func(reply []byte, code im.Code)) {
	if telemetry.Trace(ctx) == "" {
		ctx = telemetry.WithTrace(ctx, telemetry.NewTrace())
	}
	call.limiter = r.limiter
	u := &underWay{registry: r, ctx: ctx, call: call, name: name, began: time.Now(), answer: answer}
	found, refused := r.find(call, name)
	if refused != nil {
		u.of = &registered{metrics: r.unknown}
		u.end(nil, refused)
		return
	}
	u.of = found
	u.run(body)
}

// Deferred reports whether the name is a deferred command's at the client door.
func (r *Registry) Deferred(name string) bool {
	found := r.client[name]
	return found != nil && found.deferred
}

// find looks a command up for the actor, or refuses. A guest does not learn which commands there are.
func (r *Registry) find(call *Call, name string) (*registered, error) {
	var found *registered
	guest := call.Door == im.DoorClient && call.Account == 0
	if call.Door == im.DoorREST {
		found = r.rest[name]
	} else {
		found = r.client[name]
	}
	switch {
	case guest && (found == nil || found.By&Guest == 0):
		return nil, im.Errorf(im.CodeSessionInvalid, "log in first")
	case found == nil || !guest && call.Door == im.DoorClient && found.By&Account == 0:
		return nil, im.Errorf(im.CodeUnknownCommand, "no command %.80q", name)
	}
	return found, nil
}
