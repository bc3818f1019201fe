package gateway

import (
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
)

// A client that logs in counts what its first pull (getmsg) brings, and adds every push to that: a message that comes
// both ways between login and the pull's answer would be counted twice. So pushes are held back from login until the
// pull is answered, and those that it covers are dropped (docs/protocol/wire.md#offline-sync).
type held struct {
	pushes []heldPush
	bytes  int
	covers map[int64]int64 // by the pull's first page: the newest sequence of each chat
	pulled bool            // the pull is answered
	timer  *time.Timer
}

type heldPush struct {
	place event.Sequence
	frame []byte
}

// covered reports whether the client has the message from its pull.
func (h *held) covered(p event.Sequence) bool { return p.Number != 0 && p.Number <= h.covers[p.Chat] }

const (
	// holdAtMost is for clients that never pull.
	holdAtMost = 3 * time.Second
	// settleFor lets a client take in the pull's answer before it sees the next push.
	settleFor = 30 * time.Millisecond
)

// startHolding begins with a login; the caller holds the mutex.
func (s *Session) startHolding() {
	if s.holding != nil {
		return
	}
	h := &held{}
	s.holding = h
	h.timer = time.AfterFunc(holdAtMost, func() { s.release(h) })
}

// stopHolding drops what is held, with the login that it was for; the caller holds the mutex.
func (s *Session) stopHolding() {
	if s.holding != nil {
		s.holding.timer.Stop()
		s.holding = nil
	}
}

// push writes a push to the device if it is still the one on this connection, or keeps it back if the time for it has
// not come. What is held counts against the same bound as what waits to be written.
func (s *Session) push(device *device.Device, d *event.Delivery) {
	s.mutex.Lock()
	if s.device != device {
		s.mutex.Unlock()
		return
	}
	if h := s.holding; h != nil && h.bytes+len(d.Frame) <= s.gateway.config.WriteQueueBytes {
		h.pushes = append(h.pushes, heldPush{d.Brings, d.Frame})
		h.bytes += len(d.Frame)
		s.mutex.Unlock()
		return
	}
	next := s.queue(d.Frame)
	s.mutex.Unlock()
	s.after(next)
}

// syncing is how a pull tells what it covers, while pushes are held back, and what is to be pushed after it; it
// implements [command.Sync] for the device that is logged in on the session.
type syncing struct {
	session *Session
	device  *device.Device
}

// Pending implements [command.Sync].
func (y *syncing) Pending() bool {
	s := y.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.holding != nil && !s.holding.pulled
}

// Report implements [command.Sync].
func (y *syncing) Report(page command.SyncReport) {
	s := y.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.holding
	if h == nil && page.After != nil {
		time.AfterFunc(settleFor, func() { s.push(y.device, &event.Delivery{Frame: page.After}) })
	}
	if h == nil || s.device != y.device {
		return
	}
	if page.UpTo != nil {
		h.covers = page.UpTo
	}
	if page.After != nil {
		h.pushes = append(h.pushes, heldPush{frame: page.After})
	}
	if page.Done {
		h.pulled = true
		h.timer.Reset(settleFor)
	}
}

// release writes what was held and is not covered; from then on pushes go straight through.
func (s *Session) release(h *held) {
	s.mutex.Lock()
	if s.holding != h {
		s.mutex.Unlock()
		return
	}
	s.holding = nil
	next := nothing
	for _, p := range h.pushes {
		if !h.covered(p.place) {
			next = max(next, s.queue(p.frame))
		}
	}
	s.mutex.Unlock()
	s.after(next)
}
