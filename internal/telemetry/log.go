package telemetry

import (
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
	FieldDevice   = "device"   // its number, InstId on the wire
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
	FieldChat     = "chat"     // its number in the store
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
	FieldSkipped  = "skipped"  // lines of the same kind that were not written before this one
	FieldVersion  = "version"  // of the program
	FieldAddress  = "address"  // where the node listens
	FieldStore    = "store"    // the database, without its password
	FieldBus      = "bus"      // what joins the nodes, without its password
	FieldSettings = "settings" // names of settings, never secret values
	FieldHint     = "hint"     // what is probably to be done
	FieldApps     = "apps"     // how many applications the node serves
)

// NewLogger makes the node's logger. level is debug, info, warn or error; format is text, for people, or json, for
// machines, where a duration is in seconds. A line logged with a context (InfoContext and its like) carries the
// context's trace id by itself. A line has each of its members once, whatever it is given.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	least := new(slog.LevelVar)
	if err := setLevel(least, level); err != nil {
		return nil, err
	}
	options := slog.HandlerOptions{Level: least}
	var lines slog.Handler
	switch format {
	case "text":
		lines = slog.NewTextHandler(w, &options)
	case "json":
		options.ReplaceAttr = durationInSeconds
		lines = slog.NewJSONHandler(w, &options)
	default:
		return nil, fmt.Errorf("log format %q: want text or json", format)
	}
	return slog.New(&onceHandler{lines, least, []scope{{}}}), nil
}

// SetLevel changes the least important line that a logger of NewLogger writes, and with it that of all loggers made
// from it. Another logger is left as it is.
func SetLevel(log *slog.Logger, level string) error {
	if h, ok := log.Handler().(*onceHandler); ok {
		return setLevel(h.level, level)
	}
	return nil
}

func setLevel(to *slog.LevelVar, level string) error {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("log level %q: want debug, info, warn or error", level)
	}
	to.Set(least)
	return nil
}

// durationInSeconds replaces slog's bare count of nanoseconds, which no reader of a log expects.
func durationInSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}

// Error is the field for an error that is not the caller's fault, with everything that was wrapped around it.
func Error(err error) slog.Attr { return slog.Any(FieldError, err) }

// Duration is the field for the time that something took.
func Duration(d time.Duration) slog.Attr { return slog.Duration(FieldDuration, d) }
