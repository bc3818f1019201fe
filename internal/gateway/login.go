package gateway

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// The commands that concern the connection itself (docs/protocol/wire.md#login).
const (
	loginCommand  = "im_open_status.wslogin"
	logoutCommand = "im_open_status.wslogout"
	helloCommand  = "im_open_status.wshello"
	aliveCommand  = "heartbeat.alive"
	ackCommand    = "openim.ws_msg_push_ack"
)

// dispatch answers a request; nil is no answer.
func (s *Session) dispatch(ctx context.Context, r *request) []byte {
	if s.tooFast() {
		s.gateway.metrics.Dropped.WithLabelValues("rate").Inc()
		return refusal(im.Errorf(im.CodeTooFrequent, "more than %d requests in one second", s.gateway.config.CommandsPerSecond))
	}
	switch r.Head.Servcmd {
	case loginCommand:
		return s.measured(r.Head.Servcmd, func() ([]byte, im.Code) { return s.login(ctx, r) })
	case logoutCommand:
		return s.measured(r.Head.Servcmd, func() ([]byte, im.Code) { return s.logout(ctx) })
	case aliveCommand, helloCommand:
		return s.measured(r.Head.Servcmd, s.standing)
	case ackCommand:
		return nil
	}
	return s.call(ctx, r)
}

func (s *Session) measured(name string, serve func() ([]byte, im.Code)) []byte {
	started := time.Now()
	body, code := serve()
	s.gateway.own[name].Observe(code, time.Since(started))
	return body
}

// ownMetrics resolves the metrics of the commands that the gateway serves itself.
func ownMetrics(m *telemetry.Metrics) map[string]*telemetry.CommandMetrics {
	own := map[string]*telemetry.CommandMetrics{}
	for _, name := range []string{loginCommand, logoutCommand, helloCommand, aliveCommand} {
		own[name] = m.Command(name, im.DoorClient.String())
	}
	return own
}

// call has a command served for the device that is logged in. A request that a client sends again after a reconnect may
// come before the login that it sends too; it carries the session's token, which logs the device in as well.
func (s *Session) call(ctx context.Context, r *request) []byte {
	device, kicked := s.loggedIn()
	if device == nil && r.Head.Token != "" {
		tenant, err := s.tenant()
		if err == nil && s.lost() {
			err = errOver
		}
		if err == nil {
			device, err = s.resume(ctx, tenant, r.Head.Token)
		}
		if err != nil {
			return s.refuseCall(ctx, err)
		}
	}
	tenant := s.gateway.apps.Find(s.app)
	switch {
	case kicked != 0:
		return refusedLoggedOut()
	case tenant == nil:
		return refusal(im.Errorf(im.CodeAppUnknown, "there is no application %d", s.app))
	case device == nil:
		device = guest()
	case time.Now().After(device.Expires):
		return refusal(im.Errorf(im.CodeSigExpired, "the UserSig has expired"))
	}
	r.sync = syncing{s, device}
	r.call = command.Call{
		Actor: im.Actor{
			App: tenant.App, UserID: device.Account.UserID, Account: device.Account.ID, Instance: device.Instance,
			Platform: device.Platform, Door: im.DoorClient, Address: s.address,
		},
		Turn: &r.turn, Sync: &r.sync,
	}
	body, _ := s.gateway.registry.Serve(ctx, &r.call, r.Head.Servcmd, r.Body)
	return body
}

// guest stands for the device of somebody who is not logged in.
func guest() *device.Device { return &device.Device{} }

// standing answers a heartbeat: all is well, or the session has ended. A client that was told to log out has been told
// by a push and is not told again.
func (s *Session) standing() ([]byte, im.Code) {
	device, kicked := s.loggedIn()
	if device != nil && kicked == 0 && time.Now().After(device.Expires) {
		return refusal(im.Errorf(im.CodeSigExpired, "the UserSig has expired")), im.CodeSigExpired
	}
	return refusal(im.Errorf(im.CodeOK, "")), im.CodeOK
}

type loginReply struct {
	Token         string `json:"A2Key"`
	TinyID        string `json:"TinyId"`
	Instance      int64  `json:"InstId"`
	HelloInterval int    `json:"HelloInterval"`
	Time          int64  `json:"TimeStamp"`
	CustomStatus  string `json:"CustomStatus"`
	Features      string `json:"PurchaseBits"`
}

