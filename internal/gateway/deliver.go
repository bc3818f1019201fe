package gateway

import (
	"encoding/binary"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// Receive implements [bus.Handler]: it delivers an event to the sessions of this node that it is for. It makes one frame
// for all of them; one more session costs a place in its outbox and a write.
func (h *hub) Receive(subject bus.Subject, message []byte) {
	d, err := event.ReadBusMessage(message)
	own, group := subject.Kind == bus.KindDevices, subject.Kind == bus.KindGroup || subject.Kind == bus.KindLive
	if err != nil || (d.Kick || d.Replace || d.Join) && !own || d.Leave && !own && !group || d.Empty && !group ||
		d.Presence != 0 && !own && subject.Kind != bus.KindWatch {
		h.gateway.metrics.Dropped.WithLabelValues("bad-event").Inc()
		return
	}
	if subject.Kind == bus.KindLive {
		if !d.Leave && !d.Empty {
			h.gateway.live.Heard(subject, d.Frame)
		}
		h.gateway.give(walk{subject, d})
		return
	}
	switch {
	case d.Leave && group:
		for _, one := range d.Accounts {
			h.gateway.leaveAtOnce(event.Devices(one).Subject(), subject)
		}
		return
	case d.Empty:
		h.gateway.empty(subject)
		return
	case d.Presence != 0:
		h.gateway.presence.Heard(im.AccountID(subject.ID), d.Presence)
		return
	case d.Join, d.Leave:
		h.gateway.regroup(subject, event.Group(d.Group).Subject(), d.Join)
		return
	}
	f := &frame{payload: d.Frame, brings: d.Brings}
	if d.Replace || d.Kick {
		h.end(subject, &d, f)
		return
	}
	h.pushTo(subject, f, d.For)
}

// pushTo hands a frame to those sessions that joined the subject and are meant.
func (h *hub) pushTo(subject bus.Subject, f *frame, meant func(im.DeviceID) bool) {
	members := h.members(subject)
	pushed := 0
	for i := range members {
		m := &members[i]
		if s := m.session.Load(); s != nil && meant(m.deviceID()) && s.push(m.device, f) {
			pushed++
		}
	}
	h.gateway.metrics.PushFrames.Add(float64(pushed))
	h.gateway.metrics.PushBytes.Add(float64(pushed * f.size()))
}

// end ends logins, or connections that another one replaces.
func (h *hub) end(subject bus.Subject, d *event.BusMessage, f *frame) {
	members := h.members(subject)
	for i := range members {
		m := &members[i]
		s := m.session.Load()
		switch {
		case s == nil || !d.For(m.deviceID()):
		case d.Replace:
			s.replace(m.device, d.Frame)
		default:
			s.tellKicked(m.device, kick(d.Reason), f)
		}
	}
}

// replace closes the session if its device is back with another session, which stays.
func (s *Session) replace(d *device, stays []byte) {
	s.mutex.Lock()
	same := s.login.is(d)
	s.mutex.Unlock()
	if same && len(stays) == 8 && binary.BigEndian.Uint64(stays) != s.connection() {
		s.close(Replaced)
	}
}

// tellKicked tells the client that its device was kicked. The connection stays open until the client confirms: one
// that is cut off first would come back and log in again (docs/protocol/wire.md#traps).
func (s *Session) tellKicked(d *device, reason kick, f *frame) {
	s.mutex.Lock()
	if !s.login.is(d) {
		s.mutex.Unlock()
		return
	}
	s.login.kicked, s.login.since = reason, uint32(s.gateway.clock.Now().Unix())
	s.stopHolding()
	o := s.queue(f)
	s.mutex.Unlock()
	o.start()
	s.gateway.hub.part(s, d)
}

// connection is a number of this session that no other session of any node has.
func (s *Session) connection() uint64 {
	const nodeShift = 48
	return uint64(s.gateway.devices.Node())<<nodeShift | s.number
}
