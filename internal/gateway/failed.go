package gateway

import (
	"context"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/stranger"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// refuseLogin is refuse for a login. It logs a stranger that fails, and answers him later after many failures. A device
// that comes back after its logout has not failed.
func (s *Session) refuseLogin(ctx context.Context, r *request, err error) ([]byte, im.Code) {
	body, code := s.refuse(ctx, err)
	if reason := stranger.Reason(code); reason != "" {
		s.gateway.refusals.Tell(ctx, im.DoorClient.String(), reason, telemetry.FieldPeer, s.address, telemetry.FieldApp, s.app,
			telemetry.FieldUser, short(r.Head.Identifier), telemetry.FieldCode, int(code))
		s.gateway.strangers.Failed(ctx, s.address)
	}
	return body, code
}

// short bounds what a log line repeats of a request.
func short(text string) string {
	const named = 40
	return text[:min(len(text), named)]
}
