package rest

import (
	"errors"
	"net/http"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/stranger"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// reasons are the names under which refusals of this door are counted, beside those of failed logins.
func reasons() map[im.Code]string {
	return map[im.Code]string{
		im.CodeBadHTTP: "http", im.CodeBodyTooLong: "too-long",
		im.CodeAppMissing: "app-missing", im.CodeAppInvalid: "app-invalid", im.CodeBadSignature: "identifier-missing",
	}
}

// reason names a refusal, for logs and metrics.
func (d *Door) reason(err error, code im.Code) string {
	var body *bodyError
	if errors.As(err, &body) {
		return body.reason
	}
	if reason := stranger.Reason(code); reason != "" {
		return reason
	}
	if reason := d.reasons[code]; reason != "" {
		return reason
	}
	return "other"
}

// refuse answers a call that never reached a command. What is not a refusal is our own fault: logged whole, and the
// caller learns the trace id only.
func (d *Door) refuse(r *http.Request, err error) []byte {
	refusal, ok := im.Refusal(err)
	if !ok {
		trace := telemetry.NewTrace()
		if r.Context().Err() == nil {
			d.log.ErrorContext(telemetry.WithTrace(r.Context(), trace), "find out who calls", telemetry.FieldPeer, address(r),
				telemetry.FieldError, err)
		}
		refusal = im.Errorf(im.CodeAccountInternal, "internal error, trace %s", trace)
	} else {
		d.tell(r, err, refusal)
	}
	body, err := command.Encode(nil, refusal.Code, refusal.Info)
	if err != nil {
		return []byte(`{"ActionStatus":"FAIL","ErrorCode":70500,"ErrorInfo":"internal error"}`)
	}
	return body
}

// named bounds what a log line repeats of a request.
const named = 40

func (d *Door) tell(r *http.Request, err error, refusal *im.Error) {
	query := r.URL.Query()
	d.refusals.Tell(r.Context(), im.DoorREST.String(), d.reason(err, refusal.Code), telemetry.FieldPeer, address(r),
		telemetry.FieldApp, short(query.Get("sdkappid")), telemetry.FieldUser, short(query.Get("identifier")),
		telemetry.FieldCode, int(refusal.Code))
}

func short(text string) string { return text[:min(len(text), named)] }
