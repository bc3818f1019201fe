package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/magpietest"
)

var said = event.Define[[]string](9, "Said")

// joining is a call of the rig's second command.
type joining struct {
	Name  string
	Kind  string // the letter of the subject
	ID    int64
	Leave bool
	Waits bool   // it steps aside and waits for its door before it joins
	Stays bool   // it waits for its door when it has joined
	Fails bool   // what it does after the reply panics
	Then  string // what is said to the audience after the reply
}

func (h *rig) join(ctx context.Context, call *command.Call, j *joining) (*command.None, error) {
	if j.Waits {
		if err := call.StepAside(ctx, j.Name); err != nil {
			return nil, err
		}
		h.waitsFor(j.Name)
	}
	subject := bus.Subject{Kind: bus.Kind(j.Kind[0]), ID: j.ID}
	if j.Leave {
		call.Session.Leave(subject)
	} else if err := call.Session.Join(ctx, subject); err != nil {
		return nil, err
	}
	if j.Stays {
		h.waitsFor(j.Name)
	}
	if j.Fails {
		call.Session.AfterReply(func() { panic("after the reply") })
	}
	if j.Then != "" {
		call.Session.AfterReply(func() {
			h.mutex.Lock()
			h.met = append(h.met, "after "+j.Name)
			h.mutex.Unlock()
			_ = h.router.Push(event.Group(j.ID), said.Of([]string{j.Then}))
		})
	}
	return nil, nil
}

// waitsFor says that a call is there and waits for its door.
func (h *rig) waitsFor(name string) {
	h.mutex.Lock()
	h.met = append(h.met, name)
	h.mutex.Unlock()
	<-h.door(name)
}

func (h *rig) says(t *testing.T, to event.Audience, text string) {
	t.Helper()
	must(t, h.router.Push(to, said.Of([]string{text})))
}

func (g *guest) joins(t *testing.T, j joining) {
	t.Helper()
	g.sendsJoin(t, j)
	g.hears(t, j.Name+" 0")
}

func (g *guest) sendsJoin(t *testing.T, j joining) {
	t.Helper()
	g.write(t, M{"servcmd": "rig.join", "seq": j.Name}, M{"Name": j.Name, "Kind": j.Kind, "ID": j.ID, "Leave": j.Leave,
		"Waits": j.Waits, "Stays": j.Stays, "Fails": j.Fails, "Then": j.Then})
}

// settled lets pushes through to those who have logged in and will not pull.
func settled(t *testing.T, h *rig, guests ...*guest) {
	t.Helper()
	for _, g := range guests {
		g.write(t, M{"servcmd": "heartbeat.alive", "seq": "beat"}, M{})
		g.hears(t, "beat 0")
	}
	h.moves(4 * time.Second) // longer than pushes are held
	for _, g := range guests {
		g.beats(t)
	}
}

// A push reaches those who joined its audience, and nobody else. A guest who joined a live room is not pushed to. What is left ends.
func TestJoin(t *testing.T) {
	h := openTimedRig(t)
	alice, bob, visitor := h.enter(t, "alice"), h.enter(t, "bob"), h.visitor(t)
	settled(t, h, alice, bob)
	alice.joins(t, joining{Name: "g", Kind: "g", ID: 7})
	alice.joins(t, joining{Name: "again", Kind: "g", ID: 7})
	alice.joins(t, joining{Name: "e", Kind: "e", ID: magpietest.AppID})
	bob.joins(t, joining{Name: "l", Kind: "l", ID: 7})
	bob.joins(t, joining{Name: "e", Kind: "e", ID: magpietest.AppID})
	visitor.joins(t, joining{Name: "l", Kind: "l", ID: 7})
	visitor.joins(t, joining{Name: "e", Kind: "e", ID: magpietest.AppID})
	h.says(t, event.Group(7), "to the group")
	h.says(t, event.LiveRoom(7), "to the room")
	bob.hears(t, "pushed to the room") // pushes to different subjects have no order between them
	h.says(t, event.Everybody(magpietest.AppID), "to everybody")
	h.says(t, event.Everybody(magpietest.AppID+1), "to others")
	h.says(t, event.Group(8), "to another group")
	alice.hears(t, "pushed to the group", "pushed to everybody")
	bob.hears(t, "pushed to everybody")
	visitor.hears(t, "pushed to everybody")
	bob.joins(t, joining{Name: "l", Kind: "l", ID: 7, Leave: true})
	bob.joins(t, joining{Name: "l", Kind: "l", ID: 7, Leave: true})
	h.says(t, event.LiveRoom(7), "to who is left")
	for _, g := range []*guest{alice, bob, visitor} {
		g.beats(t)
	}
}

