package device_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// rounds is how often each race is run, atOnce how many of it run side by side.
const rounds, atOnce = 10, 12

// races runs a race for many accounts, a dozen at a time. Each round has accounts of its own.
func races(t *testing.T, race func(t *testing.T, s *Server, userID string)) {
	t.Helper()
	story(t, func(t *testing.T, s *Server) {
		for round := range rounds {
			users := make([]string, atOnce)
			for i := range users {
				users[i] = fmt.Sprintf("racer %d of round %d", i, round)
			}
			s.Import(t, users...)
			var all sync.WaitGroup
			for _, userID := range users {
				all.Go(func() { race(t, s, userID) })
			}
			all.Wait()
			if t.Failed() {
				return
			}
		}
	})
}

// lateSig is a signature that no kick of today voids.
func lateSig(t *testing.T, s *Server, userID string) string {
	t.Helper()
	return s.UserSigAt(t, userID, time.Now().Add(time.Hour), time.Hour)
}

// served tells whether the connection's requests are.
func served(t *testing.T, c *magpietest.Conn) bool {
	t.Helper()
	return c.Call(t, "openim.get_peer_read_time", M{"To_Account": []string{"bob"}}, nil).ErrorCode == 0
}

// together does two things at the same time and returns when both are done.
func together(one, other func()) {
	var both sync.WaitGroup
	both.Go(one)
	both.Go(other)
	both.Wait()
}

func kick(t *testing.T, s *Server, userID string) {
	t.Helper()
	if e := s.REST(t, "im_open_login_svc/kick", M{"UserID": userID}, nil); e.ErrorCode != 0 {
		t.Errorf("kick %s: %+v", userID, e)
	}
}

// wantTruth checks that a session which the store says is over is not served.
func wantTruth(t *testing.T, s *Server, c *magpietest.Conn, userID string) {
	t.Helper()
	held := served(t, c)
	e := s.Connect(t).Resume(t, userID, c.Session)
	if e.ErrorCode != 0 && held {
		t.Errorf("%s is served, and the store says %d %s", userID, e.ErrorCode, e.ErrorInfo)
	}
}

// A kick and a login at the same moment: either the login came first and is ended, or it came later and stays.
func TestKickMeetsLogin(t *testing.T) {
	races(t, func(t *testing.T, s *Server, userID string) {
		c, sig := s.Connect(t), lateSig(t, s, userID)
		var e magpietest.Envelope
		together(func() { e = c.TryLogin(t, userID, sig) }, func() { kick(t, s, userID) })
		if e.ErrorCode == 0 {
			wantTruth(t, s, c, userID)
		} else if served(t, c) {
			t.Errorf("%s was refused with %d, and is served", userID, e.ErrorCode)
		}
	})
}

// The same with a device that comes back by its token.
func TestKickMeetsReturn(t *testing.T) {
	races(t, func(t *testing.T, s *Server, userID string) {
		first, c := s.Connect(t), s.Connect(t)
		if e := first.TryLogin(t, userID, lateSig(t, s, userID)); e.ErrorCode != 0 {
			t.Errorf("log in: %+v", e)
			return
		}
		var e magpietest.Envelope
		together(func() { e = c.Resume(t, userID, first.Session) }, func() { kick(t, s, userID) })
		// A return before the kick takes the first connection's place.
		if served(t, c) || e.ErrorCode != 0 && served(t, first) {
			t.Errorf("%s was kicked and is served", userID)
		}
	})
}

// Two logins where the policy allows one: one of them stays.
func TestTwoLoginsAtOnce(t *testing.T) {
	races(t, func(t *testing.T, s *Server, userID string) {
		one, other := s.Connect(t), s.Connect(t)
		sig := s.UserSig(t, userID)
		together(func() { one.TryLogin(t, userID, sig) }, func() { other.TryLogin(t, userID, sig) })
		if x, y := served(t, one), served(t, other); x == y {
			t.Errorf("%s: the one is served: %t, the other: %t, want one of them", userID, x, y)
		}
	})
}

// A login that meets the account's deletion is ended by it, or brings the account back; it is never served without one.
func TestDeletionMeetsLogin(t *testing.T) {
	races(t, func(t *testing.T, s *Server, userID string) {
		c, sig := s.Connect(t), lateSig(t, s, userID)
		together(func() { c.TryLogin(t, userID, sig) }, func() {
			s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": userID}}}, nil)
		})
		if served(t, c) && !exists(t, s, userID) {
			t.Errorf("%s was deleted and is served", userID)
		}
	})
}
