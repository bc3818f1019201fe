package message_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	timedStory(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "read already")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		s.NextSecond(t)
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

// A device that was away gets what came meanwhile, its own account's messages from elsewhere included. What was recalled
// or read meanwhile it is pushed afterwards, because the web client takes it in no other way.
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
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "alice", "Peer_Account": "bob"}, nil)

		back := connectAs(t, s, "bob")
		got := back.Pull(t, cookie)
		// From a little before the cookie messages come again; clients drop what they have.
		want := []string{"alice → bob: early (recalled by administrator)", "alice → bob: one", "bob → alice: from the office",
			"carol → bob: a stranger (recalled by administrator)"}
		slices.SortStableFunc(got.Lines, byConversation) // whose own order stays
		wantPulled(t, got, map[string]int{"alice": 1}, want...)
		var pushed []string
		for _, p := range back.Pushes(t) {
			pushed = append(pushed, strings.Split(p.String(), " up to ")[0])
		}
		for _, line := range []string{
			recallLine("alice", "bob", early.MsgKey, magpietest.Admin), recallLine("carol", "bob", late.MsgKey, magpietest.Admin),
			"alice has read",
		} {
			if !slices.Contains(pushed, line) {
				t.Errorf("afterwards it was pushed %q, want %q among it", pushed, line)
			}
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
	timedStory(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		bob.Close()
		s.SendWith(t, magpietest.Message("alice", "bob", "short-lived"), M{"MsgLifeTime": 1})
		s.SendWith(t, magpietest.Message("alice", "bob", "lasting"), M{"MsgLifeTime": 600})
		s.Pass(t, 2100*time.Millisecond)
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

// byConversation puts bob's lines with alice before those with carol.
func byConversation(x, y string) int {
	with := func(line string) bool { return strings.Contains(line, "carol") }
	switch {
	case with(x) == with(y):
		return 0
	case with(x):
		return 1
	default:
		return -1
	}
}

// Very much to pull after an absence comes in several pages too, each conversation in order, everything once.
func TestPullVeryMuch(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		bob.Close()
		const messages = 1100
		alice, carol := s.Login(t, "alice"), s.Login(t, "carol")
		for n := range messages / 2 {
			for _, c := range []*magpietest.Conn{alice, carol} {
				c.Write(t, c.Request(t, M{"a2": c.Session.A2Key, "seq": 1000 + n}, "openim.sendmsg",
					With(fromClient(c.UserID, "bob", fmt.Sprint(n)), M{"MsgSeq": n})))
			}
		}
		for n := range messages / 2 {
			alice.Answer(t, "openim.sendmsg", int64(1000+n))
			carol.Answer(t, "openim.sendmsg", int64(1000+n))
		}
		got := connectAs(t, s, "bob").Pull(t, bob.Cookie)
		next := map[string]int{}
		for i, item := range got.Items {
			if item.Text() != fmt.Sprint(next[item.From]) {
				t.Fatalf("item %d is %s, want %s's %d", i, &item, item.From, next[item.From])
			}
			next[item.From]++
		}
		if next["alice"] != messages/2 || next["carol"] != messages/2 {
			t.Errorf("pulled %v, want %d of each", next, messages/2)
		}
		if !maps.Equal(got.Unread, map[string]int{"alice": messages / 2, "carol": messages / 2}) {
			t.Errorf("unread %v", got.Unread)
		}
	})
}

// The web client takes a page with SyncFlag 2 for the last one and asks again only when a push tells it to. So the push
// follows each page but the last. What is sent meanwhile comes once.
func TestPullByTheWebClient(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		bob.Close()
		const messages = 1100
		alice := s.Login(t, "alice")
		for n := range messages {
			alice.Write(t, alice.Request(t, M{"a2": alice.Session.A2Key, "seq": 1000 + n}, "openim.sendmsg",
				With(fromClient("alice", "bob", fmt.Sprint(n)), M{"MsgSeq": n})))
		}
		for n := range messages {
			alice.Answer(t, "openim.sendmsg", int64(1000+n))
		}
		back, cookie, seen := connectAs(t, s, "bob"), bob.Cookie, map[string]int{}
		again := func(f *magpietest.Frame) bool { return strings.Contains(string(f.Body), `"Flag":1`) }
		for page := range 2 {
			if page > 0 {
				back.Next(t, "a push that says to pull again", again)
			}
			cookie = pullAsWebClient(t, back, cookie, seen)
			if page == 0 {
				s.Send(t, "carol", "bob", "meanwhile")
			}
		}
		for _, push := range back.Pushes(t) {
			seen[push.String()]++
		}
		if len(seen) != messages+1 || seen["carol → bob: meanwhile"] != 1 || seen["alice → bob: 1099"] != 1 {
			t.Errorf("bob saw %d messages, carol's %d times", len(seen), seen["carol → bob: meanwhile"])
		}
		back.NoFrame(t, "another push that says to pull again", again)
	})
}

