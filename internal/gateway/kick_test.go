package gateway_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// Alice logs in on a second browser. The first is told, stays connected until it has said that it understood, and its
// session never works again: one that was simply cut off would come back and log the second out in turn
// (docs/protocol/wire.md#traps).
func TestKickedByAnotherLogin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first, bob := s.Login(t, "alice"), s.Login(t, "bob")
		second := s.Login(t, "alice")
		if reason := first.Kicked(t); reason != 1 {
			t.Errorf("the first browser was told %d, want 1", reason)
		}
		first.Open(t)
		first.MustCall(t, "heartbeat.alive", M{}, nil)
		s.Send(t, "bob", "alice", "hi")
		second.Sees(t, "bob → alice: hi")
		first.NoFrame(t, "the first browser is pushed a message", func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_push.msg_push" })

		// Its network fails before it could answer: it comes back, is told why, and says that it understood.
		lost := s.Connect(t)
		var told struct{ KickType int }
		credentials := M{"a2": first.Session.A2Key, "tinyid": first.Session.TinyID, "status_instid": first.Session.InstID}
		if e := lost.CallWith(t, credentials, "im_open_status.wslogin", M{"State": "Online"}, &told); e.ErrorCode != 1002 || told.KickType != 1 {
			t.Errorf("it comes back: answered %+v with KickType %d, want 1002 with 1", e, told.KickType)
		}
		if e := lost.CallWith(t, credentials, "im_open_status.wslogout", M{"wslogout_type": 1}, nil); e.ErrorCode != 0 {
			t.Errorf("it says that it understood: answered %+v", e)
		}
		first.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 1, "is_web_uniapp": 0}, nil)
		first.Open(t)

		second.SeesNothing(t)
		bob.SeesNothing(t)
		if got := status(t, s, "alice"); got != "Online" {
			t.Errorf("alice is %s", got)
		}
		// The same connection may log in anew; then it is the second one's turn.
		first.Login(t, "alice")
		if reason := second.Kicked(t); reason != 1 {
			t.Errorf("the second browser was told %d, want 1", reason)
		}
	})
}

// One that does not say that it understood is cut off after a while, and stays out.
func TestKickedAndDeaf(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m))
	first := s.Login(t, "alice")
	s.Login(t, "alice")
	first.Kicked(t)
	m.Advance(13 * time.Second) // its fifteen count from the beginning of a second
	first.MustCall(t, "heartbeat.alive", M{}, nil)
	first.Open(t)
	m.Advance(8 * time.Second)
	wantClosed(t, first, gateway.LoggedOut)
	if e := s.Connect(t).Resume(t, "alice", first.Session); e.ErrorCode != 1002 {
		t.Errorf("it comes back: answered %+v, want 1002", e)
	}
}

// Kicked by REST while requests are under way: they are answered or refused, and nothing is served afterwards.
func TestKickedByREST(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil)
		if reason := alice.Kicked(t); reason != 3 {
			t.Errorf("alice was told %d, want 3", reason)
		}
		if e := alice.Call(t, "openim.sendmsg", magpietest.Message("alice", "bob", "ghost"), nil); e.ErrorCode == 0 {
			t.Error("a message of the kicked one was taken")
		}
		bob.SeesNothing(t)
		s.Send(t, "bob", "alice", "are you there")
		alice.NoFrame(t, "the kicked one is pushed a message", func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_push.msg_push" })
	})
}
