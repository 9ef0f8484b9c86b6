// Package requestid carries the id of a request to the lines of the log that are
// written for it. The edge puts the id into the request's context, and the
// handler adds it to each line that is written with that context.
package requestid

import (
	"context"
	"log/slog"
)

// Attribute is the name of the id in the log.
const Attribute = "requestID"

type key struct{}

// With returns a context of the request with this id.
func With(ctx context.Context, id string) context.Context { return context.WithValue(ctx, key{}, id) }

// For is With, unless the context has an id or the id is "".
func For(ctx context.Context, id string) context.Context {
	if id == "" || Of(ctx) != "" {
		return ctx
	}
	return With(ctx, id)
}

// Of returns the id of the request that a context belongs to, "" without one.
func Of(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

// Log returns a logger that adds the id to each line.
func Log(log *slog.Logger) *slog.Logger {
	if _, ok := log.Handler().(handler); ok {
		return log
	}
	return slog.New(handler{log.Handler()})
}

type handler struct{ slog.Handler }

// Handle adds the id.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id := Of(ctx); id != "" {
		r.AddAttrs(slog.String(Attribute, id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that also adds attributes.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup returns a handler that begins a group.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
