package gateway

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// hub knows which sessions of this node belong to which account, and keeps the node subscribed to the events of just
// those accounts.
type hub struct {
	gateway *Gateway
	bus     bus.Bus
	shards  [hubShards]hubShard
}

const hubShards = 64

type hubShard struct {
	mutex    sync.RWMutex
	sessions map[im.AccountID][]*Session
}

func newHub(g *Gateway, b bus.Bus) *hub {
	h := &hub{gateway: g, bus: b}
	for i := range h.shards {
		h.shards[i].sessions = map[im.AccountID][]*Session{}
	}
	return h
}

func (h *hub) shard(id im.AccountID) *hubShard { return &h.shards[uint64(id)%hubShards] }

// bind adds the session to its account and closes older connections of the same device on this node. When it returns,
// every node publishes the account's events here.
func (h *hub) bind(ctx context.Context, s *Session, device *device.Device) error {
	if err := h.add(s, device); err != nil {
		return err
	}
	if err := h.bus.Flush(ctx); err != nil {
		return fmt.Errorf("flush subscriptions: %w", err)
	}
	return nil
}

func (h *hub) add(s *Session, device *device.Device) error {
	id := device.Account.ID
	shard := h.shard(id)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if len(shard.sessions[id]) == 0 {
		if err := h.bus.Subscribe(event.Devices(id).Subject(), h); err != nil {
			return fmt.Errorf("subscribe to an account's events: %w", err)
		}
	}
	if !slices.Contains(shard.sessions[id], s) {
		shard.sessions[id] = append(shard.sessions[id], s)
		h.gateway.metrics.Sessions.Inc()
	}
	return nil
}

// unbind takes the session out and tells whether it was the device's last connection here.
func (h *hub) unbind(s *Session, device *device.Device) bool {
	id := device.Account.ID
	shard := h.shard(id)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	before := len(shard.sessions[id])
	left := slices.DeleteFunc(shard.sessions[id], func(other *Session) bool { return other == s })
	h.gateway.metrics.Sessions.Add(float64(len(left) - before))
	if len(left) == 0 {
		delete(shard.sessions, id)
		if err := h.bus.Unsubscribe(event.Devices(id).Subject()); err != nil {
			h.gateway.log.Warn("unsubscribe", telemetry.FieldAccount, id, telemetry.FieldError, err)
		}
		return true
	}
	shard.sessions[id] = left
	return !slices.ContainsFunc(left, func(other *Session) bool { return other.isDevice(device.Instance) })
}

// Receive delivers an event from the bus to the sessions that it is for.
func (h *hub) Receive(subject bus.Subject, message []byte) {
	d, err := event.ReadDelivery(message)
	if err != nil {
		h.gateway.metrics.Dropped.WithLabelValues("bad-event").Inc()
		return
	}
	shard := h.shard(im.AccountID(subject.ID))
	shard.mutex.RLock()
	sessions := shard.sessions[im.AccountID(subject.ID)]
	if len(sessions) == 1 { // the usual case needs no copy
		only := sessions[0]
		shard.mutex.RUnlock()
		only.deliver(&d)
		return
	}
	all := slices.Clone(sessions)
	shard.mutex.RUnlock()
	for _, s := range all {
		s.deliver(&d)
	}
}

func (s *Session) isDevice(instance im.InstanceID) bool {
	device, _ := s.loggedIn()
	return device != nil && device.Instance == instance
}

// deliver does what an event asks of this session.
func (s *Session) deliver(d *event.Delivery) {
	bound, kicked := s.loggedIn()
	if bound == nil || kicked != 0 || bound.Instance == d.Except || (d.Only != 0 && bound.Instance != d.Only) {
		return
	}
	switch {
	case d.Replace:
		if len(d.Frame) == 8 && binary.BigEndian.Uint64(d.Frame) != s.connection() {
			s.close(Replaced)
		}
	case d.LogOut:
		s.logOut(bound, device.KickType(d.Reason), d.Frame)
	default:
		s.gateway.metrics.PushFrames.Inc()
		s.gateway.metrics.PushBytes.Add(float64(len(d.Frame)))
		s.push(bound, d)
	}
}

// logOut tells the client that its device was logged out, if it is still the one on this connection. The connection stays open until the client confirms: one that
// is cut off first would come back and log in again (docs/protocol/wire.md#traps).
func (s *Session) logOut(d *device.Device, reason device.KickType, frame []byte) {
	s.mutex.Lock()
	if s.device != d {
		s.mutex.Unlock()
		return
	}
	s.kicked, s.kickedAt = reason, time.Now()
	s.stopHolding()
	next := s.queue(frame)
	s.mutex.Unlock()
	s.after(next)
	s.gateway.hub.unbind(s, d)
}

// connection numbers this connection over all nodes.
func (s *Session) connection() uint64 {
	const nodeShift = 48
	return uint64(s.gateway.devices.Node())<<nodeShift | s.number
}
