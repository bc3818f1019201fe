package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// on gives the keys of a visit.
func on(keys ...string) []string { return keys }

// While one conversation waits, the others of the connection go on, and what follows in the same one waits for it.
func TestAsideHoldsUpItsOwnOnly(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true}, visit{Name: "a2", InTurn: on("a")}, visit{Name: "a3", Aside: on("a")},
		visit{Name: "b1", InTurn: on("b")})
	alice.hears(t, "b1 0")
	alice.asks(t, visit{Name: "b2", Aside: on("b"), Waits: true}, visit{Name: "c1"})
	alice.hears(t, "c1 0")
	h.open("b2")
	alice.hears(t, "b2 0")
	if h.hasMet("a2") || h.hasMet("a3") {
		t.Error("the second of a conversation did not wait for the first")
	}
	h.open("a1")
	alice.hears(t, "a1 0", "a2 0", "a3 0")
	alice.asks(t, visit{Name: "a4", InTurn: on("a")})
	alice.hears(t, "a4 0")
}

// However they ask, the calls with one key are served and answered in the order in which they came.
func TestTurnsKeepTheOrder(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	const rounds = 20
	for round := range rounds {
		var names, answers []string
		for n := range 12 {
			v := visit{Name: fmt.Sprintf("%d.%d", round, n), Waits: true}
			if n%3 == 1 {
				v.InTurn = on("a")
			} else {
				v.Aside = on("a")
			}
			names, answers = append(names, v.Name), append(answers, v.Name+" 0")
			alice.asks(t, v)
		}
		h.meets(t, names[0])
		h.open(names[1:]...)
		h.open(names[0])
		alice.hears(t, answers...)
		h.mutex.Lock()
		if got := h.met[len(h.met)-len(names):]; !slices.Equal(got, names) {
			t.Errorf("served in the order %q", got)
		}
		h.mutex.Unlock()
	}
}

// Thirty-two calls of a connection may be aside; the next one holds up those behind it, and nobody else.
func TestAsideIsBounded(t *testing.T) {
	h := openRig(t)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	const bound = 32
	var aside []string
	for n := range bound + 1 {
		aside = append(aside, fmt.Sprint("k", n))
		alice.asks(t, visit{Name: aside[n], Aside: on(aside[n]), Waits: true})
	}
	h.meets(t, aside...)
	alice.asks(t, visit{Name: "behind"})
	alice.beats(t)
	bob.asks(t, visit{Name: "elsewhere"})
	bob.hears(t, "elsewhere 0")
	if h.hasMet("behind") {
		t.Error("more calls are aside than the bound")
	}
	h.open(aside[bound])
	alice.hears(t, aside[bound]+" 0", "behind 0")
	// There is one place again when one is answered, and a call at the bound keeps the order all the same.
	h.open(aside[0])
	alice.hears(t, aside[0]+" 0")
	alice.asks(t, visit{Name: "free", Aside: on("k0"), Waits: true}, visit{Name: "full", Aside: on("k0")}, visit{Name: "last"})
	h.meets(t, "free")
	alice.beats(t)
	if h.hasMet("full") || h.hasMet("last") {
		t.Error("the call at the bound did not wait for its turn")
	}
	h.open("free")
	alice.hears(t, "free 0", "full 0", "last 0")
	h.open(aside[1:bound]...)
}

// A server that stops waits for the calls that are aside, and lets their answers out before it says goodbye. Those of
// a connection that is lost it waits for as well.
func TestDrainWaitsForThoseAside(t *testing.T) {
	h := openRig(t)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true}, visit{Name: "a2", Aside: on("a"), Waits: true})
	bob.asks(t, visit{Name: "lost", Aside: on("a"), Waits: true})
	h.meets(t, "a1", "lost")
	alice.beats(t) // a2 has come
	bob.leave()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		h.gateway.Drain(20 * time.Second)
	}()
	h.turnedAway(t)
	magpietest.Eventually(t, "no more requests are taken", func() bool { return !alice.isHeard(t) })
	h.open("a1")
	h.meets(t, "a2")
	h.open("a2")
	alice.hears(t, "a1 0", "a2 0")
	if why := <-alice.closed; !strings.Contains(why, "1001") {
		t.Errorf("closed with %q", why)
	}
	select {
	case <-drained:
		t.Error("it did not wait for the call of the connection that was lost")
	case <-time.After(50 * time.Millisecond):
	}
	h.open("lost")
	<-drained
}

