package file

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// door names the room's door in logs and metrics.
const door = "file"

// refusal is an answer of this door that is no success.
type refusal struct {
	status int
	reason string // for logs and metrics
	text   string // for people
}

// Error says why.
func (e *refusal) Error() string { return e.reason + ": " + e.text }

// ServeHTTP takes files in and gives them out. Whoever has an address may use it: what it is good for is signed.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := f.answer(w, r); err != nil {
		f.refuse(w, r, err)
	}
}

// allowOrigins lets pages of any origin upload and read: they have no cookies here that a foreign page could misuse.
func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Range, If-None-Match, If-Range, X-Requested-With")
	h.Set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("X-Content-Type-Options", "nosniff")
}

// answer does what an address is good for. After an error nothing was written, or the connection is broken.
func (f *Files) answer(w http.ResponseWriter, r *http.Request) error {
	at, err := locate(r.URL.Path)
	if err != nil {
		return errNoAddress()
	}
	tenant := f.apps.Find(at.app)
	if tenant == nil || tenant.Disabled || f.store == nil {
		return errNoAddress()
	}
	what, err := f.signer.read(at.app, at.token, f.clock.Now())
	switch {
	case errors.Is(err, errExpired):
		return &refusal{http.StatusForbidden, "expired", "The address has expired. Ask for a new one."}
	case err != nil:
		return &refusal{http.StatusForbidden, "forged", "The address was not made by this service, or was changed on its way."}
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	written := r.Method == http.MethodPut || r.Method == http.MethodPost
	switch {
	case read && what.use != useUpload:
		return f.give(w, r, at, what)
	case written && what.use == useUpload:
		return f.receive(w, r, tenant.App, what)
	default:
		return &refusal{http.StatusMethodNotAllowed, "method", "The address is good for something else."}
	}
}

func errNoAddress() error {
	return &refusal{http.StatusNotFound, "no-address", "There is nothing at this address."}
}

// refuse answers, and tells the operator. What is no refusal is our own fault: logged whole, and the caller learns the trace
// id only.
func (f *Files) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	var code *im.Error
	switch {
	case errors.As(err, &known):
	case errors.As(err, &code):
		known = &refusal{http.StatusInsufficientStorage, "full", code.Info}
	default:
		trace := telemetry.NewTrace()
		if r.Context().Err() == nil && !errors.Is(err, context.Canceled) {
			f.log.ErrorContext(telemetry.WithTrace(r.Context(), trace), "serve a file", telemetry.FieldPeer, host(r), telemetry.FieldError, err)
		}
		http.Error(w, "internal error, trace "+trace, http.StatusInternalServerError)
		return
	}
	f.refusals.Tell(r.Context(), door, known.reason, telemetry.FieldPeer, host(r))
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		if known.status != http.StatusRequestTimeout {
			discard(w, r)
		}
	}
	http.Error(w, known.text, known.status)
}

// What is read of a body that nobody takes: a sender whose connection ends while he sends does not see the answer.
const (
	discardBytes  = 8 << 20
	discardWithin = 5 * time.Second
)

func discard(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" { // who expects to be asked has not sent it yet, or sees the answer first
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(clock.System().Now().Add(discardWithin))
	_, _ = io.CopyN(io.Discard, r.Body, discardBytes)
}

func host(r *http.Request) string {
	name, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return name
}
