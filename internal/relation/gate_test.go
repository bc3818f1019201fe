package relation_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// says sends a text as a client and returns the code.
func says(t *testing.T, c *Conn, to, text string, more M) int {
	t.Helper()
	return c.Call(t, "openim.sendmsg", magpietest.With(magpietest.Message("", to, text), more), nil).ErrorCode
}

// reads are the texts of a chat as one of the two sees them.
func reads(t *testing.T, s *Server, userID, peer string) (texts []string) {
	t.Helper()
	var page struct{ MsgList []magpietest.Item }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": userID, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0, "MaxTime": 4_000_000_000}, &page)
	for i := range page.MsgList {
		texts = append(texts, page.MsgList[i].Text())
	}
	slices.Sort(texts)
	return texts
}

// Whoever is blocked sees that he sends, and nobody hears it: neither the receiver, nor the back end.
func TestBlockedUnheard(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		end := s.BackEnd(t, "C2C.CallbackBeforeSendMsg,C2C.CallbackAfterSendMsg")
		end.Says(`{"ErrorCode":0}`)
		alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		if code := says(t, bob, "alice", "before", M{"MsgSeq": 1}); code != 0 {
			t.Fatal(code)
		}
		alice.Sees(t, "bob → alice: before")
		phone.Pushes(t)
		comes(t, s, "sns/black_list_add", M{"From_Account": "alice", "To_Account": []string{"bob"}}, "bob 0")
		alice.Pushes(t)
		for i, more := range []M{{"MsgSeq": 2}, {"MsgSeq": 3, "OnlineOnlyFlag": 1}, {"MsgSeq": 2, "MsgRandom": 77}, {"MsgSeq": 2, "MsgRandom": 77}} {
			if code := says(t, bob, "alice", fmt.Sprintf("blocked %d", i), magpietest.With(M{"MsgRandom": i}, more)); code != 0 {
				t.Errorf("blocked %d: %d, want success", i, code)
			}
		}
		alice.SeesNothing(t)
		phone.Sees(t, "bob → alice: blocked 0", "bob → alice: blocked 2")
		if got := reads(t, s, "alice", "bob"); !slices.Equal(got, []string{"before"}) {
			t.Errorf("alice reads %q", got)
		}
		if got := reads(t, s, "bob", "alice"); !slices.Equal(got, []string{"before", "blocked 0", "blocked 2"}) {
			t.Errorf("bob reads %q", got)
		}
		var unread struct{ AllC2CUnreadMsgNum int }
		s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "alice"}, &unread)
		if unread.AllC2CUnreadMsgNum != 1 {
			t.Errorf("alice has %d unread", unread.AllC2CUnreadMsgNum)
		}
		// The blocker may write, back ends may, and once the block is gone all is as before.
		if code := says(t, alice, "bob", "from alice", M{"MsgSeq": 9}); code != 0 {
			t.Error(code)
		}
		s.Send(t, "bob", "alice", "by REST")
		comes(t, s, "sns/black_list_delete", M{"From_Account": "alice", "To_Account": []string{"bob"}}, "bob 0")
		alice.Pushes(t)
		if code := says(t, bob, "alice", "after", M{"MsgSeq": 10}); code != 0 {
			t.Error(code)
		}
		alice.Sees(t, "bob → alice: after")
		want := []string{"before", "from alice", "by REST", "after"}
		for _, command := range []string{"C2C.CallbackBeforeSendMsg", "C2C.CallbackAfterSendMsg"} {
			if calls := end.Gets(t, command, len(want)); len(calls) != len(want) {
				t.Errorf("%s came %d times", command, len(calls))
			}
		}
	})
}

// Where the operator wants it, the blocked one is told, or nothing is checked.
func TestBlockedRefused(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		comes(t, s, "sns/black_list_add", M{"From_Account": "alice", "To_Account": []string{"bob"}}, "bob 0")
		s.Configure(t, "blocklist.check", "refuse")
		for _, more := range []M{nil, {"OnlineOnlyFlag": 1}} {
			if code := says(t, bob, "alice", "hi", more); code != 20007 {
				t.Errorf("%v: %d, want 20007", more, code)
			}
		}
		s.Configure(t, "blocklist.check", "off")
		if code := says(t, bob, "alice", "unchecked", nil); code != 0 {
			t.Error(code)
		}
		if got := reads(t, s, "alice", "bob"); !slices.Equal(got, []string{"unchecked"}) {
			t.Errorf("alice reads %q", got)
		}
	})
}

