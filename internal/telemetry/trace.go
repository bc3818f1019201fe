package telemetry

import (
	"context"
	"math/rand/v2"
)

// NewTrace returns a new trace id: 16 hexadecimal digits. It is unique enough to find one call among billions and says
// nothing about the caller; it is not a secret and protects nothing.
func NewTrace() string {
	const digits = "0123456789abcdef"
	var id [16]byte
	n := rand.Uint64()
	for i := range id {
		id[i] = digits[n&15]
		n >>= 4
	}
	return string(id[:])
}

type traceKey struct{}

// WithTrace returns a context that carries the trace id to everything done on behalf of one call.
func WithTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// Trace returns the trace id of the context, or "" outside of a call.
func Trace(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}
