package gateway_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// Nothing is served before a login but heartbeats; a login that is refused leaves the connection open for another.
func TestBeforeLogin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := s.Connect(t)
		for _, servcmd := range []string{"openim.sendmsg", "openim.getmsg", "profile.portrait_get_all", "recentcontact.page_get", "no.such"} {
			if e := c.Call(t, servcmd, M{"To_Account": "bob"}, nil); e.ErrorCode != 20002 {
				t.Errorf("%s: answered %+v, want 20002", servcmd, e)
			}
		}
		for _, servcmd := range []string{"heartbeat.alive", "im_open_status.wshello", "im_open_status.wslogout"} {
			if e := c.Call(t, servcmd, M{}, nil); e.ErrorCode != 0 {
				t.Errorf("%s: answered %+v, want success", servcmd, e)
			}
		}
		now := time.Now()
		for _, row := range []struct {
			name, userID, sig string
			code              int
		}{
			{"no signature", "alice", "", 70002},
			{"garbage", "alice", "garbage", 70003},
			{"half of it", "alice", s.UserSig(t, "alice")[:60], 70003},
			{"oversized", "alice", strings.Repeat("x", 15_000), 70003},
			{"expired", "alice", s.UserSigAt(t, "alice", now.Add(-2*time.Hour), time.Hour), 70001},
			{"another user's", "alice", s.UserSig(t, "bob"), 70013},
			{"nobody's", "", s.UserSig(t, "bob"), 70013},
			{"a name that is too long", strings.Repeat("x", 33), s.UserSig(t, "bob"), 70013},
			{"a name with a line feed", "a\nb", s.UserSig(t, "bob"), 70013},
			{"with blanks around it", "alice", " " + s.UserSig(t, "alice") + "\n", 0},
		} {
			if e := c.TryLogin(t, row.userID, row.sig); e.ErrorCode != row.code {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		c.Pull(t, "")
		c.SeesNothing(t)
	})
}

// Logging out ends the session for good and keeps the connection, on which somebody else may log in.
func TestLogout(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := s.Login(t, "alice")
		old := c.Session
		c.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 0, "is_web_uniapp": 0}, nil)
		if e := c.CallWith(t, M{}, "openim.getmsg", M{"Cookie": ""}, nil); e.ErrorCode != 20002 {
			t.Errorf("after the logout: answered %+v, want 20002", e)
		}
		if e := s.Connect(t).Resume(t, "alice", old); e.ErrorCode != 70001 {
			t.Errorf("the old session: answered %+v, want 70001", e)
		}
		c.MustCall(t, "im_open_status.wslogout", M{}, nil) // again, as after a reconnect
		c.Login(t, "bob")
		s.Send(t, "alice", "bob", "hi")
		c.Sees(t, "alice → bob: hi")
		s.Send(t, "bob", "alice", "hi")
		c.SeesNothing(t)
	})
}

// A connection that logs in again as somebody else leaves the first one's account.
func TestLoginOverLogin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := s.Login(t, "alice")
		old := c.Session
		c.Login(t, "bob")
		s.Send(t, "bob", "alice", "for alice")
		s.Send(t, "alice", "bob", "for bob")
		c.Sees(t, "alice → bob: for bob")
		if e := s.Connect(t).Resume(t, "alice", old); e.ErrorCode != 70001 {
			t.Errorf("the first session: answered %+v, want 70001", e)
		}
		if got := status(t, s, "alice"); got != "Offline" {
			t.Errorf("alice is %s", got)
		}
	})
}

// What waited for one user of a connection never reaches the next one.
func TestHeldPushesGoWithTheirUser(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server, m *clock.Manual) {
		c := s.Connect(t)
		if e := c.TryLogin(t, "alice", s.UserSig(t, "alice")); e.ErrorCode != 0 { // who never pulls
			t.Fatal(e)
		}
		s.Send(t, "bob", "alice", "secret")
		c.MustCall(t, "im_open_status.wslogout", M{}, nil)
		c.Login(t, "bob")
		m.Advance(time.Second)
		s.Send(t, "alice", "bob", "hi")
		c.Sees(t, "alice → bob: hi")
		m.Advance(3200 * time.Millisecond) // as long as pushes are held at most
		c.SeesNothing(t)
	})
}

