package gateway

import (
	"context"
	"errors"
	"time"

	devices "github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// auditEvery is how often a node's sessions are held against the store, and so for how long a session may be served whose
// end the bus has lost.
const auditEvery = 30 * time.Second

// Audit ends the sessions whose UserSig has ended, and holds this node's others against the store, until ctx ends: every
// auditEvery, and after each gap of the bus. What ends a session is told by the bus, which may lose it; the store is the
// truth.
func (g *Gateway) Audit(ctx context.Context) {
	tick := g.clock.NewTicker(auditEvery)
	defer tick.Stop()
	for turn := uint64(0); ; turn++ {
		gap := false
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-g.gaps:
			gap = true
		}
		if err := g.audit(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "audit", telemetry.FieldError, err)
		}
		g.holdGroups(ctx, gap, turn)
	}
}

func (g *Gateway) audit(ctx context.Context) error {
	var bound []*device
	on := map[*device]*Session{}
	g.connections.Range(func(each, _ any) bool {
		s := each.(*Session)
		d, kicked := s.loggedIn()
		switch {
		case d == nil || kicked != 0:
		case d.Over(g.apps.Find(s.app), g.clock.Now()):
			s.close(Expired)
		default:
			bound = append(bound, d)
			on[d] = s
		}
		return true
	})
	fallen, err := g.devices.HoldAgainst(ctx, bound)
	for _, f := range fallen {
		g.log.InfoContext(ctx, "the bus did not end a session", telemetry.FieldAccount, f.Device.Account.ID, telemetry.FieldReason, f.Why)
		on[f.Device].fall(f)
	}
	return err
}

// fall ends the device's login on this session, if it is still here, as a bus message should have done.
func (s *Session) fall(f devices.Fallen) {
	if current, kicked := s.loggedIn(); current != f.Device || kicked != 0 {
		return
	}
	var kicked *devices.KickedError
	switch {
	case errors.Is(f.Why, devices.ErrReplaced):
		s.close(Replaced)
	case errors.As(f.Why, &kicked) && kicked.Reason != devices.LoggedOut:
		text, err := s.gateway.router.KickFrame(int(kicked.Reason), kicked.By)
		if err != nil {
			s.gateway.log.Error("encode a logout", telemetry.FieldError, err)
			s.close(LoggedOut)
			return
		}
		s.tellKicked(f.Device, kicked.Reason, &frame{payload: text})
	default:
		s.close(LoggedOut)
	}
}
