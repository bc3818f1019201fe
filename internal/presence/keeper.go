package presence

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// One goroutine of a node, the keeper, looks at all that was heard, round after round: it has sessions join the audiences of
// those that their accounts watch, reads the states of all accounts that are concerned in one statement, and pushes those that
// are different. What is heard while a round reads is looked at in the next one. So a state that is pushed was read after what
// was pushed before it, and the last one is the truth, whatever came at once; and the number of statements grows neither with
// the watchers nor with the logins.

const (
	// tidyEvery is how often custom statuses are looked at that may be over.
	tidyEvery = 10 * time.Second
	// holdEvery is how often all that is watched on a node is held against the store. It finds the devices of a node that was
	// killed, of which nobody tells.
	holdEvery = 30 * time.Second
	// joinWithin bounds the wait for the bus; when it does not answer, a gap follows, and all is looked at again.
	joinWithin = 250 * time.Millisecond
	// retryAfter is the wait after the store has failed, which goes by its own time and not by the server's clock.
	retryAfter = time.Second
	// pushAtOnce bounds the states of one push.
	pushAtOnce = 100
)

// Sessions are the sessions of this node. The gateway has them.
type Sessions interface {
	// Watch makes the sessions of an account watch these accounts and no others. It returns those that a device did not
	// watch before.
	Watch(of im.AccountID, targets []im.AccountID) map[im.DeviceID][]im.AccountID
	// Watched reports whether a session here watches the account.
	Watched(target im.AccountID) bool
	// PushHere pushes a frame to the sessions of the audience on this node.
	PushHere(to event.Audience, frame []byte)
}

// Keep pushes what changes to this node's sessions, until ctx ends.
func (p *Presences) Keep(ctx context.Context, here Sessions) {
	tidy, hold := p.clock.NewTicker(tidyEvery), p.clock.NewTicker(holdEvery)
	defer tidy.Stop()
	defer hold.Stop()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tidy.C:
			p.warn(ctx, p.tidy(ctx))
		case <-hold.C:
			p.HearAll()
		case <-p.news.wake:
		case <-again:
		}
		again = nil
		if err := p.round(ctx, here); err != nil {
			p.warn(ctx, err)
			again = time.After(retryAfter)
		}
	}
}

func (p *Presences) warn(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "tell of presences", telemetry.FieldError, err)
	}
}

// round looks at what was heard. After an error the next round, which comes soon, looks at it again.
func (p *Presences) round(ctx context.Context, here Sessions) error {
	h := p.news.take()
	if h.empty() {
		return nil
	}
	fresh, err := p.rejoin(ctx, here, h.watches)
	if err == nil {
		err = p.tellAll(ctx, here, &h, fresh)
	}
	if err != nil {
		for _, f := range fresh { // they have joined, and were not told
			for _, id := range f.targets {
				delete(p.known, id)
				h.changed = joined(h.changed, accounts{id: true})
			}
		}
		p.news.putBack(h)
	}
	return err
}

// freshly is a device that watches accounts since this round.
type freshly struct {
	account im.AccountID
	device  im.DeviceID
	targets []im.AccountID
}

// rejoin has the sessions of accounts watch whom the store says.
func (p *Presences) rejoin(ctx context.Context, here Sessions, of accounts) (fresh []freshly, err error) {
	if len(of) == 0 {
		return nil, nil
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(of)), statesAtOnce) {
		watched, err := p.watched(ctx, some)
		if err != nil {
			return fresh, err
		}
		for _, id := range some {
			for device, targets := range here.Watch(id, watched[id]) {
				fresh = append(fresh, freshly{id, device, targets})
			}
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	within, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	err = p.router.Flush(within)
	if errors.Is(err, bus.ErrDisconnected) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return fresh, err
}

// tellAll reads the states of all that the news concern, and pushes them to those that do not know them.
func (p *Presences) tellAll(ctx context.Context, here Sessions, h *heard, fresh []freshly) error {
	watched := maps.Clone(h.changed)
	if watched == nil {
		watched = accounts{}
	}
	if h.all {
		for id := range p.known {
			watched[id] = true
		}
	}
	p.forget(here, watched)
	all := maps.Clone(watched)
	maps.Copy(all, h.custom)
	for _, f := range fresh {
		for _, id := range f.targets {
			all[id] = true
		}
	}
	states, err := p.states(ctx, slices.Collect(maps.Keys(all)))
	if err != nil {
		return err
	}
	return errors.Join(p.tellWatchers(here, watched, states), p.tellFresh(here, fresh, states), p.tellOwn(here, h.custom, states))
}

// forget drops the accounts that nobody watches here any more.
func (p *Presences) forget(here Sessions, watched accounts) {
	for id := range watched {
		if !here.Watched(id) {
			delete(p.known, id)
			delete(watched, id)
		}
	}
}

// tellWatchers pushes the states that are not those that this node's watchers know.
func (p *Presences) tellWatchers(here Sessions, watched accounts, states map[im.AccountID]state) error {
	var failed error
	for id := range watched {
		now := states[id]
		if before, told := p.known[id]; told && before == now || now.userID == "" {
			continue
		}
		p.known[id] = now
		failed = errors.Join(failed, p.push(here, event.Watchers(id), now))
	}
	return failed
}

// tellFresh pushes to devices the states of accounts that they did not watch before. If others that watch one of them know
// another state of it, they are told too.
func (p *Presences) tellFresh(here Sessions, fresh []freshly, states map[im.AccountID]state) error {
	var failed error
	for _, f := range fresh {
		list := make([]state, 0, len(f.targets))
		for _, id := range f.targets {
			now := states[id]
			if now.userID == "" {
				continue
			}
			list = append(list, now)
			if before, told := p.known[id]; told && before != now {
				failed = errors.Join(failed, p.push(here, event.Watchers(id), now))
			}
			p.known[id] = now
		}
		for some := range slices.Chunk(list, pushAtOnce) {
			failed = errors.Join(failed, p.push(here, event.Devices(f.account).Only(f.device), some...))
		}
	}
	return failed
}

// tellOwn pushes to the devices of accounts their custom statuses.
func (p *Presences) tellOwn(here Sessions, of accounts, states map[im.AccountID]state) error {
	var failed error
	for id := range of {
		if now := states[id]; now.userID != "" {
			failed = errors.Join(failed, p.push(here, event.Devices(id), now))
		}
	}
	return failed
}

func (p *Presences) push(here Sessions, to event.Audience, states ...state) error {
	list := make([]wireState, len(states))
	for i, s := range states {
		list[i] = s.wire()
	}
	frame, err := p.router.Frame(changed.Of(list))
	if err == nil {
		here.PushHere(to, frame)
	}
	return err
}
