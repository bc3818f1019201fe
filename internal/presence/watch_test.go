package presence_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// Who watches others is told their states at once, and then each that is different from the one before.
func TestWatch(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		alice.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": []string{"bob"}}, nil)
		wants(t, alice, "bob 3")
		bob := s.Login(t, "bob")
		wants(t, alice, "bob 1")
		say(t, bob, "忙碌 busy")
		wants(t, alice, "bob 1 忙碌 busy")
		// A second device changes nothing that anybody sees, so the next that is told is what comes after it.
		phone := s.Login(t, "bob", magpietest.Platform(android))
		logOut(t, bob)
		say(t, phone, "on the way")
		wants(t, alice, "bob 1 on the way")
		phone.Close()
		wants(t, alice, "bob 2 on the way")
		back := s.Connect(t, magpietest.Platform(android))
		if e := back.Resume(t, "bob", phone.Session); e.ErrorCode != 0 {
			t.Fatalf("come back: %+v", e)
		}
		wants(t, alice, "bob 1 on the way")
		logOut(t, back)
		wants(t, alice, "bob 3 on the way")
	})
}

// A kick by the back end, and the end of the account, are told too.
func TestWatchKicked(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Login(t, "bob")
		alice := watcher(t, s, "alice", "bob")
		s.MustREST(t, "im_open_login_svc/kick", M{"UserID": "bob"}, nil)
		wants(t, alice, "bob 3")
		again := s.Connect(t)
		if e := again.TryLogin(t, "bob", s.UserSigAt(t, "bob", s.Now().Add(time.Second), time.Hour)); e.ErrorCode != 0 {
			t.Fatalf("log in after the kick: %+v", e)
		}
		wants(t, alice, "bob 1")
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "bob"}}}, nil)
		wants(t, alice, "bob 3")
	})
}

// What an account watches it watches on all its devices, and after it came back without its asking again.
func TestWatchesStay(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Import(t, "carol")
		alice := watcher(t, s, "alice", "bob", "carol")
		phone := s.Login(t, "alice", magpietest.Platform(android))
		if got := told(t, phone); got != "bob 3, carol 3" && got != "carol 3, bob 3" {
			t.Errorf("the second device is told %q", got)
		}
		alice.Close()
		bob := s.Login(t, "bob")
		wants(t, phone, "bob 1")
		back := s.Connect(t)
		if e := back.Resume(t, "alice", alice.Session); e.ErrorCode != 0 {
			t.Fatalf("come back: %+v", e)
		}
		back.Pull(t, "")
		if got := told(t, back); got != "bob 1, carol 3" && got != "carol 3, bob 1" {
			t.Errorf("who comes back is told %q", got)
		}
		phone.MustCall(t, "im_open_status.ws_status_unsubscribe", M{"To_Account": []string{"bob"}}, nil)
		logOut(t, bob)
		s.Login(t, "carol")
		for _, c := range []*Conn{phone, back} { // of bob they are told nothing
			wants(t, c, "carol 1")
		}
		phone.MustCall(t, "im_open_status.ws_status_unsubscribe", M{"UnsubscribeAll": 1}, nil)
		s.Login(t, "bob")
		phone.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": []string{"alice"}}, nil)
		wants(t, phone, "alice 1")
	})
}

// An account that watches too many stops watching those that it has watched longest.
func TestWatchesAreBounded(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "presence.watched", "2")
		s.Import(t, "carol", "dave")
		alice := watcher(t, s, "alice", "bob", "carol")
		alice.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": []string{"bob", "dave", "dave"}}, nil)
		wants(t, alice, "dave 3")
		s.Login(t, "carol")
		s.Login(t, "dave")
		wants(t, alice, "dave 1")
		s.Login(t, "bob")
		wants(t, alice, "bob 1")
	})
}

// Replies and refusals of the commands.
func TestWatchReplies(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		many := make([]string, 501)
		for i := range many {
			many[i] = fmt.Sprint("user", i)
		}
		for _, name := range []string{"ws_get_user_status", "ws_status_subscribe", "ws_status_unsubscribe"} {
			var reply struct {
				UserStatusList []M
				ErrorList      []M
			}
			alice.MustCall(t, "im_open_status."+name, M{"To_Account": []string{"nobody", "bob", "bob"}}, &reply)
			if got := fmt.Sprint(reply.ErrorList); got != "[map[ErrorCode:70107 ErrorInfo:the account does not exist To_Account:nobody]]" {
				t.Errorf("%s: ErrorList is %s", name, got)
			}
			if name == "ws_get_user_status" && lines(t, reply.UserStatusList) != "bob 3" {
				t.Errorf("%s: UserStatusList is %v", name, reply.UserStatusList)
			}
			most := 100
			if name == "ws_get_user_status" {
				most = 500
			}
			for _, row := range []struct {
				users []string
				code  int
			}{{nil, 70206}, {many[:most+1], 70206}, {many[:most], 0}} {
				if e := alice.Call(t, "im_open_status."+name, M{"To_Account": row.users}, nil); e.ErrorCode != row.code {
					t.Errorf("%s of %d accounts: answered %+v, want %d", name, len(row.users), e, row.code)
				}
			}
		}
		if bits := alice.Session.PurchaseBits; bits[len(bits)-8] != '1' {
			t.Errorf("the feature's bit 7 is not set in %s", bits)
		}
	})
}

// Switched off, clients are refused, and nobody watches any more who logs in.
func TestPresenceOff(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := watcher(t, s, "alice", "bob")
		s.Configure(t, "presence.served", "off")
		for _, name := range []string{"ws_get_user_status", "ws_status_subscribe", "ws_status_unsubscribe"} {
			for _, body := range []M{{"To_Account": []string{"bob"}}, {"UnsubscribeAll": 1}} {
				if e := alice.Call(t, "im_open_status."+name, body, nil); e.ErrorCode != 72001 {
					t.Errorf("%s: answered %+v, want 72001", name, e)
				}
			}
		}
		back := s.Login(t, "alice")
		s.Login(t, "bob")
		say(t, back, "still here") // and nothing of bob before it
	})
}

// Whatever comes and goes at the same moment, the last that a watcher is told is the truth.
func TestWatchersEndWithTheTruth(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "login.web_instances", "10")
		alice := watcher(t, s, "alice", "bob")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 5 {
					c := s.Login(t, "bob")
					c.MustCall(t, "im_open_status.ws_set_custom_status", M{"CustomStatus": fmt.Sprint("device ", i)}, nil)
					logOut(t, c)
				}
			})
		}
		all.Wait()
		bob := s.Login(t, "bob")
		bob.MustCall(t, "im_open_status.ws_set_custom_status", M{"CustomStatus": "the last"}, nil)
		for told(t, alice) != "bob 1 the last" {
		}
		if got := states(t, alice, "bob"); got != "bob 1 the last" {
			t.Errorf("asked for, bob is %q", got)
		}
		bob.Close()
		wants(t, alice, "bob 3 the last")
	})
}