// Friends only, where the operator wants it: both have to have the other.
func TestFriendsOnly(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.check", "on")
		s.MustREST(t, "openim_robot_http_svc/create_robot", M{"UserID": "@RBT#1"}, nil)
		alice, bob, admin := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "administrator")
		single := M{"AddType": "Add_Type_Single"}
		want := func(c *Conn, to string, code int) {
			t.Helper()
			if got := says(t, c, to, "hi", nil); got != code {
				t.Errorf("%s to %s: %d, want %d", c.UserID, to, got, code)
			}
		}
		want(alice, "bob", 20009)
		comes(t, s, "sns/friend_add", magpietest.With(asking("alice", "bob"), single), "bob 0")
		want(alice, "bob", 20010)
		want(bob, "alice", 20011)
		comes(t, s, "sns/friend_add", magpietest.With(asking("bob", "alice"), single), "alice 0")
		want(alice, "bob", 0)
		want(bob, "alice", 0)
		want(alice, "@RBT#1", 0)
		want(alice, "alice", 0)
		want(admin, "bob", 0)
		s.Send(t, "carol", "bob", "by REST")
		comes(t, s, "sns/friend_delete", M{"From_Account": "bob", "To_Account": []string{"alice"}}, "alice 0")
		want(alice, "bob", 20010)
	})
}

// What is taken back while the back end decides is taken back: the transaction looks once more.
func TestGateLooksAgain(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.check", "on")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 0")
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		end := s.BackEnd(t, "C2C.CallbackBeforeSendMsg")
		end.Answer(func(c *magpietest.Callback) (int, string) {
			var body struct {
				To string `json:"To_Account"`
			}
			c.Into(t, &body)
			if body.To == "bob" {
				comes(t, s, "sns/friend_delete", M{"From_Account": "bob", "To_Account": []string{"alice"}}, "alice 0")
			} else {
				comes(t, s, "sns/black_list_add", M{"From_Account": "carol", "To_Account": []string{"alice"}}, "alice 0")
				carol.Pushes(t)
			}
			return http.StatusOK, `{"ErrorCode":0}`
		})
		if code := says(t, alice, "bob", "late", nil); code != 20010 {
			t.Errorf("to bob: %d, want 20010", code)
		}
		hears(t, bob, "2 alice")
		s.Configure(t, "friend.check", "off")
		if code := says(t, alice, "carol", "late", nil); code != 0 {
			t.Errorf("to carol: %d, want success", code)
		}
		if got := reads(t, s, "carol", "alice"); len(got) != 0 {
			t.Errorf("carol reads %q", got)
		}
		if got := reads(t, s, "alice", "carol"); !slices.Equal(got, []string{"late"}) {
			t.Errorf("alice reads %q", got)
		}
	})
}

// A message of an application that uses neither costs no statement, and one of another application does not change that.
func TestGateIsFree(t *testing.T) {
	var faults dbtest.Faults
	s := magpietest.Start(t, magpietest.Faulty(&faults), magpietest.Timed())
	s.Import(t, "alice", "bob")
	alice := s.Login(t, "alice")
	count := func() int {
		faults.Seen()
		for i := range 5 {
			if code := says(t, alice, "bob", "hi", M{"MsgSeq": i, "MsgRandom": i}); code != 0 {
				t.Fatal(code)
			}
		}
		return faults.Seen("FROM block", "FROM friend ", "FROM relation")
	}
	count() // it looks once
	if got := count(); got != 0 {
		t.Errorf("five messages take %d statements of the gate", got)
	}
	other := s.App(t, 1400000077, "the key of another application")
	other.Import(t, "alice", "bob")
	comes(t, other, "sns/black_list_add", M{"From_Account": "alice", "To_Account": []string{"bob"}}, "bob 0")
	if got := count(); got != 0 {
		t.Errorf("with another application's blocklist five messages take %d statements", got)
	}
	comes(t, s, "sns/black_list_add", M{"From_Account": "bob", "To_Account": []string{"alice"}}, "alice 0")
	if got := count(); got != 10 {
		t.Errorf("with a blocklist five messages take %d statements, want two each", got)
	}
}