// A device comes back with its session, on the same server and after a restart, and keeps its number.
func TestReconnect(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %v", restart), func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				first := s.Login(t, "bob")
				if restart {
					s.Restart(t)
					wantClosed(t, first, gateway.GoingAway)
				} else {
					first.Close()
				}
				s.Send(t, "alice", "bob", "meanwhile")
				second := s.Connect(t)
				if e := second.Resume(t, "bob", first.Session); e.ErrorCode != 0 {
					t.Fatalf("come back: %+v", e)
				}
				if second.Session.InstID != first.Session.InstID || second.Session.TinyID != first.Session.TinyID ||
					second.Session.A2Key == "" || second.Session.TimeStamp == 0 {
					t.Errorf("came back as %+v, was %+v", second.Session, first.Session)
				}
				if got := second.Pull(t, first.Cookie); !slices.Contains(got.Lines, "alice → bob: meanwhile") {
					t.Errorf("pulled %q", got.Lines)
				}
				s.Send(t, "alice", "bob", "now")
				second.Sees(t, "alice → bob: now")
				// And once more, with the session that the reconnect gave.
				second.Close()
				third := s.Connect(t)
				if e := third.Resume(t, "bob", second.Session); e.ErrorCode != 0 {
					t.Errorf("come back again: %+v", e)
				}
			})
		})
	}
}

// After a reconnect the client sends what was pending before its login is answered, and all with the session's token
// only. It is served, once.
func TestRequestsBeforeTheLoginAnswer(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first, bob := s.Login(t, "alice"), s.Login(t, "bob")
		message := magpietest.With(magpietest.Message("alice", "bob", "pending"), M{"MsgSeq": 5, "MsgClientTime": 1795238798})
		credentials := M{"a2": first.Session.A2Key, "tinyid": first.Session.TinyID, "status_instid": first.Session.InstID}
		first.Write(t, first.Request(t, With(credentials, M{"seq": 501}), "openim.sendmsg", message))
		first.Answer(t, "openim.sendmsg", 501)
		first.Close()

		second := s.Connect(t)
		second.Write(t, second.Request(t, With(credentials, M{"seq": 501}), "openim.sendmsg", message))
		second.Write(t, second.Request(t, With(credentials, M{"seq": 502}), "im_open_status.wslogin", M{"State": "Online"}))
		second.Write(t, second.Request(t, With(credentials, M{"seq": 503}), "openim.sendmsg",
			With(message, M{"MsgSeq": 6, "MsgBody": magpietest.Text("second")})))
		for seq, servcmd := range map[int64]string{501: "openim.sendmsg", 502: "im_open_status.wslogin", 503: "openim.sendmsg"} {
			if body := second.Answer(t, servcmd, seq); codeOf(t, body) != 0 {
				t.Errorf("request %d: answered %s", seq, body)
			}
		}
		bob.Sees(t, "alice → bob: pending", "alice → bob: second")
		if got := status(t, s, "alice"); got != "Online" {
			t.Errorf("alice is %s", got)
		}
	})
}

// With is magpietest.With.
func With(object, more M) M { return magpietest.With(object, more) }

// A login that is sent again on the connection where it succeeded is answered like the first time and changes nothing.
func TestLoginTwice(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first := s.Login(t, "alice")
		first.Close()
		c := s.Connect(t)
		for range 2 {
			if e := c.Resume(t, "alice", first.Session); e.ErrorCode != 0 || c.Session.InstID != first.Session.InstID {
				t.Errorf("answered %+v as %+v", e, c.Session)
			}
		}
		c.Pull(t, "")
		s.Send(t, "bob", "alice", "once")
		c.Sees(t, "bob → alice: once")
	})
}

// One device has one connection: its newer one replaces the older, which must not come to life again by itself.
func TestReplaced(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		older, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2))
		newer := s.Connect(t)
		if e := newer.Resume(t, "alice", older.Session); e.ErrorCode != 0 {
			t.Fatalf("come back: %+v", e)
		}
		wantClosed(t, older, gateway.Replaced)
		newer.Pull(t, "")
		s.Send(t, "bob", "alice", "hi")
		newer.Sees(t, "bob → alice: hi")
		phone.Sees(t, "bob → alice: hi")
		if got := status(t, s, "alice"); got != "Online" {
			t.Errorf("alice is %s", got)
		}
	})
}

// A session ends with the signature that it was opened with: commands, hellos and coming back say so.
func TestSignatureExpires(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Connect(t)
		if e := alice.TryLogin(t, "alice", s.UserSigAt(t, "alice", time.Now().Add(-time.Hour), time.Hour+2*time.Second)); e.ErrorCode != 0 {
			t.Fatalf("log in: %+v", e)
		}
		alice.Pull(t, "")
		time.Sleep(3100 * time.Millisecond)
		for _, servcmd := range []string{"openim.getmsg", "im_open_status.wshello"} {
			if e := alice.Call(t, servcmd, M{}, nil); e.ErrorCode != 70001 {
				t.Errorf("%s: answered %+v, want 70001", servcmd, e)
			}
		}
		if e := s.Connect(t).Resume(t, "alice", alice.Session); e.ErrorCode != 70001 {
			t.Errorf("come back: answered %+v, want 70001", e)
		}
		// A new login on the same connection goes on.
		alice.Login(t, "alice")
		s.Send(t, "bob", "alice", "hi")
		alice.Sees(t, "bob → alice: hi")
	})
}

