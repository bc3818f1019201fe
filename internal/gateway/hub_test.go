package gateway

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
)

// present counts the sessions of an audience, each as often as it is in it.
func present(h *hub, subject bus.Subject) map[*Session]int {
	found := map[*Session]int{}
	members := h.members(subject)
	for i := range members {
		if s := members[i].session.Load(); s != nil {
			found[s]++
		}
	}
	return found
}

// However sessions come and go, an audience has those who joined and did not leave, each once, and it does not grow with
// those who left.
func TestAudienceKeepsItsMembers(t *testing.T) {
	const people, rounds = 200, 20_000
	r := openRoom(t, people, anyVariant)
	h, other := r.gateway.hub, event.LiveRoom(7).Subject()
	inside := map[*Session]bool{}
	for _, s := range r.sessions {
		inside[s] = true
		h.leave(s, nil, other) // it never joined
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range rounds {
		// The crowd comes and goes in waves.
		stay := 10
		if n/2000%2 == 0 {
			stay = 90
		}
		s := r.sessions[random.IntN(people)]
		if random.IntN(100) < stay {
			if err := h.join(s, nil, r.subject); err != nil {
				t.Fatal(err)
			}
			inside[s] = true
		} else {
			h.leave(s, nil, r.subject)
			delete(inside, s)
		}
		if n%100 == 0 {
			if len(inside) == 0 {
				continue
			}
			found := present(h, r.subject)
			for s := range inside {
				if found[s] != 1 || len(s.subjects()) != 1 {
					t.Fatalf("round %d: a member is there %d times", n, found[s])
				}
			}
			if len(found) != len(inside) {
				t.Fatalf("round %d: %d members, want %d", n, len(found), len(inside))
			}
			if all := len(h.members(r.subject)); all > 4*len(inside)+40 {
				t.Fatalf("round %d: %d places for %d members", n, all, len(inside))
			}
		}
	}
	for _, s := range r.sessions {
		h.part(s, nil)
	}
	if h.shard(r.subject).audiences[r.subject] != nil {
		t.Error("an audience without members is kept")
	}
	if err := h.bus.Subscribe(r.subject, h); err != nil {
		t.Errorf("the node still listens: %v", err)
	}
}

// Those who come and go while a push goes round get it once or not at all; those who stay get it.
func TestPushWhileOthersMove(t *testing.T) {
	const people, pushes = 100, 200
	r := openRoom(t, people, anyVariant)
	stay, move := r.sessions[:people/2], r.sessions[people/2:]
	var all sync.WaitGroup
	stop := make(chan struct{})
	for _, s := range move {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r.gateway.hub.leave(s, nil, r.subject)
				if err := r.gateway.hub.join(s, nil, r.subject); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range pushes {
		r.gateway.hub.Receive(r.subject, r.message)
	}
	close(stop)
	all.Wait()
	for _, s := range r.sessions {
		finished(t, s)
	}
	got := func(s *Session) int64 { return s.socket.(*sink).own.Load() }
	size := got(stay[0])
	for n, s := range stay {
		if s.variant == stay[0].variant && got(s) != size {
			t.Errorf("session %d stayed and got %d bytes, want %d", n, got(s), size)
		}
	}
	for n, s := range move {
		for _, other := range stay {
			if other.variant == s.variant && got(s) > got(other) {
				t.Errorf("session %d moved and got %d bytes, more than one that stayed: %d", n, got(s), got(other))
				break
			}
		}
	}
}

// A session may not join without end.
func TestJoinsAreBounded(t *testing.T) {
	r := openRoom(t, 1, anyVariant)
	s := r.sessions[0]
	for id := range int64(joinedAtMost - 1) {
		if err := r.gateway.hub.join(s, nil, event.LiveRoom(id).Subject()); err != nil {
			t.Fatal(err)
		}
	}
	one := event.Group(joinedAtMost).Subject()
	if err := r.gateway.hub.join(s, nil, one); err == nil {
		t.Error("there is no bound")
	}
	if r.gateway.hub.shard(one).audiences[one] != nil {
		t.Error("a refused join leaves an audience behind")
	}
	r.gateway.hub.leave(s, nil, r.subject)
	if err := r.gateway.hub.join(s, nil, one); err != nil {
		t.Errorf("after one was left: %v", err)
	}
}
