package gateway

import (
	"context"
	"errors"

	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// confirm asks the store once more whether the device stands, now that the session is in the hub: a kick, a deletion or
// another login that came between the login's commit and the binding told only sessions that were in the hub. If the store cannot be
// asked, undo is called.
func (s *Session) confirm(ctx context.Context, d *device, undo func(context.Context, *device)) error {
	if d.Over(s.gateway.apps.Find(s.app), s.gateway.clock.Now()) { // the key was exchanged meanwhile
		s.logOut(ctx, d)
		return im.Errorf(im.CodeSigExpired, "the UserSig's key does not count any more")
	}
	err := s.gateway.devices.Standing(ctx, d)
	var kicked *devices.KickedError
	switch {
	case err == nil:
		if err = s.gateway.enterGroups(ctx, s); err == nil {
			s.gateway.presence.Heard(d.Account.ID, event.WatchesChanged)
			s.gateway.hub.comeBack(ctx, s, d)
			return nil
		}
		undo(ctx, d)
	case errors.As(err, &kicked):
		s.part(d)
	case errors.Is(err, devices.ErrReplaced):
		s.part(d)
		s.close(Replaced)
		return errOver
	default:
		undo(ctx, d)
	}
	return err
}

// part takes the device off this connection and leaves its login as it is.
func (s *Session) part(d *device) {
	s.leaveLogin()
	s.gateway.hub.part(s, d)
}

// leaveLogin makes the session a guest's.
func (s *Session) leaveLogin() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.login.device, s.login.kicked, s.login.since = nil, 0, uint32(s.gateway.clock.Now().Unix())
	s.stopHolding()
}
