package magpietest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The two lines of the package comment, and what one can ask of a connection.
func TestStory(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")

		sent := s.Send(t, "alice", "bob", "hi")
		if !strings.HasSuffix(sent.MsgKey, fmt.Sprint("_", sent.MsgTime)) {
			t.Errorf("the key is %q", sent.MsgKey)
		}
		bob.Sees(t, "alice → bob: hi")
		bob.SeesNothing(t)
		alice.SeesNothing(t)

		bob.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message("bob", "alice", "hello"), magpietest.M{"MsgSeq": 1}), nil)
		alice.Sees(t, "bob → alice: hello")
		bob.SeesNothing(t)
	})
}

// A restart keeps the store and the address; connections are told to come back.
func TestRestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		bob := s.Login(t, "bob")
		address := s.URL
		s.Restart(t)
		if s.URL != address {
			t.Errorf("the server is at %s, was at %s", s.URL, address)
		}
		if reason := bob.Closed(t); reason != "1001 going-away" {
			t.Errorf("closed with %q", reason)
		}
		again := s.Login(t, "bob")
		s.Send(t, "alice", "bob", "hi")
		again.Sees(t, "alice → bob: hi")
	})
}

// Settings are changed beside the running server.
func TestConfigure(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		other := s.App(t, magpietest.AppID+1, "another key")
		other.Import(t, "alice", "bob")
		s.Configure(t, "message.max_bytes", "1000")
		long := magpietest.Message("alice", "bob", strings.Repeat("x", 2000))
		s.Refuses(t, "openim/sendmsg", long, 93000)
		other.SendWith(t, long, nil)
	})
}
