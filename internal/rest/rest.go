// Package rest is the HTTP door: POST /v4/{service}/{command} by an application's administrators
// (docs/protocol/rest.md).
//
// It authenticates the actor, hands the body to the command and writes the reply. It holds no rule of any command.
package rest

import (
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/stranger"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Prefix is the beginning of every path of this door.
const Prefix = "/v4/"

// Door serves the commands that have a REST name.
type Door struct {
	apps      *app.Apps
	accounts  *account.Accounts
	registry  *command.Registry
	log       *slog.Logger
	refusals  *telemetry.Refusals
	reasons   map[im.Code]string
	clock     *clock.Clock
	strangers *stranger.Strangers
	bodies    *bodies
}

// Parts are the rooms that the door works with.
type Parts struct {
	Apps     *app.Apps
	Accounts *account.Accounts
	Registry *command.Registry
	Log      *slog.Logger
	Refusals *telemetry.Refusals
	// Clock is what signatures are judged by; nil is the system's.
	Clock *clock.Clock
	// Strangers are shared by all doors.
	Strangers *stranger.Strangers
	// BodyWithin is how long a body may take to arrive, BodyBytes how many bytes of bodies are in memory at once.
	BodyWithin time.Duration
	BodyBytes  int
}

// New makes the door.
func New(p Parts) *Door {
	return &Door{
		apps: p.Apps, accounts: p.Accounts, registry: p.Registry, log: p.Log, refusals: p.Refusals, reasons: reasons(),
		clock: p.Clock, strangers: p.Strangers, bodies: newBodies(p.BodyWithin, p.BodyBytes),
	}
}

// Hurry has bodies that are under way arrive within a second, or not at all: the node stops.
func (d *Door) Hurry() { d.bodies.hurry() }

// ServeHTTP answers 200 whatever the outcome, which is in the body, as clients of the reference system expect.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "X-Requested-With, Content-Type")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", "application/json")
	_, _ = w.Write(d.answer(w, r))
}

// knownFor is how long it is known who calls: a body may take longer to arrive, and then his right may have ended.
const knownFor = time.Second

// answer checks who calls before it reads what he asks: the memory that a body takes is for callers who are known.
func (d *Door) answer(w http.ResponseWriter, r *http.Request) []byte {
	if r.Method != http.MethodPost {
		return d.turnAway(w, r, im.Errorf(im.CodeBadHTTP, "%.16s: want POST", r.Method))
	}
	actor, err := d.authenticate(r)
	if err != nil {
		body := d.turnAway(w, r, err)
		if refusal, ok := im.Refusal(err); ok && stranger.Reason(refusal.Code) != "" {
			d.strangers.Failed(r.Context(), address(r))
		}
		return body
	}
	began := d.clock.Now()
	body := d.bodies.open(w, r)
	defer body.close()
	if err := body.read(r); err != nil {
		w.Header().Set("Connection", "close")
		return d.refuse(r, err)
	}
	if d.clock.Since(began) > knownFor {
		if actor, err = d.authenticate(r); err != nil {
			return d.refuse(r, err)
		}
	}
	reply, _ := d.registry.Serve(r.Context(), &command.Call{Actor: *actor}, strings.TrimPrefix(r.URL.Path, Prefix), body.bytes)
	return reply
}

// turnAway refuses a call whose body was not read. The body is passed over, so that the connection stays usable.
func (d *Door) turnAway(w http.ResponseWriter, r *http.Request, err error) []byte {
	if !d.bodies.skip(w, r) {
		w.Header().Set("Connection", "close")
	}
	return d.refuse(r, err)
}

// authenticate finds the administrator who calls. Parameters of the URL that say nothing of him (random, contenttype)
// are taken as they come, missing or wrong.
func (d *Door) authenticate(r *http.Request) (*im.Actor, error) {
	query := r.URL.Query()
	tenant, err := d.tenant(query.Get("sdkappid"))
	if err != nil {
		return nil, err
	}
	userID := query.Get("identifier")
	if userID == "" {
		return nil, im.Errorf(im.CodeBadSignature, "the identifier is missing in the URL")
	}
	claims, err := tenant.Verify(query.Get("usersig"), userID, d.clock.Now())
	if err != nil {
		return nil, err
	}
	if !tenant.App.IsAdmin(userID) {
		return nil, im.Errorf(im.CodeNotAppAdmin, "%.40q is not an administrator of the application", userID)
	}
	found, err := d.accounts.Ensure(r.Context(), tenant.App.ID, userID, claims.IssuedAt.Unix())
	if err != nil {
		return nil, err
	}
	if claims.IssuedAt.Unix() < found.ValidAfter {
		return nil, im.Errorf(im.CodeSigRevoked, "the UserSig was revoked, make a new one")
	}
	return &im.Actor{
		App: tenant.App, UserID: userID, Account: found.ID, Door: im.DoorREST, Address: address(r),
	}, nil
}

func (d *Door) tenant(text string) (*app.Tenant, error) {
	if text == "" {
		return nil, im.Errorf(im.CodeAppMissing, "the sdkappid is missing in the URL")
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, im.Errorf(im.CodeAppInvalid, "sdkappid %.20q is not a number", text)
	}
	tenant := d.apps.Find(im.AppID(id))
	if tenant == nil {
		return nil, im.Errorf(im.CodeAppUnknown, "there is no application %d", id)
	}
	return tenant, nil
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