// A server comes back, and all its clients with it, at once: each is logged in and gets what it missed.
func TestAllComeBackAtOnce(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const many = 60
		names, before := make([]string, many), make([]*Conn, many)
		for i := range names {
			names[i] = fmt.Sprint("user", i)
		}
		s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": names}, nil)
		for i, name := range names {
			before[i] = s.Login(t, name)
		}
		s.Restart(t)
		for _, name := range names {
			s.Send(t, "alice", name, "meanwhile")
		}
		var all sync.WaitGroup
		for i, name := range names {
			all.Go(func() {
				c := s.Connect(t)
				if e := c.Resume(t, name, before[i].Session); e.ErrorCode != 0 {
					t.Errorf("%s comes back: %+v", name, e)
					return
				}
				if got := c.Pull(t, before[i].Cookie); !slices.Contains(got.Lines, "alice → "+name+": meanwhile") {
					t.Errorf("%s pulled %q", name, got.Lines)
				}
			})
		}
		all.Wait()
	})
}

// Acknowledging a push is not answered, whatever is in it.
func TestPushAck(t *testing.T) {
	s := start(t)
	alice := s.Login(t, "alice")
	for _, body := range []string{`{"SessionData":"opaque"}`, `{}`, `null`, `[]`, `"x"`} {
		alice.Write(t, fmt.Appendf(nil, `{"head":{"servcmd":"openim.ws_msg_push_ack","seq":77},"body":%s}`, body))
	}
	alice.MustCall(t, "heartbeat.alive", M{}, nil)
	alice.NoFrame(t, "an acknowledgement is answered", func(f *magpietest.Frame) bool { return f.Seq == "77" })
}

// Large frames are compressed for clients that can read that, small ones never are, and nothing for others.
func TestCompression(t *testing.T) {
	s := start(t)
	inflating, plain := s.Login(t, "alice", magpietest.Inflating()), s.Login(t, "alice", magpietest.Platform(2))
	for _, row := range []struct {
		text   string
		packed bool
	}{{"short", false}, {strings.Repeat("long and dull ", 200), true}} {
		s.Send(t, "bob", "alice", row.text)
		push := func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_push.msg_push" }
		for c, want := range map[*Conn]bool{inflating: row.packed, plain: false} {
			f := c.Next(t, "the push comes", push)
			if packed := bytes.HasPrefix(f.Raw, []byte("COMP")); packed != want || !bytes.Contains(f.Text, []byte(row.text)) {
				t.Errorf("%.10q: %d bytes that begin %.10q, want compressed %v", row.text, len(f.Raw), f.Raw, want)
			}
			if row.packed && want && len(f.Raw) > len(f.Text)/4 {
				t.Errorf("%d bytes became %d", len(f.Text), len(f.Raw))
			}
		}
	}
	// Answers as well as pushes.
	inflating.MustCall(t, "openim.getroammsg", M{"Peer_Account": "bob", "MaxCnt": 15}, nil)
}

// A server that stops answers what it has begun, and tells its clients to come back.
func TestDrain(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, silent := s.Login(t, "alice"), s.Login(t, "bob"), s.Connect(t)
		const messages = 40
		for n := range messages {
			alice.Write(t, alice.Request(t, M{"a2": alice.Session.A2Key, "seq": 5000 + n}, "openim.sendmsg",
				With(magpietest.Message("alice", "bob", fmt.Sprint(n)), M{"MsgSeq": n})))
		}
		s.Stop(t)
		for _, c := range []*Conn{alice, bob, silent} {
			wantClosed(t, c, gateway.GoingAway)
		}
		answered := alice.Arrived(func(f *magpietest.Frame) bool { return f.Servcmd == "openim.sendmsg" && codeOf(t, f.Body) == 0 })
		s.Restart(t)
		back := s.Login(t, "bob")
		got := 0
		for _, item := range historyOf(t, s, "bob", "alice") {
			if item.From == "alice" {
				got++
			}
		}
		if got < answered {
			t.Errorf("%d messages were acknowledged, and %d are there", answered, got)
		}
		t.Logf("%d of %d were acknowledged, %d are stored", answered, messages, got)
		back.SeesNothing(t)
	})
}
