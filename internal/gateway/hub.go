package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// hub knows which sessions of this node joined which audience, and keeps the node subscribed to the subjects of just those
// audiences (docs/adr/0008-audiences.md). A shard's mutex is taken before a session's, never after it.
type hub struct {
	gateway *Gateway
	bus     bus.Bus
	shards  [hubShards]hubShard
}

const hubShards = 64

type hubShard struct {
	mutex     sync.RWMutex
	audiences map[bus.Subject]*audience
}

// joined is a session's note of an audience that it joined. The session's mutex guards it; index changes under the shard's
// too.
type joined struct {
	id    int64
	index int32 // in the audience's members
	kind  bus.Kind
}

func (j *joined) subject() bus.Subject { return bus.Subject{Kind: j.kind, ID: j.id} }

// joinedAtMost bounds the audiences of one session.
const joinedAtMost = 5000

var (
	errTooMany  = errors.New("gateway: the connection has joined too many audiences")
	errNotThere = errors.New("gateway: who asked to join is not on the connection any more")
)

func newHub(g *Gateway, b bus.Bus) *hub {
	h := &hub{gateway: g, bus: b}
	for i := range h.shards {
		h.shards[i].audiences = map[bus.Subject]*audience{}
	}
	return h
}

func (h *hub) shard(s bus.Subject) *hubShard {
	return &h.shards[(uint64(s.ID)+uint64(s.Kind))%hubShards]
}

// bind adds the session to the audience of its account. When it returns, every node publishes the account's events here.
func (h *hub) bind(ctx context.Context, s *Session, d *device) error {
	return h.enter(ctx, s, d, event.Devices(d.Account.ID).Subject())
}

// enterWithin bounds how long a join waits for the bus.
const enterWithin = 250 * time.Millisecond

// enter is join that returns when every node publishes the subject's events here, or when the bus does not answer: then
// the gap that follows has this node's clients pull what they missed.
func (h *hub) enter(ctx context.Context, s *Session, d *device, subject bus.Subject) error {
	if err := h.join(s, d, subject); err != nil {
		return err
	}
	if subject.Kind == bus.KindLive {
		s.narrow()
	}
	return h.awaitBus(ctx)
}

// awaitBus returns when every node publishes here what was joined before, or when the bus does not answer.
func (h *hub) awaitBus(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, enterWithin)
	defer cancel()
	err := h.bus.Flush(within)
	if err == nil || ctx.Err() == nil && (errors.Is(err, bus.ErrDisconnected) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return fmt.Errorf("flush subscriptions: %w", err)
}

// join adds the session to an audience for as long as the device, nil being a guest, is logged in there.
func (h *hub) join(s *Session, d *device, subject bus.Subject) error {
	return h.joinUnless(s, d, subject, func() bool { return false })
}

// joinUnless is join that does nothing if gone says so. A leave that sets what gone looks at before it takes the session
// out is never undone by a join that began before it.
func (h *hub) joinUnless(s *Session, d *device, subject bus.Subject, gone func() bool) error {
	shard := h.shard(subject)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if gone() {
		return nil
	}
	a := shard.audiences[subject]
	if a == nil {
		if err := h.bus.Subscribe(subject, h); err != nil {
			return fmt.Errorf("subscribe to %v: %w", subject, err)
		}
		a = &audience{}
		shard.audiences[subject] = a
	}
	added, err := a.join(s, d, subject)
	if added && subject.Kind == bus.KindDevices {
		h.gateway.metrics.Sessions.Inc()
	}
	h.tidy(shard, subject)
	return err
}

// leave takes the session out of an audience that the device joined there.
func (h *hub) leave(s *Session, d *device, subject bus.Subject) {
	h.leaveUnless(s, d, subject, func() bool { return false })
}

// leaveUnless is leave that does nothing if stays says so. A join that comes after what stays looks at was set is never undone
// by a leave that began before it.
func (h *hub) leaveUnless(s *Session, d *device, subject bus.Subject, stays func() bool) {
	shard := h.shard(subject)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if stays() {
		return
	}
	a := shard.audiences[subject]
	if a == nil || !a.leave(s, d, subject) {
		return
	}
	if subject.Kind == bus.KindDevices {
		h.gateway.metrics.Sessions.Dec()
	}
	h.tidy(shard, subject)
}

// tidy forgets an audience without members; the caller holds the shard's mutex.
func (h *hub) tidy(shard *hubShard, subject bus.Subject) {
	if shard.audiences[subject].living > 0 {
		return
	}
	delete(shard.audiences, subject)
	if err := h.bus.Unsubscribe(subject); err != nil {
		h.gateway.log.Warn("unsubscribe", telemetry.FieldSubject, subject.String(), telemetry.FieldError, err)
	}
}

// part takes the session out of all audiences that the device, nil being a guest, joined there, and reports whether it
// was the device's last session on this node.
func (h *hub) part(s *Session, d *device) (last bool) {
	for _, subject := range s.subjects() {
		h.leave(s, d, subject)
		h.parted(s, d, subject)
	}
	return d != nil && !h.has(d)
}

// has reports whether a session of this node is the device's.
func (h *hub) has(d *device) bool {
	members := h.members(event.Devices(d.Account.ID).Subject())
	for i := range members {
		if m := &members[i]; m.session.Load() != nil && m.deviceID() == d.ID {
			return true
		}
	}
	return false
}

// members returns the sessions that joined a subject, for reading only. One that joins later is not in it; one that leaves becomes nil in it, or
// stays.
func (h *hub) members(subject bus.Subject) []member {
	shard := h.shard(subject)
	shard.mutex.RLock()
	defer shard.mutex.RUnlock()
	if a := shard.audiences[subject]; a != nil {
		return a.members
	}
	return nil
}

// deviceID is the number of the device that joined; 0 is a guest.
func (m *member) deviceID() im.DeviceID {
	if m.device == nil {
		return 0
	}
	return m.device.ID
}

// subjects lists what the session joined.
func (s *Session) subjects() []bus.Subject {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	list := make([]bus.Subject, len(s.joined))
	for i := range s.joined {
		list[i] = s.joined[i].subject()
	}
	return list
}
