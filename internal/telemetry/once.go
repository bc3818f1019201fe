package telemetry

import (
	"context"
	"log/slog"
	"slices"
)

// onceHandler writes each member of a line once: readers of JSON differ in which of two equal names they take. The last
// value given counts, those of the line above those of the logger; a name that slog writes by itself gets an underscore.
// It also adds the trace id of the context. So that it sees all members of a line together, it keeps what a logger was
// given instead of handing it on.
type onceHandler struct {
	slog.Handler
	level  *slog.LevelVar
	scopes []scope // the first is the line itself, each further one a group in the one before
}

// scope is what a logger was given within one group.
type scope struct {
	group string
	attrs []slog.Attr
}

// Handle writes the line.
func (h *onceHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs()+1)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for i := len(h.scopes) - 1; i >= 0; i-- {
		attrs = once(append(slices.Clone(h.scopes[i].attrs), attrs...))
		if i > 0 {
			attrs = []slog.Attr{{Key: h.scopes[i].group, Value: slog.GroupValue(attrs...)}}
		}
	}
	if id := Trace(ctx); id != "" && !slices.ContainsFunc(attrs, named(FieldTrace)) {
		attrs = append(attrs, slog.String(FieldTrace, id))
	}
	for i := range attrs {
		switch attrs[i].Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey:
			attrs[i].Key += "_"
		}
	}
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	line.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, line)
}

// once keeps the last of the attributes with one name, at the place of the first, also inside groups. A group without a
// name is its members.
func once(attrs []slog.Attr) []slog.Attr {
	kept := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		members := []slog.Attr{a}
		if a.Value.Kind() == slog.KindGroup {
			inner := once(a.Value.Group())
			members[0].Value = slog.GroupValue(inner...)
			if a.Key == "" {
				members = inner
			}
		}
		for _, m := range members {
			if at := slices.IndexFunc(kept, named(m.Key)); at >= 0 {
				kept[at] = m
			} else {
				kept = append(kept, m)
			}
		}
	}
	return kept
}

func named(key string) func(slog.Attr) bool {
	return func(a slog.Attr) bool { return a.Key == key }
}

// WithAttrs keeps the attributes for the lines to come.
func (h *onceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := h.clone()
	last := &next.scopes[len(next.scopes)-1]
	last.attrs = append(slices.Clone(last.attrs), attrs...)
	return next
}

// WithGroup begins a group for what the logger is given from now on.
func (h *onceHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := h.clone()
	next.scopes = append(next.scopes, scope{group: name})
	return next
}

func (h *onceHandler) clone() *onceHandler {
	return &onceHandler{h.Handler, h.level, slices.Clone(h.scopes)}
}
