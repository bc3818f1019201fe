package gateway

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/command"
	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// device is the device that is logged in on a session.
type device = devices.Device

// kick is why a device was told to log out; 0 is none.
type kick = devices.KickType

// login is the device that is logged in on a session, and the state of its login. The session's mutex guards it.
type login struct {
	device  *device // nil before login and after logout: a guest
	kicked  kick    // why the device was told to log out, until it confirms
	since   uint32  // the unix second of that, or from which on there is a guest
	holding *held   // keeps pushes back until the client has pulled; see held
}

// is reports whether the session is still the device's, nil being a guest, and the device was not told to log out.
func (l *login) is(d *device) bool { return l.device == d && l.kicked == 0 }

// loggedIn returns the device that is logged in on this connection, and why it was told to log out, if it was.
func (s *Session) loggedIn() (*device, kick) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.login.device, s.login.kicked
}

type loginReply struct {
	Token         string `json:"A2Key"`
	TinyID        string `json:"TinyId"`
	Device        int64  `json:"InstId"`
	HelloInterval int    `json:"HelloInterval"`
	Time          int64  `json:"TimeStamp"`
	CustomStatus  string `json:"CustomStatus"`
	Features      string `json:"PurchaseBits"`
}

// LoginReply is the type of what a client is told that logs in.
func LoginReply() reflect.Type { return reflect.TypeFor[loginReply]() }

// logIn logs a device in by its UserSig, or brings it back by its token.
func (s *Session) logIn(ctx context.Context, r *request) ([]byte, im.Code) {
	tenant, err := s.tenant()
	if err != nil {
		return s.refuseLogin(ctx, r, err)
	}
	device, err := s.admit(ctx, tenant, &r.Head)
	if err != nil {
		return s.refuseLogin(ctx, r, err)
	}
	custom, err := s.gateway.presence.Greet(ctx, device.Account.ID)
	if err != nil { // the login stands, and the client asks for more than this
		s.gateway.log.WarnContext(ctx, "read a custom status", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
	}
	body, err := command.Encode(&loginReply{
		Token: device.Token, TinyID: strconv.FormatInt(int64(device.Account.ID), 10), Device: int64(device.ID),
		HelloInterval: int(s.gateway.config.HelloInterval / time.Second), Time: s.gateway.clock.Now().Unix(),
		CustomStatus: custom, Features: s.gateway.registry.Features(),
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

func (s *Session) admit(ctx context.Context, tenant *app.Tenant, h *head) (*device, error) {
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
		if err := s.endLogin(ctx, current); err != nil {
			return nil, err
		}
	}
	device, err := s.gateway.devices.LogIn(ctx, devices.Login{
		// A signature copied with blanks around it is still that signature.
		Tenant: tenant, UserID: h.Identifier, UserSig: strings.TrimSpace(h.UserSig), Platform: im.Platform(s.platform), Address: s.address,
	})
	if err != nil {
		return nil, err
	}
	return device, s.enter(ctx, device, s.undoLogin)
}

// resume brings a device back and makes every node close the connection that it had before.
func (s *Session) resume(ctx context.Context, tenant *app.Tenant, token string) (*device, error) {
	device, err := s.gateway.devices.Resume(ctx, tenant, token, s.address)
	if err != nil {
		return nil, err
	}
	if err := s.enter(ctx, device, s.undoReturn); err != nil {
		return nil, err
	}
	if err := s.gateway.router.Replace(device.Account.ID, device.ID, s.connection()); err != nil {
		s.gateway.log.Warn("close a device's older connection", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
	}
	return device, nil
}

// undoLogin ends a login whose client is told of a failure in place of its token.
func (s *Session) undoLogin(ctx context.Context, d *device) { s.logOut(ctx, d) }

// undoReturn takes a device off that was coming back. Its login stands, so that it can try again.
func (s *Session) undoReturn(_ context.Context, d *device) {
	s.leaveLogin()
	s.lose(d, 0)
}

// enter makes the device this session's. A session that ended while the login was served is not joined to any subject. After a
// failure of the bus or of the store undo has been called.
func (s *Session) enter(ctx context.Context, d *device, undo func(context.Context, *device)) error {
	s.mutex.Lock()
	before, ended := s.login, s.phase == over
	if !ended {
		s.login.device, s.login.kicked = d, 0
		s.startHolding()
	}
	s.mutex.Unlock()
	if ended {
		s.lose(d, 0)
		return errOver
	}
	s.gateway.hub.part(s, before.device) // what it joined as a guest, say
	err := s.gateway.hub.bind(ctx, s, d)
	switch {
	case errors.Is(err, errOver):
		return err
	case err != nil:
		undo(ctx, d)
		return err
	}
	return s.confirm(ctx, d, undo)
}

// logOut ends the login of the device on this session, as far as the store can be told.
func (s *Session) logOut(ctx context.Context, device *device) {
	if err := s.endLogin(ctx, device); err != nil {
		s.gateway.log.WarnContext(ctx, "log out", telemetry.FieldAccount, device.Account.ID, telemetry.FieldError, err)
		s.part(device)
	}
}

// endLogin ends the login of the device in the store, and then on this session. After an error it stands. The store is told also of
// one that was kicked: a slow bus may bring a kick that is older than the login.
func (s *Session) endLogin(ctx context.Context, device *device) error {
	if err := s.gateway.devices.LogOut(ctx, device); err != nil {
		return err
	}
	s.part(device)
	return nil
}

// logout ends the login and keeps the connection, on which the client may log in again.
func (s *Session) logout(ctx context.Context) ([]byte, im.Code) {
	if device, _ := s.loggedIn(); device != nil {
		if err := s.endLogin(ctx, device); err != nil {
			return s.refuse(ctx, err)
		}
	}
	return refusal(im.Errorf(im.CodeOK, "")), im.CodeOK
}
