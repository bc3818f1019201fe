package rest

import (
	"net/http"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// reasons are the names under which refusals of this door are counted.
func reasons() map[im.Code]string {
	return map[im.Code]string{
		im.CodeBadHTTP: "http", im.CodeBodyTooLong: "too-long",
		im.CodeAppMissing: "app-missing", im.CodeAppInvalid: "app-invalid", im.CodeAppUnknown: "app-unknown",
		im.CodeBadSignature: "identifier-missing", im.CodeNotAppAdmin: "not-administrator",
		im.CodeSigEmpty: "usersig-missing", im.CodeSigMalformed: "usersig-malformed", im.CodeSigExpired: "usersig-expired",
		im.CodeSigMismatch: "usersig-mismatch", im.CodeSigWrongUser: "usersig-wrong-user",
		im.CodeSigWrongApp: "usersig-wrong-app", im.CodeSigNoKey: "usersig-no-key", im.CodeSigRevoked: "usersig-revoked",
	}
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
		d.tell(r, refusal)
	}
	body, err := command.Encode(nil, refusal.Code, refusal.Info)
	if err != nil {
		return []byte(`{"ActionStatus":"FAIL","ErrorCode":70500,"ErrorInfo":"internal error"}`)
	}
	return body
}

// named bounds what a log line repeats of a request.
const named = 40

func (d *Door) tell(r *http.Request, refusal *im.Error) {
	reason, ok := d.reasons[refusal.Code]
	if !ok {
		reason = "other"
	}
	query := r.URL.Query()
	d.refusals.Tell(r.Context(), im.DoorREST.String(), reason, telemetry.FieldPeer, address(r),
		telemetry.FieldApp, short(query.Get("sdkappid")), telemetry.FieldUser, short(query.Get("identifier")),
		telemetry.FieldCode, int(refusal.Code))
}

func short(text string) string { return text[:min(len(text), named)] }
