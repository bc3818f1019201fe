package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// The names of log fields. One thing has one name in every line, so that a search for it finds all of them.
const (
	FieldApp      = "app"      // SDKAppID
	FieldUser     = "user"     // user id, as the app's back end knows it
	FieldAccount  = "account"  // account number, TinyId on the wire
	FieldInstance = "instance" // device, InstId on the wire
	FieldSession  = "session"  // one live connection
	FieldPeer     = "peer"     // network address of the other side
	FieldDoor     = "door"     // rest or client
	FieldCommand  = "command"  // service and command, as docs/protocol names them
	FieldEvent    = "event"    // what was pushed
	FieldWebhook  = "webhook"  // callback command
	FieldEventID  = "event_id" // a stored callback, X-Magpie-Event-Id
	FieldStatus   = "status"   // HTTP's, 0 when there was no answer
	FieldHost     = "host"     // of a webhook address, without its path and query
	FieldGroup    = "group"    // group id
	FieldMessage  = "message"  // MsgKey, never the text
	FieldCode     = "code"     // error code of the reference system; 0 is success
	FieldReason   = "reason"   // why something was dropped, closed or refused
	FieldTrace    = "trace"    // joins the lines of one call
	FieldNode     = "node"     // which node wrote the line
	FieldCluster  = "cluster"  // name of the service on the bus
	FieldSubject  = "subject"  // of the bus
	FieldURL      = "url"      // without passwords
	FieldError    = "error"
	FieldDuration = "duration"
	FieldCount    = "count"
	FieldBytes    = "bytes"
)

// NewLogger makes the node's logger. level is debug, info, warn or error; format is text, for people, or json, for
// machines, where a duration is in seconds. A line logged with a context (InfoContext and its like) carries the
// context's trace id by itself.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var options slog.HandlerOptions
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: want debug, info, warn or error", level)
	}
	options.Level = least
	switch format {
	case "text":
		return slog.New(traceHandler{slog.NewTextHandler(w, &options)}), nil
	case "json":
		options.ReplaceAttr = durationInSeconds
		return slog.New(traceHandler{slog.NewJSONHandler(w, &options)}), nil
	default:
		return nil, fmt.Errorf("log format %q: want text or json", format)
	}
}

// durationInSeconds replaces slog's bare count of nanoseconds, which no reader of a log expects.
func durationInSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}

// traceHandler adds the trace id of the context to each line.
type traceHandler struct{ slog.Handler }

func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := Trace(ctx); id != "" {
		r = r.Clone() // a record's copies share memory, and another handler may hold one
		r.AddAttrs(slog.String(FieldTrace, id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(attrs)}
}

func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}

// Error is the field for an error that is not the caller's fault, with everything that was wrapped around it.
func Error(err error) slog.Attr { return slog.Any(FieldError, err) }

// Duration is the field for the time that something took.
func Duration(d time.Duration) slog.Attr { return slog.Duration(FieldDuration, d) }