// A device may be left out of a group's push, or be the only one.
func TestExceptAndOnly(t *testing.T) {
	h := openTimedRig(t)
	alice, bob, visitor := h.enter(t, "alice"), h.enter(t, "bob"), h.visitor(t)
	settled(t, h, alice, bob)
	for _, g := range []*guest{alice, bob, visitor} {
		g.joins(t, joining{Name: "g", Kind: "g", ID: 7})
	}
	h.says(t, event.Group(7).Except(bob.device), "all but bob")
	h.says(t, event.Group(7).Only(bob.device), "bob alone")
	alice.hears(t, "pushed all but bob")
	bob.hears(t, "pushed bob alone")
	visitor.hears(t, "pushed all but bob")
	for _, g := range []*guest{alice, bob, visitor} {
		g.beats(t)
	}
}

// What somebody joined ends with his login, whoever is on the connection then.
func TestJoinsEndWithTheLogin(t *testing.T) {
	h := openTimedRig(t)
	leavers, stays := []*guest{h.enter(t, "alice"), h.enter(t, "bob"), h.enter(t, "carol"), h.visitor(t)}, h.enter(t, "dave")
	alice, bob, carol, visitor := leavers[0], leavers[1], leavers[2], leavers[3]
	for _, g := range append(leavers, stays) {
		g.joins(t, joining{Name: "g", Kind: "g", ID: 7})
	}
	alice.write(t, M{"servcmd": "im_open_status.wslogout", "seq": "logout"}, M{})
	alice.hears(t, "logout 0")
	bob.logIn(t, "erin")
	must(t, h.router.Kick(event.Devices(carol.account), 1, 0))
	carol.hears(t, "logged out")
	visitor.logIn(t, "frank")
	settled(t, h, append(leavers, stays)...)
	h.says(t, event.Group(7), "hi")
	stays.hears(t, "pushed hi")
	for _, g := range leavers {
		g.beats(t)
	}
	// They may join anew.
	visitor.joins(t, joining{Name: "g", Kind: "g", ID: 7})
	h.says(t, event.Group(7), "welcome")
	stays.hears(t, "pushed welcome")
	visitor.hears(t, "pushed welcome")
}

// A call that is slow does not let its caller's successor on the connection hear what was meant for the caller.
func TestJoinAfterTheLogout(t *testing.T) {
	h := openTimedRig(t)
	alice := h.enter(t, "alice")
	alice.sendsJoin(t, joining{Name: "slow", Kind: "g", ID: 7, Waits: true})
	h.meets(t, "slow")
	alice.logIn(t, "bob")
	h.open("slow")
	alice.hears(t, "slow 91000")
	settled(t, h, alice)
	h.says(t, event.Group(7), "hi")
	alice.beats(t)
}

// What is to be done after the reply is done when the reply stands before everything that follows, and not at all when
// the connection is gone.
func TestAfterReply(t *testing.T) {
	h := openTimedRig(t)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	settled(t, h, alice, bob)
	for range 50 {
		alice.sendsJoin(t, joining{Name: "g", Kind: "g", ID: 7, Then: "welcome"})
		alice.hears(t, "g 0", "pushed welcome")
	}
	bob.sendsJoin(t, joining{Name: "lost", Kind: "g", ID: 7, Then: "never", Stays: true})
	h.meets(t, "lost")
	bob.leave()
	magpietest.Eventually(t, "bob is gone", func() bool { return h.metric(t, "magpie_connections") == 1 })
	h.open("lost")
	magpietest.Eventually(t, "bob's call is answered", func() bool { return h.answered(t, "rig.join") == 51 })
	alice.beats(t)
	if h.hasMet("after lost") {
		t.Error("it was done for a connection that is gone")
	}
}

// A fault after the reply ends the connection, behind the reply, and nobody else notices.
func TestAfterReplyFails(t *testing.T) {
	h := openTimedRig(t)
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	alice.sendsJoin(t, joining{Name: "g", Kind: "g", ID: 7, Fails: true})
	alice.hears(t, "g 0")
	if why := <-alice.closed; !strings.Contains(why, "4400") {
		t.Errorf("closed with %q", why)
	}
	bob.beats(t)
}

// A group and its sessions leave nothing behind: neither a place in the hub nor a subscription.
func TestJoinsLeaveNothingBehind(t *testing.T) {
	h := openTimedRig(t)
	stays := h.visitor(t)
	for range 5 {
		var all []*guest
		for range 20 {
			g := h.visitor(t)
			g.joins(t, joining{Name: "g", Kind: "g", ID: 7})
			all = append(all, g)
		}
		for _, g := range all {
			g.leave()
		}
	}
	magpietest.Eventually(t, "all are gone", func() bool { return h.metric(t, "magpie_connections") == 1 })
	// A subject that nobody joined may be subscribed to by anybody.
	magpietest.Eventually(t, "the node listens no more", func() bool {
		err := h.bus.Subscribe(event.Group(7).Subject(), deaf{})
		return err == nil
	})
	stays.beats(t)
}

type deaf struct{}

func (deaf) Receive(bus.Subject, []byte) {}
