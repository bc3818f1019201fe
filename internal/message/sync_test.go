package message_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// wantPulled compares what a device pulls with lines, and the counts with unread.
func wantPulled(t *testing.T, got magpietest.Pulled, unread map[string]int, lines ...string) {
	t.Helper()
	if !slices.Equal(got.Lines, lines) {
		t.Errorf("pulled %q, want %q", got.Lines, lines)
	}
	if !maps.Equal(got.Unread, unread) {
		t.Errorf("unread %v, want %v", got.Unread, unread)
	}
}

// connectAs logs a user in and leaves the pulling to the test.
func connectAs(t *testing.T, s *Server, userID string) *magpietest.Conn {
	t.Helper()
	c := s.Connect(t)
	if e := c.TryLogin(t, userID, s.UserSig(t, userID)); e.ErrorCode != 0 {
		t.Fatalf("log in: %+v", e)
	}
	return c
}

// A device that is new here gets what is unread, in order, and the counts.
func TestPullOfANewDevice(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "read already")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		nextSecond()
		s.Send(t, "alice", "bob", "one")
		s.Send(t, "alice", "bob", "two")
		s.Send(t, "bob", "alice", "my own")
		s.Send(t, "carol", "bob", "hello")
		s.SendWith(t, magpietest.Message("carol", "bob", "typing"), M{"OnlineOnlyFlag": 1})
		s.SendWith(t, magpietest.Message("carol", "bob", "not counted"), M{"SendMsgControl": []string{"NoUnread"}})
		bob := connectAs(t, s, "bob")
		wantPulled(t, bob.Pull(t, ""), map[string]int{"alice": 2, "carol": 1},
			"alice → bob: one", "alice → bob: two", "carol → bob: hello", "carol → bob: not counted")
		// Nothing happened since; the counts are the same.
		if again := bob.Pull(t, bob.Cookie); !maps.Equal(again.Unread, map[string]int{"alice": 2, "carol": 1}) {
			t.Errorf("pulled again, the counts are %v", again.Unread)
		}
	})
}

// A device that was away gets what came meanwhile, its own account's messages from elsewhere included, and the recalls.
// What is repeated from a little before its cookie, clients drop.
func TestPullAfterAnAbsence(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		early := s.Send(t, "alice", "bob", "early")
		bob := s.Login(t, "bob")
		cookie := bob.Cookie
		bob.Close()
		s.Send(t, "alice", "bob", "one")
		s.SendWith(t, magpietest.Message("bob", "alice", "from the office"), M{"SyncOtherMachine": 1})
		late := s.Send(t, "carol", "bob", "a stranger")
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", early.MsgKey), nil)
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("carol", "bob", late.MsgKey), nil)

		back := connectAs(t, s, "bob")
		got := back.Pull(t, cookie)
		for _, line := range []string{
			"alice → bob: one", "bob → alice: from the office",
			recallLine("alice", "bob", early.MsgKey, magpietest.Admin), recallLine("carol", "bob", late.MsgKey, magpietest.Admin),
		} {
			if !slices.Contains(got.Lines, line) {
				t.Errorf("pulled %q, want %q among it", got.Lines, line)
			}
		}
		if one, mine := slices.Index(got.Lines, "alice → bob: one"), slices.Index(got.Lines, "bob → alice: from the office"); one > mine {
			t.Errorf("pulled in the order %q", got.Lines)
		}
		if !maps.Equal(got.Unread, map[string]int{"alice": 1}) {
			t.Errorf("unread %v, want one of alice", got.Unread)
		}
	})
}

// What was not for this device's eyes is not pulled either.
func TestPullLeavesOut(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob, alice := s.Login(t, "bob"), s.Login(t, "alice")
		bob.Close()
		alice.Close()
		s.SendWith(t, magpietest.Message("alice", "bob", "typing"), M{"OnlineOnlyFlag": 1})
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "long ago", 1500000000, 2), nil)
		s.SendWith(t, magpietest.Message("bob", "alice", "not in my name"), M{"SyncOtherMachine": 2})
		wantPulled(t, connectAs(t, s, "bob").Pull(t, bob.Cookie), map[string]int{})
		wantPulled(t, connectAs(t, s, "alice").Pull(t, alice.Cookie), map[string]int{"bob": 1}, "bob → alice: not in my name")
	})
}

