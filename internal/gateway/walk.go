package gateway

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
)

// What is pushed to a live room goes to many sessions at once. A walker goes round them: for one more member there is no
// goroutine, no copy and no place in an outbox, but one write that does not wait, as long as nothing else is being written to
// the session. What a socket does not take whole is finished by the session's outbox; a member that has fallen behind skips.

// walkers are the goroutines that go round live rooms. A room is always one walker's, so that its pushes keep their order.
type walkers struct {
	each []walker
}

// walker is one of them, with what is to be pushed.
type walker struct {
	jobs   chan walk
	parked []*Session // those that have taken a part of a push

	mutex sync.Mutex
	rooms map[bus.Subject]int // the walks of each room that have not ended
}

// walk is a bus message for a live room.
type walk struct {
	room    bus.Subject
	message event.BusMessage
}

const (
	// walksMost is how many walks of one walker wait; a push from the bus that comes when as many wait is dropped.
	walksMost = 1024
	// napAfter and nap are how often a walker rests, and how long, so that ordinary sessions are served meanwhile.
	napAfter = 64
	nap      = 20 * time.Microsecond
	// behindMost is how many bytes may wait for a session that gets more of a live room.
	behindMost = 64 << 10
)

// startWalkers begins the walkers, one for each processor.
func (g *Gateway) startWalkers() {
	g.walkers.each = make([]walker, runtime.GOMAXPROCS(0))
	for i := range g.walkers.each {
		w := &g.walkers.each[i]
		w.jobs, w.rooms = make(chan walk, walksMost), map[bus.Subject]int{}
		g.crew.add()
		go w.run(g)
	}
}

func (g *Gateway) walkerOf(room bus.Subject) *walker {
	return &g.walkers.each[uint64(room.ID)%uint64(len(g.walkers.each))]
}

// Walking reports whether a push to a live room is going round still.
func (g *Gateway) Walking(room bus.Subject) bool {
	w := g.walkerOf(room)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.rooms[room] > 0
}

// give has a bus message for a live room taken round. Who is to leave the room does so in any case: at once, if the walker is
// behind.
func (g *Gateway) give(one walk) {
	w := g.walkerOf(one.room)
	w.count(one.room, 1)
	select {
	case w.jobs <- one:
	default:
		w.count(one.room, -1)
		if one.message.Leave || one.message.Empty {
			g.hub.takeOut(&one)
			return
		}
		g.metrics.Dropped.WithLabelValues("live-walk").Inc()
	}
}

func (w *walker) count(room bus.Subject, by int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.rooms[room] += by; w.rooms[room] == 0 {
		delete(w.rooms, room)
	}
}

// run takes what is to be pushed round until the gateway stops, and writes what sockets have not taken whole.
func (w *walker) run(g *Gateway) {
	defer g.crew.done()
	rest, retry := time.NewTimer(nap), time.NewTimer(parkedRetry)
	defer rest.Stop()
	defer retry.Stop()
	for {
		var again <-chan time.Time
		if len(w.parked) > 0 {
			again = retry.C
		}
		select {
		case <-g.stop:
			return
		case one := <-w.jobs:
			w.parked = append(w.parked, g.hub.walk(&one, rest)...)
			w.count(one.room, -1)
		case <-again:
			w.parked = slices.DeleteFunc(w.parked, (*Session).retryLate)
			retry.Reset(parkedRetry)
		}
	}
}

// walk does what a bus message for a live room asks, and gives the sessions that have taken a part of a push.
func (h *hub) walk(one *walk, rest *time.Timer) (parked []*Session) {
	if one.message.Leave || one.message.Empty {
		h.takeOut(one)
		return nil
	}
	return h.pushRound(one.room, &one.message, rest)
}

// takeOut has accounts leave a live room, or everybody.
func (h *hub) takeOut(one *walk) {
	if one.message.Empty {
		h.gateway.empty(one.room)
		return
	}
	for _, account := range one.message.Accounts {
		h.gateway.leaveAtOnce(event.Devices(account).Subject(), one.room)
	}
}