// login logs a device in by its UserSig, or brings it back by its token.
func (s *Session) login(ctx context.Context, r *request) ([]byte, im.Code) {
	tenant, err := s.tenant()
	if err != nil {
		return s.refuse(ctx, err)
	}
	device, err := s.admit(ctx, tenant, &r.Head)
	if err != nil {
		return s.refuse(ctx, err)
	}
	body, err := command.Encode(&loginReply{
		Token: device.Token, TinyID: strconv.FormatInt(int64(device.Account.ID), 10), Instance: int64(device.Instance),
		HelloInterval: int(s.gateway.config.HelloInterval / time.Second), Time: time.Now().Unix(), Features: s.gateway.registry.Features(),
	}, im.CodeOK, "")
	if err != nil {
		return s.refuse(ctx, err)
	}
	return body, im.CodeOK
}

func (s *Session) tenant() (*app.Tenant, error) {
	tenant := s.gateway.apps.Find(s.app)
	if tenant == nil {
		return nil, im.Errorf(im.CodeAppUnknown, "there is no application %d", s.app)
	}
	return tenant, nil
}

func (s *Session) admit(ctx context.Context, tenant *app.Tenant, h *head) (*device.Device, error) {
	current, kicked := s.loggedIn()
	if s.lost() {
		return nil, errOver
	}
	if h.Token != "" {
		if current != nil && kicked == 0 {
			return current, nil // a request that was sent again logged it in already
		}
		return s.resume(ctx, tenant, h.Token)
	}
	if current != nil {
		s.leave(ctx, current, kicked)
	}
	device, err := s.gateway.devices.LogIn(ctx, device.Login{
		// A signature copied with blanks around it is still that signature.
		Tenant: tenant, UserID: h.Identifier, UserSig: strings.TrimSpace(h.UserSig), Platform: s.platform, Address: s.address,
	})
	if err != nil {
		return nil, err
	}
	return device, s.enter(ctx, device)
}

// resume brings a device back and makes every node close the connection that it had before.
func (s *Session) resume(ctx context.Context, tenant *app.Tenant, token string) (*device.Device, error) {
	device, err := s.gateway.devices.Resume(ctx, tenant, token, s.address)
	if err != nil {
		return nil, err
	}
	if err := s.enter(ctx, device); err != nil {
		return nil, err
	}
	if err := s.gateway.router.Replace(device.Account.ID, device.Instance, s.connection()); err != nil {
		s.gateway.log.Warn("close a device's older connection", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
	}
	return device, nil
}

// errOver is the login of a connection that was lost meanwhile; nobody reads the answer.
var errOver = errors.New("gateway: the connection is over")

// lost reports whether the connection's last byte was read. What still waits in its inbox brings no device back: that would
// be told as a login and a loss, when the client may be back on another connection already.
func (s *Session) lost() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.over
}

// enter makes the device this connection's. A connection that ended while the login was served leaves nothing behind.
func (s *Session) enter(ctx context.Context, device *device.Device) error {
	s.mutex.Lock()
	over := s.over
	if !over {
		s.device, s.kicked = device, 0
		s.startHolding()
	}
	s.mutex.Unlock()
	if over {
		s.lose(device, 0)
		return errOver
	}
	if err := s.gateway.hub.bind(ctx, s, device); err != nil {
		s.leave(ctx, device, 0)
		return err
	}
	if err := s.confirm(ctx, device); err != nil {
		return err
	}
	s.mutex.Lock()
	over = s.over
	s.mutex.Unlock()
	if over { // it ended between the two, and its cleaning up may have come before the binding
		s.lose(device, 0)
		return errOver
	}
	return nil
}

// leave ends the login of the device on this connection.
func (s *Session) leave(ctx context.Context, device *device.Device, kicked device.KickType) {
	s.part(device)
	if kicked != 0 {
		return
	}
	if err := s.gateway.devices.LogOut(ctx, device); err != nil {
		s.gateway.log.Warn("log out", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
	}
}

// logout ends the login and keeps the connection, on which the client may log in again.
func (s *Session) logout(ctx context.Context) ([]byte, im.Code) {
	if device, kicked := s.loggedIn(); device != nil {
		s.leave(ctx, device, kicked)
	}
	return refusal(im.Errorf(im.CodeOK, "")), im.CodeOK
}

// refuse writes why a login or a session was not accepted.
func (s *Session) refuse(ctx context.Context, err error) ([]byte, im.Code) {
	var kicked *device.KickedError
	if errors.As(err, &kicked) {
		if kicked.Reason == device.LoggedOut {
			return refusal(im.Errorf(im.CodeSigExpired, "the device logged out, log in again")), im.CodeSigExpired
		}
		return refusedKicked(kicked.Reason), im.CodeKickedOut
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
	var kicked *device.KickedError
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
	KickType device.KickType `json:"KickType"`
}

// refusedKicked tells a client that comes back that its device was logged out meanwhile.
func refusedKicked(reason device.KickType) []byte {
	body, err := command.Encode(&kickedReply{reason}, im.CodeKickedOut, "the device was logged out")
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
