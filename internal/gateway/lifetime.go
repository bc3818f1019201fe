package gateway

import (
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// sweepEvery is how often idle connections are looked for.
const sweepEvery = 5 * time.Second

// sweep closes the connections that are silent for too long. A client that only receives sends nothing by itself for
// minutes, so half-way to the limit it is asked with a ping, which every WebSocket answers.
func (g *Gateway) sweep(tick *clock.Ticker) {
	defer g.crew.done()
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-tick.C:
			now := g.clock.Now()
			g.each(func(s *Session) { s.check(now, g.config.IdleTimeout) })
		}
	}
}

func (g *Gateway) each(do func(s *Session)) {
	g.connections.Range(func(key, _ any) bool {
		do(key.(*Session)) // the map holds nothing else
		return true
	})
}

// Gap is for the moment after the bus may have lost events: sessions are held against the store, and clients are asked to
// sync. It does not wait for either.
func (g *Gateway) Gap() {
	select {
	case g.gaps <- struct{}{}:
	default: // an audit is due already
	}
	g.presence.HearAll()
	g.Resync()
}

// Resync asks every client to sync, because the bus lost bus messages. The requests are spread over some
// seconds, so that they do not come all at once.
func (g *Gateway) Resync() {
	encoded, err := g.router.Resync()
	if err != nil {
		g.log.Error("encode resync", telemetry.FieldError, err)
		return
	}
	if !g.crew.join() {
		return
	}
	go func() {
		defer g.crew.done()
		g.resync(&frame{payload: encoded})
	}()
}

func (g *Gateway) resync(f *frame) {
	const pause, each = 50 * time.Millisecond, 100
	n := 0
	g.connections.Range(func(key, _ any) bool {
		key.(*Session).enqueue(f) // the map holds nothing else
		if n++; n%each != 0 {
			return true
		}
		select {
		case <-g.stop:
			return false
		case <-time.After(pause):
			return true
		}
	})
}

// CloseAll closes every connection for a reason; clients come back by themselves.
func (g *Gateway) CloseAll(reason Disconnect) { g.each(func(s *Session) { s.close(reason) }) }

// Drain ends the gateway: it refuses new connections, lets the commands under way finish, tells every client to come
// back (to another node, or later to this one), and returns when none of the gateway's goroutines and timers is left, or
// the time is up. What is under way then is cut off.
func (g *Gateway) Drain(within time.Duration) {
	g.draining.Store(true)
	g.live.Draining()
	if !g.crew.dismiss() {
		return
	}
	if g.poller != nil {
		defer g.poller.close()
	}
	g.each(func(s *Session) { s.finish() })
	close(g.stop)
	gone := g.crew.gone()
	select {
	case <-gone:
		return
	case <-time.After(within):
		g.CloseAll(GoingAway)
	}
	select {
	case <-gone:
	case <-time.After(farewellTimeout):
	}
}
