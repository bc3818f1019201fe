package presence_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// custom is the custom status in the reply to a login.
func custom(t *testing.T, c *Conn) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(c.Session.CustomStatus)
	if err != nil {
		t.Errorf("the login's CustomStatus: %v", err)
	}
	return string(text)
}

// All devices are told of a custom status, each login is, and an empty one clears it.
func TestCustomStatus(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		browser, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(android))
		say(t, browser, "reading")
		wants(t, phone, "alice 1 reading")
		if got := custom(t, s.Login(t, "alice", magpietest.Platform(android))); got != "reading" {
			t.Errorf("a login is told %q", got)
		}
		if got := states(t, s.Login(t, "bob"), "alice"); got != "alice 1 reading" {
			t.Errorf("bob reads %q", got)
		}
		say(t, browser, strings.Repeat("x", 100))
		if e := browser.Call(t, "im_open_status.ws_set_custom_status", M{"CustomStatus": strings.Repeat("字", 34)}, nil); e.ErrorCode != 70402 {
			t.Errorf("102 bytes: answered %+v, want 70402", e)
		}
		say(t, browser, "")
		if got := custom(t, s.Login(t, "alice", magpietest.Platform(android))); got != "" {
			t.Errorf("a cleared status: a login is told %q", got)
		}
	})
}

// A custom status outlives the last device for half a minute, however that went.
func TestCustomStatusEnds(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, c *Conn){
		"logout": logOut, "loss": func(_ *testing.T, c *Conn) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			magpietest.Scenario(t, func(t *testing.T, s *Server) {
				alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
				say(t, bob, "busy")
				alice.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": []string{"bob"}}, nil)
				ends(t, alice, "bob 1 busy")
				leave(t, bob)
				ends(t, alice, "bob 3 busy")
				pass(t, s, 25*time.Second, alice)
				bob = s.Login(t, "bob")
				if got := custom(t, bob); got != "busy" {
					t.Errorf("back after 25 seconds: told %q", got)
				}
				ends(t, alice, "bob 1 busy")
				pass(t, s, 60*time.Second, alice, bob)
				if got := states(t, alice, "bob"); got != "bob 1 busy" {
					t.Errorf("after a minute online: %q", got)
				}
				leave(t, bob)
				ends(t, alice, "bob 3 busy")
				pass(t, s, 45*time.Second, alice)
				ends(t, alice, "bob 3")
				if got := custom(t, s.Login(t, "bob")); got != "" {
					t.Errorf("back after 45 seconds: told %q", got)
				}
				ends(t, alice, "bob 1")
			}, magpietest.Timed())
		})
	}
}

// A server that was killed and comes back keeps the custom statuses of those who come back in time.
func TestCustomStatusAfterRestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "bob")
		alice := watcher(t, s, "alice", "bob")
		say(t, alice, "busy")
		s.Restart(t)
		s.Pass(t, 5*time.Second)
		back := s.Connect(t)
		if e := back.Resume(t, "alice", alice.Session); e.ErrorCode != 0 {
			t.Fatalf("come back: %+v", e)
		}
		back.Pull(t, "")
		s.Pass(t, time.Second) // the pushes are held back until then
		if got := custom(t, back); got != "busy" {
			t.Errorf("back after a restart: told %q", got)
		}
		wants(t, back, "bob 3")
		s.Login(t, "bob")
		wants(t, back, "bob 1")
	}, magpietest.Timed())
}