// A handler that panics is answered as ever, and its place in the line goes to the next.
func TestPanicAside(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true, Panics: true}, visit{Name: "a2", InTurn: on("a")}, visit{Name: "b1"})
	alice.hears(t, "b1 0")
	h.open("a1")
	alice.hears(t, "a1 91000", "a2 0")
	// Still one lane, which serves one after the other.
	alice.asks(t, visit{Name: "c1", Waits: true}, visit{Name: "c2"})
	h.meets(t, "c1")
	alice.beats(t)
	if h.hasMet("c2") {
		t.Error("c2 did not wait for c1")
	}
	h.open("c1")
	alice.hears(t, "c1 0", "c2 0")
}

// A panic outside of the handler ends the connection, the calls that are aside are finished, and others see nothing of it.
func TestPanicOfAReplyAside(t *testing.T) {
	h := openRig(t)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true, BadReply: true}, visit{Name: "a2", InTurn: on("a")}, visit{Name: "b1"})
	alice.hears(t, "b1 0")
	h.open("a1")
	alice.hears(t, "a1 91000", "a2 0")
	h.meets(t, "a2")
	bob.asks(t, visit{Name: "c1"})
	bob.hears(t, "c1 0")
}

// One that gives up waiting for its turn is answered, and lets nobody pass those before it.
func TestGivingUpInTheLine(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true}, visit{Name: "a2", InTurn: on("a"), GivesUp: true},
		visit{Name: "a3", InTurn: on("a")}, visit{Name: "a4", Aside: on("a")})
	alice.hears(t, "a2 91000")
	alice.beats(t)
	if h.hasMet("a2") || h.hasMet("a3") {
		t.Error("a1 was passed")
	}
	h.open("a1")
	alice.hears(t, "a1 0", "a3 0", "a4 0")
}

// A call may ask for its turn again, but has one key only.
func TestOneKeyForACall(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "same", Aside: on("a", "a"), InTurn: on("a")})
	alice.hears(t, "same 0")
	alice.asks(t, visit{Name: "first", Aside: on("a"), Waits: true}, visit{Name: "late", InTurn: on("b", "a")})
	h.open("first")
	alice.hears(t, "first 0", "late 0")
	alice.asks(t, visit{Name: "two", Aside: on("a", "b")})
	alice.hears(t, "two 91000")
	alice.asks(t, visit{Name: "after", Aside: on("a"), InTurn: on("a")})
	alice.hears(t, "after 0")
}

// A logout does not wait for a call that is aside, and does not end it: it was allowed when it was taken.
func TestLogoutBesideACallAside(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "a1", Aside: on("a"), Waits: true}, visit{Name: "a2", InTurn: on("a")})
	h.meets(t, "a1")
	alice.write(t, M{"servcmd": "im_open_status.wslogout", "seq": "logout"}, M{})
	alice.hears(t, "logout 0")
	alice.asks(t, visit{Name: "a3", InTurn: on("a")})
	alice.hears(t, "a3 20002")
	h.open("a1")
	alice.hears(t, "a1 0", "a2 0")
}

// A heartbeat passes the requests that wait. A message that only has the heartbeat's name in it does not.
func TestOnlyHeartbeatsPass(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	alice.asks(t, visit{Name: "first", Waits: true}, visit{Name: "second", Text: "heartbeat.alive"})
	h.meets(t, "first")
	alice.beats(t)
	if h.hasMet("second") {
		t.Error("a message passed the one before it")
	}
	h.open("first")
	alice.hears(t, "first 0", "second 0")
}
