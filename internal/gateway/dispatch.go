package gateway

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// The commands that concern the session itself (docs/protocol/wire.md#login).
const (
	loginCommand  = "im_open_status.wslogin"
	logoutCommand = "im_open_status.wslogout"
	helloCommand  = "im_open_status.wshello"
	aliveCommand  = "heartbeat.alive"
	ackCommand    = "openim.ws_msg_push_ack"
)

// dispatch has a request answered, now or later.
func (s *Session) dispatch(ctx context.Context, r *request) {
	if s.tooFast() {
		s.gateway.metrics.Dropped.WithLabelValues("rate").Inc()
		r.pause = refusedPause
		r.answer(refusal(im.Errorf(im.CodeTooFrequent, "more than %d requests in one second", s.gateway.config.CommandsPerSecond)))
		return
	}
	switch r.Head.Servcmd {
	case loginCommand:
		r.answer(s.measured(r.Head.Servcmd, func() ([]byte, im.Code) { return s.logIn(ctx, r) }))
	case logoutCommand:
		r.answer(s.measured(r.Head.Servcmd, func() ([]byte, im.Code) { return s.logout(ctx) }))
	case aliveCommand, helloCommand:
		r.answer(s.measured(r.Head.Servcmd, s.standing))
	case ackCommand:
		r.answer(nil)
	default:
		s.call(ctx, r)
	}
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
func (s *Session) call(ctx context.Context, r *request) {
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
			r.answer(s.refuseCall(ctx, err))
			return
		}
	}
	tenant := s.gateway.apps.Find(s.app)
	switch {
	case kicked != 0:
		r.answer(refusedLoggedOut())
		return
	case tenant == nil:
		r.answer(refusal(im.Errorf(im.CodeAppUnknown, "there is no application %d", s.app)))
		return
	case device != nil && s.gateway.clock.Now().After(device.Expires):
		r.answer(refusal(im.Errorf(im.CodeSigExpired, "the UserSig has expired")))
		return
	}
	r.asker = asker{session: s, device: device}
	r.call = command.Call{Actor: r.asker.actor(tenant), Turn: &r.turn, Sync: &r.asker, Session: &r.asker}
	s.gateway.registry.Begin(ctx, &r.call, r.Head.Servcmd, r.Body, func(reply []byte, _ im.Code) { r.answer(reply) })
	r.pause = r.call.Pause()
}

// actor is the actor of the session's calls: the device's account, or a guest.
func (a *asker) actor(tenant *app.Tenant) im.Actor {
	actor := im.Actor{App: tenant.App, Door: im.DoorClient, Address: a.session.address, Lite: a.session.lite, Origin: a.session.origin.Value()}
	if d := a.device; d != nil {
		actor.UserID, actor.Account, actor.Device, actor.Platform = d.Account.UserID, d.Account.ID, d.ID, d.Platform
	}
	return actor
}

// standing answers a heartbeat: all is well, or the session has ended. A client that was told to log out has been told
// by a push and is not told again.
func (s *Session) standing() ([]byte, im.Code) {
	device, kicked := s.loggedIn()
	if device != nil && kicked == 0 && s.gateway.clock.Now().After(device.Expires) {
		return refusal(im.Errorf(im.CodeSigExpired, "the UserSig has expired")), im.CodeSigExpired
	}
	return refusal(im.Errorf(im.CodeOK, "")), im.CodeOK
}