// pullAsWebClient asks for one page, counts its messages in seen and gives the next cookie. The client takes the counts of
// each page as they stand there, and counts no message that is older than its list.
func pullAsWebClient(t *testing.T, c *magpietest.Conn, cookie string, seen map[string]int) string {
	t.Helper()
	var page struct {
		Cookie   string
		SyncFlag int
		MsgList  []json.RawMessage
		Unread   []struct {
			From  string `json:"From_Account"`
			Count int    `json:"UnreadCount"`
		} `json:"C2CPairUnreadCount"`
	}
	c.MustCall(t, "openim.getmsg", M{"Cookie": cookie, "SyncFlag": 0, "IsOnlineSync": 1}, &page)
	for _, raw := range page.MsgList {
		item := magpietest.ReadItem(t, raw)
		seen[item.String()]++
	}
	if unread := fmt.Sprint(page.Unread); page.SyncFlag != 2 || !strings.Contains(unread, "{alice 1100}") {
		t.Errorf("SyncFlag is %d, the counts are %s", page.SyncFlag, unread)
	}
	return page.Cookie
}

// A cookie is the server's own text; with any other a device counts as new.
func TestPullWithGarbage(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		for _, cookie := range []string{"garbage", "1.2.3", "1.2.3.4.5", "-1.-1.-1.-1", "a.b.c.d",
			"99999999999999999999.1.1.1.1.1.1", "0.0.0.0", "0.0.0.0.0.0.0", "-1.1.1.1.1.1.1", "1.1.1.1.1.1.x"} {
			got := connectAs(t, s, "bob").Pull(t, cookie)
			if !slices.Equal(got.Lines, []string{"alice → bob: hi"}) {
				t.Errorf("cookie %q: pulled %q", cookie, got.Lines)
			}
		}
		// One that claims to be from the future brings nothing and breaks nothing.
		const most = "9223372036854775807"
		connectAs(t, s, "bob").Pull(t, strings.Repeat(most+".", 6)+most)
		connectAs(t, s, "bob").Pull(t, most+"."+most+".0.0.0.0.0")
		connectAs(t, s, "bob").Pull(t, "1.1.1.1.1.1.1")
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

// Whatever was recalled and edited while a device was away it is told, however old the message and however many they are:
// as many as one page takes, and by further pages the others.
func TestPullAllRecallsAndEdits(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const messages, recalled, edited = 460, 230, 220
		alice := s.Login(t, "alice")
		var sent []magpietest.Sent
		for n := range messages {
			alice.Write(t, alice.Request(t, M{"a2": alice.Session.A2Key, "seq": 1000 + n}, "openim.sendmsg",
				With(fromClient("alice", "bob", fmt.Sprint(n)), M{"MsgSeq": n})))
		}
		for n := range messages {
			var reply magpietest.Sent
			if err := json.Unmarshal(alice.Answer(t, "openim.sendmsg", int64(1000+n)), &reply); err != nil || reply.MsgKey == "" {
				t.Fatalf("message %d: %+v, %v", n, reply, err)
			}
			sent = append(sent, reply)
		}
		bob := s.Login(t, "bob")
		bob.Close()
		for n := range recalled {
			s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", sent[n].MsgKey), nil)
		}
		for n := range edited {
			s.MustREST(t, "openim/modify_c2c_msg", edit("alice", "bob", sent[recalled+n].MsgKey, "edited"), nil)
		}
		back, cookie := connectAs(t, s, "bob"), bob.Cookie
		again := func(f *magpietest.Frame) bool { return strings.Contains(string(f.Body), `"Flag":1`) }
		const pages = 3 // of 450 in all, 200 a page
		for page := range pages {
			if page > 0 {
				back.Next(t, "a push that says to pull again", again)
			}
			var reply struct{ Cookie string }
			back.MustCall(t, "openim.getmsg", M{"Cookie": cookie, "SyncFlag": 0, "IsOnlineSync": 1}, &reply)
			cookie = reply.Cookie
		}
		told := map[string]int{}
		for _, push := range back.Pushes(t) {
			told[push.String()]++
		}
		for n := range recalled {
			if line := recallLine("alice", "bob", sent[n].MsgKey, magpietest.Admin); told[line] != 1 {
				t.Fatalf("of recall %d it was told %d times; of %d things in all", n, told[line], len(told))
			}
		}
		edits := 0
		for line, n := range told {
			if strings.Contains(line, "edited") {
				edits += n
			}
		}
		if edits != edited {
			t.Errorf("it was told of %d edits, want %d", edits, edited)
		}
		back.NoFrame(t, "another push that says to pull again", again)
	})
}
