package telemetry

import (
	"context"
	"log/slog"

	"github.com/magpie-im/magpie/internal/clock"
)

// Refusals tells the operator whom the doors turned away before any command saw the call: counted all, logged sampled.
// Usually it is a proxy or a back end that is set up wrongly, and its own log does not say why.
type Refusals struct {
	*Sampled
	metrics *Metrics
}

// NewRefusals makes one for all doors of a node. A nil clock is the system's.
func NewRefusals(log *slog.Logger, metrics *Metrics, c *clock.Clock) *Refusals {
	return &Refusals{NewSampled(log, c), metrics}
}

// Tell counts and logs one refusal. door and reason come from the program or from a table, never from a request; args
// are further fields.
func (r *Refusals) Tell(ctx context.Context, door, reason string, args ...any) {
	r.metrics.Refused.WithLabelValues(door, reason).Inc()
	r.Warn(ctx, door+" "+reason, "refused", append([]any{FieldDoor, door, FieldReason, reason}, args...)...)
}
