package gateway

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/command"
	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// errOver is the login of a session that was lost meanwhile; no client reads the reply.
var errOver = errors.New("gateway: the connection is over")

// refuse writes why a login or a session was not accepted.
func (s *Session) refuse(ctx context.Context, err error) ([]byte, im.Code) {
	var kicked *devices.KickedError
	if errors.As(err, &kicked) {
		if kicked.Reason == devices.LoggedOut {
			return refusal(im.Errorf(im.CodeSigExpired, "the device logged out, log in again")), im.CodeSigExpired
		}
		return refusedKicked(kicked), im.CodeKickedOut
	}
	if known, ok := im.Refusal(err); ok {
		return refusal(known), known.Code
	}
	if errors.Is(err, errOver) {
		return nil, im.CodeAccountInternal
	}
	trace := telemetry.NewTrace()
	s.gateway.log.ErrorContext(ctx, "login failed", telemetry.FieldError, err, telemetry.FieldTrace, trace, telemetry.FieldApp, s.app)
	return refusal(im.Errorf(im.CodeAccountInternal, "internal error, trace %s", trace)), im.CodeAccountInternal
}

// refuseCall is refuse for a request other than the login. A device that was logged out learns why from the answer to
// its login, once: a client takes every CodeKickedOut for another logout.
func (s *Session) refuseCall(ctx context.Context, err error) []byte {
	var kicked *devices.KickedError
	if errors.As(err, &kicked) {
		return refusedLoggedOut()
	}
	body, _ := s.refuse(ctx, err)
	return body
}

// refusedLoggedOut refuses with a code that clients give no meaning of its own.
func refusedLoggedOut() []byte {
	return refusal(im.Errorf(im.CodeSigRevoked, "the device was logged out"))
}

type kickedReply struct {
	KickType kick             `json:"KickType"`
	New      *event.NewDevice `json:"NewInstInfo,omitzero"`
}

// refusedKicked tells a client that comes back that its device was logged out meanwhile, and which device came.
func refusedKicked(why *devices.KickedError) []byte {
	body, err := command.Encode(&kickedReply{why.Reason, event.NewDeviceOf(why.By)}, im.CodeKickedOut, "the device was logged out")
	if err != nil {
		return refusal(im.Errorf(im.CodeKickedOut, "the device was logged out"))
	}
	return body
}

func refusal(e *im.Error) []byte {
	body, err := command.Encode(nil, e.Code, e.Info)
	if err != nil {
		return []byte(`{"ActionStatus":"FAIL","ErrorCode":70500,"ErrorInfo":"internal error"}`)
	}
	return body
}
