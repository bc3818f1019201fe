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
