package gateway

import (
	"maps"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// A client that logs in counts the messages of its sync (getmsg), and adds every push to them: a message that comes both
// ways between login and the sync's reply would be counted twice. So pushes are held back from login until the sync is
// answered, and those that it covers are dropped (docs/protocol/wire.md#offline-sync).
type held struct {
	pushes []*frame
	bytes  int
	covers map[int64]int64 // by the pull's pages so far: the newest sequence of each chat
	pulled bool            // the pull is answered
	timer  *timer
}

// covered reports whether the client has the message from its sync.
func (h *held) covered(s event.Sequence) bool { return s.Number != 0 && s.Number <= h.covers[s.Chat] }

const (
	// holdAtMost is for clients that never sync.
	holdAtMost = 3 * time.Second
	// settleFor lets a client take in the sync's reply before it sees the next push.
	settleFor = 30 * time.Millisecond
)

// startHolding begins with a login; the caller holds the mutex.
func (s *Session) startHolding() {
	if s.login.holding != nil {
		return
	}
	h := &held{}
	s.login.holding = h
	h.timer = s.gateway.crew.after(holdAtMost, func() { s.release(h) })
}

// stopHolding drops what is held, with the login that it was for; the caller holds the mutex.
func (s *Session) stopHolding() {
	if s.login.holding != nil {
		s.login.holding.timer.stop()
		s.login.holding = nil
	}
}

// push hands a push to the session if it still belongs to the device, nil being a guest, and reports whether it does. The
// push is written, or kept back if the time for it has not come. What is held counts against the same bound as what waits
// to be written.
func (s *Session) push(to *device, f *frame) bool {
	s.mutex.Lock()
	if !s.login.is(to) || s.phase == over {
		s.mutex.Unlock()
		return false
	}
	if h := s.login.holding; h != nil && h.bytes+f.size() <= s.gateway.config.WriteQueueBytes {
		h.pushes = append(h.pushes, f)
		h.bytes += f.size()
		s.mutex.Unlock()
		return true
	}
	o := s.queue(f)
	s.mutex.Unlock()
	o.start()
	return true
}

// Pending implements [command.Sync].
func (a *asker) Pending() bool {
	s := a.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.login.holding != nil && !s.login.holding.pulled
}

// Report implements [command.Sync].
func (a *asker) Report(page command.SyncReport) {
	s := a.session
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.login.holding
	s.pages++
	if page.Again && s.login.is(a.device) {
		s.askAgain(a.device)
	}
	if h == nil && page.After != nil {
		f := &frame{payload: page.After}
		s.gateway.crew.after(settleFor, func() { s.push(a.device, f) })
	}
	if h == nil || !s.login.is(a.device) {
		return
	}
	if h.covers == nil {
		h.covers = map[int64]int64{}
	}
	maps.Copy(h.covers, page.UpTo)
	if page.After != nil {
		h.pushes = append(h.pushes, &frame{payload: page.After})
	}
	if page.Done {
		h.pulled = true
		h.timer.reset(settleFor)
	} else {
		h.timer.reset(holdAtMost)
	}
}

// askAgain tells the client to sync again once it has taken in the page, unless it has by itself until then. That push
// is not held back, as the client goes on only by it; the caller holds the mutex.
func (s *Session) askAgain(d *device) {
	answered := s.pages
	s.gateway.crew.after(settleFor, func() {
		encoded, err := s.gateway.router.Resync()
		if err != nil {
			s.gateway.log.Error("encode resync", telemetry.FieldError, err)
			return
		}
		s.mutex.Lock()
		var o *outbox
		if s.login.is(d) && s.phase != over && s.pages == answered {
			o = s.queue(&frame{payload: encoded})
		}
		s.mutex.Unlock()
		o.start()
	})
}

// release writes what was held and is not covered; from then on pushes go straight through.
func (s *Session) release(h *held) {
	s.mutex.Lock()
	if s.login.holding != h {
		s.mutex.Unlock()
		return
	}
	s.login.holding = nil
	var o *outbox
	for _, f := range h.pushes {
		if h.covered(f.brings) {
			continue
		}
		if fresh := s.queue(f); fresh != nil {
			o = fresh
		}
	}
	s.mutex.Unlock()
	o.start()
}
