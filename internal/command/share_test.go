package command_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// An account at full speed is told so, over all its connections; others' calls are served meanwhile, and his own in the
// next second.
func TestShareOfAnAccount(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		s.Configure(t, "limit.account_calls", "20", "limit.account_bytes", "100000")
		alice, bob, sequence := s.Login(t, "alice"), s.Login(t, "bob"), 0
		send := func(c *magpietest.Conn, to, text string) int {
			sequence++
			return c.Call(t, "openim.sendmsg", magpietest.With(magpietest.Message(c.UserID, to, text), magpietest.M{"MsgSeq": sequence}), nil).ErrorCode
		}
		s.NextSecond(t)
		for i := range 40 {
			if code, want := send(alice, "bob", "hi"), map[bool]int{true: 0, false: 60018}[i < 20]; code != want {
				t.Fatalf("message %d is answered %d, want %d", i+1, code, want)
			}
		}
		if code := send(bob, "alice", "hi"); code != 0 {
			t.Errorf("another account's message is answered %d", code)
		}
		s.Send(t, "alice", "bob", "the back end is not the account")
		s.NextSecond(t)
		if code := send(alice, "bob", "hi"); code != 0 {
			t.Errorf("in the next second: %d", code)
		}
		large := strings.Repeat("x", 11_000)
		for i := range 20 {
			if code := send(alice, "bob", large); code == 60018 && i >= 8 {
				return
			} else if code != 0 {
				t.Fatalf("large message %d is answered %d", i+1, code)
			}
		}
		t.Error("200 KB of an account in a second are all taken, with a bound of 100,000")
	}, magpietest.Timed())
}

// An application has a bound for all its callers; others are not counted with it.
func TestShareOfAnApplication(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		other := s.App(t, magpietest.AppID+1, "another key")
		s.Configure(t, "limit.app_calls", "10")
		s.NextSecond(t)
		check := func(s *magpietest.Server, i int) int {
			return s.REST(t, "im_open_login_svc/account_check", fmt.Sprintf(`{"CheckItem":[{"UserID":"u%d"}]}`, i), nil).ErrorCode
		}
		for i := range 20 {
			if code, want := check(s, i), map[bool]int{true: 0, false: 60007}[i < 10]; code != want {
				t.Fatalf("call %d is answered %d, want %d", i+1, code, want)
			}
		}
		if code := check(other, 1); code != 0 {
			t.Errorf("another application's call is answered %d", code)
		}
	}, magpietest.Timed())
}

// What an account has stored in a second is bounded apart from what it calls: by messages and by bytes. Its back end is
// not the account, and others go on.
func TestStoredByAnAccount(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob", "carol")
		s.Configure(t, "limit.account_messages", "10", "limit.account_stored_bytes", "20000")
		alice, bob, sequence := s.Login(t, "alice"), s.Login(t, "bob"), 0
		send := func(c *magpietest.Conn, to, text string) int {
			sequence++
			return c.Call(t, "openim.sendmsg", magpietest.With(magpietest.Message(c.UserID, to, text), magpietest.M{"MsgSeq": sequence}), nil).ErrorCode
		}
		codes := func(n int, text string) (taken int) {
			t.Helper()
			s.NextSecond(t)
			for i := range n {
				switch code := send(alice, "bob", text); {
				case code == 0 && taken == i:
					taken++
				case code != 60018:
					t.Fatalf("message %d is answered %d", i+1, code)
				}
			}
			return taken
		}
		if n := codes(20, "hi"); n != 10 {
			t.Errorf("%d messages of an account in a second are taken, want 10", n)
		}
		if code := send(bob, "alice", "hi"); code != 0 {
			t.Errorf("another account's message is answered %d", code)
		}
		s.Send(t, "alice", "bob", "the back end is not the account")
		if n := codes(9, strings.Repeat("x", 6000)); n != 3 {
			t.Errorf("%d messages of 6,000 bytes are taken, want 3 of 20,000 bytes", n)
		}
		s.NextSecond(t)
		var sent magpietest.Sent
		alice.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message("alice", "bob", "to be edited"), magpietest.M{"MsgSeq": 1000, "MsgRandom": 7}), &sent)
		s.NextSecond(t)
		edits := 0
		for i := range 20 {
			edit := magpietest.M{
				"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1000, "MsgRandom": 7, "MsgTime": sent.MsgTime,
				"MsgVersion": i, "MsgBody": magpietest.Text("edited"),
			}
			if code := alice.Call(t, "openim.modify_c2c_msg", edit, nil).ErrorCode; code == 0 {
				edits++
			} else if code != 60018 {
				t.Fatalf("edit %d is answered %d", i+1, code)
			}
		}
		if edits != 10 {
			t.Errorf("%d edits are taken, want 10", edits)
		}
	}, magpietest.Timed())
}

// What an application has stored in a second is bounded for its back end too; a message for more receivers than a second
// takes goes in a second of its own.
func TestStoredByAnApplication(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		other := s.App(t, magpietest.AppID+1, "another key")
		for _, each := range []*magpietest.Server{s, other} {
			each.Import(t, "alice", "bob", "carol", "dave", "erin")
		}
		s.Configure(t, "limit.app_messages", "3")
		batch := func(seq int) int {
			return s.REST(t, "openim/batchsendmsg", magpietest.With(magpietest.Message("alice", "", "hi"), magpietest.M{
				"To_Account": []string{"bob", "carol", "dave", "erin"}, "MsgSeq": seq,
			}), nil).ErrorCode
		}
		s.NextSecond(t)
		for i, want := range []int{0, 0, 0, 60007, 60007} {
			e := s.REST(t, "openim/sendmsg", magpietest.With(magpietest.Message("alice", "bob", "hi"), magpietest.M{"MsgSeq": i + 1}), nil)
			if e.ErrorCode != want {
				t.Errorf("message %d is answered %+v, want %d", i+1, e, want)
			}
		}
		if code := batch(10); code != 60007 {
			t.Errorf("four more are answered %d", code)
		}
		other.Send(t, "alice", "bob", "hi")
		s.NextSecond(t)
		if code := batch(11); code != 0 {
			t.Errorf("four in a second of their own are answered %d", code)
		}
		s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "hi"), 60007)
	}, magpietest.Timed())
}

// An application has a rate of its own at the REST door, instead of the node's; another one has the node's.
func TestRESTRateOfAnApplication(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		other := s.App(t, magpietest.AppID+1, "another key")
		s.Import(t, "alice")
		other.Import(t, "alice")
		s.Configure(t, "limit.rest_calls", "3")
		served := func(s *magpietest.Server, command string, body any) (n int) {
			for range 8 {
				if e := s.REST(t, command, body, nil); e.ErrorCode == 0 {
					n++
				} else if e.ErrorCode != 60007 {
					t.Errorf("answered %+v, want 60007", e)
				}
			}
			return n
		}
		kick, status := magpietest.M{"UserID": "alice"}, magpietest.M{"To_Account": []string{"alice"}}
		s.NextSecond(t)
		for i, row := range []struct {
			s       *magpietest.Server
			command string
			body    any
			want    int
		}{
			{s, "im_open_login_svc/kick", kick, 3}, {s, "openim/query_online_status", status, 3},
			{other, "im_open_login_svc/kick", kick, 6},
		} {
			if got := served(row.s, row.command, row.body); got != row.want {
				t.Errorf("row %d: %d of 8 calls of %s were served in a second, want %d", i, got, row.command, row.want)
			}
		}
	}, magpietest.Timed(), magpietest.Set(t, "rest-per-second", "6"))
}