// MsgLifeTime is how long a device that is away still gets a message; history keeps it.
func TestPullAfterLifeTime(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		bob.Close()
		s.SendWith(t, magpietest.Message("alice", "bob", "short-lived"), M{"MsgLifeTime": 1})
		s.SendWith(t, magpietest.Message("alice", "bob", "lasting"), M{"MsgLifeTime": 600})
		time.Sleep(2100 * time.Millisecond)
		for _, cookie := range []string{"", bob.Cookie} {
			got := connectAs(t, s, "bob").Pull(t, cookie)
			if !slices.Equal(got.Lines, []string{"alice → bob: lasting"}) {
				t.Errorf("pulled %q after its life time", got.Lines)
			}
		}
		wantHistory(t, s, "bob", "alice", "alice → bob: short-lived", "alice → bob: lasting")
	})
}

// Much to pull comes in several pages, everything once.
func TestPullPages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const chats, each = 110, 2
		bob := s.Login(t, "bob")
		bob.Close()
		names := make([]string, chats)
		for i := range names {
			names[i] = fmt.Sprintf("peer%03d", i)
		}
		for some := range slices.Chunk(names, 100) {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
		}
		for n := range each {
			for _, name := range names {
				s.MustREST(t, "openim/batchsendmsg", batch(name, fmt.Sprint(n), "bob"), nil)
			}
		}
		for _, cookie := range []string{"", bob.Cookie} {
			got := connectAs(t, s, "bob").Pull(t, cookie)
			seen := map[string]int{}
			for _, line := range got.Lines {
				seen[line]++
			}
			for _, name := range names {
				for n := range each {
					if line := fmt.Sprintf("%s → bob: %d", name, n); seen[line] != 1 {
						t.Fatalf("cookie %q: %q was pulled %d times", cookie, line, seen[line])
					}
				}
				if got.Unread[name] != each {
					t.Fatalf("%s has %d unread messages, want %d", name, got.Unread[name], each)
				}
			}
		}
	})
}

// A cookie is the server's own text; with any other a device counts as new.
func TestPullWithGarbage(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		for _, cookie := range []string{"garbage", "1.2.3", "1.2.3.4.5", "-1.-1.-1.-1", "a.b.c.d",
			"99999999999999999999.1.1.1", "0.0.0.0"} {
			got := connectAs(t, s, "bob").Pull(t, cookie)
			if !slices.Equal(got.Lines, []string{"alice → bob: hi"}) {
				t.Errorf("cookie %q: pulled %q", cookie, got.Lines)
			}
		}
		// One that claims to be from the future brings nothing and breaks nothing.
		connectAs(t, s, "bob").Pull(t, "9223372036854775807.9223372036854775807.0.0")
		bob := connectAs(t, s, "bob")
		if e := bob.Call(t, "openim.getmsg", M{"Cookie": 5}, nil); e.ErrorCode != 90010 {
			t.Errorf("a number as a cookie: answered %+v, want 90010", e)
		}
	})
}

// Between login and pull a client would count a message twice that comes both ways. It comes one way.
func TestPullAndPushDoNotOverlap(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := connectAs(t, s, "bob")
		s.Send(t, "alice", "bob", "before the pull")
		got := bob.Pull(t, "")
		s.Send(t, "alice", "bob", "after the pull")
		wantPulled(t, got, map[string]int{"alice": 1}, "alice → bob: before the pull")
		bob.Sees(t, "alice → bob: after the pull")
	})
}

// A client that never pulls is pushed to all the same, after a little while.
func TestPushesWithoutPull(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := connectAs(t, s, "bob")
		s.Send(t, "alice", "bob", "one")
		s.Send(t, "alice", "bob", "two")
		bob.Sees(t, "alice → bob: one", "alice → bob: two")
	})
}