// livePush is a push of a live room, and how many messages it brings.
type livePush struct {
	room    bus.Subject
	carried event.Carried
}

// pushRound pushes to whoever is in a live room.
func (h *hub) pushRound(room bus.Subject, d *event.BusMessage, rest *time.Timer) (parked []*Session) {
	f := &frame{payload: d.Frame, live: &livePush{room, d.Carries()}}
	members := h.members(room)
	given, skipped := 0, 0
	for i := range members {
		m := &members[i]
		s := m.session.Load()
		if s == nil || !d.For(m.deviceID()) {
			continue
		}
		outcome, left := s.pushLive(m.device, f)
		switch outcome {
		case livePushed:
			given++
		case liveParked:
			given++
			parked = append(parked, s)
		case liveSkipped:
			skipped++
		case liveGone:
		}
		h.gateway.takeBack(left)
		if i%napAfter == napAfter-1 {
			rest.Reset(nap)
			<-rest.C
		}
	}
	h.gateway.metrics.PushFrames.Add(float64(given))
	h.gateway.metrics.PushBytes.Add(float64(given * f.size()))
	h.gateway.metrics.LiveSkipped.Add(float64(skipped))
	h.gateway.live.Walked(room, f.live.carried, given, skipped)
	return parked
}

// takeBack counts pushes as skipped that had been given to a session, which has not begun to write them.
func (g *Gateway) takeBack(left []*frame) {
	for _, one := range left {
		g.metrics.LiveSkipped.Inc()
		g.live.Walked(one.live.room, one.live.carried, -1, 1)
	}
}

// liveOutcome is what became of a push to one session in a live room.
type liveOutcome uint8

const (
	liveGone liveOutcome = iota // it is not for this session any more
	livePushed
	liveParked  // the socket has taken a part of it
	liveSkipped // the session has fallen behind
)

// pushLive writes a push of a live room to the session, if that needs no wait and nothing else is being written to it. The mutex is
// held over the write: who has no outbox under it is written to by nobody else, and the descriptor is not closed meanwhile. left are
// pushes that were given before and are skipped now.
func (s *Session) pushLive(to *device, f *frame) (outcome liveOutcome, left []*frame) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case to == nil, !s.login.is(to), s.phase >= leaving: // a guest asks for what is said
		return liveGone, nil
	case s.login.holding != nil:
		return s.login.holding.keepLive(f), nil
	case !s.retry():
		return liveSkipped, nil
	case s.outbox != nil:
		left = s.outbox.catchUp(f)
		if n := len(left); n > 0 && left[n-1] == f {
			return liveSkipped, left[:n-1]
		}
		return livePushed, left
	case s.closed || s.gateway.poller == nil || s.descriptor == noDescriptor || !isPlain(s.socket):
		s.queue(f).start()
		return livePushed, nil
	}
	return s.writeLive(f), nil
}

// writeLive writes a push to a session that nothing else is being written to; the caller holds the mutex.
func (s *Session) writeLive(f *frame) liveOutcome {
	bytes := f.wire(s.variant, s.gateway.config.CompressAbove)
	n, fault := sendNow(s.descriptor, bytes)
	switch {
	case n == len(bytes):
		return livePushed
	case n <= 0 && fault == nil:
		return liveSkipped
	case n > 0: // the rest has to come before anything else
		s.park(bytes[n:])
		return liveParked
	}
	s.queue(f).start() // it fails there, which ends the connection
	return liveGone
}

// keepLive keeps a push of a live room back with the others, as far as there is room; the caller holds the session's mutex.
func (h *held) keepLive(f *frame) liveOutcome {
	if h.bytes+f.size() > behindMost {
		return liveSkipped
	}
	h.pushes = append(h.pushes, f)
	h.bytes += f.size()
	return livePushed
}
