package account_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// A back end ends all logins of an account. Signatures and sessions from before are void, a new signature is good.
func TestKick(t *testing.T) {
	for _, field := range []string{"UserID", "Identifier"} {
		t.Run(field, func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				web, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
				old, oldSig := web.Session, s.UserSigAt(t, "alice", time.Now().Add(-time.Minute), time.Hour)
				s.MustREST(t, login+"kick", M{field: "alice"}, nil)
				for _, device := range []*magpietest.Conn{web, phone} {
					if reason := device.Kicked(t); reason != 3 {
						t.Errorf("the device was told reason %d, want 3", reason)
					}
					// It may still ask, and is refused, until it says that it has understood.
					if e := device.Call(t, "openim.get_peer_read_time", M{"To_Account": []string{"bob"}}, nil); e.ErrorCode != 70052 {
						t.Errorf("a command after the kick: answered %+v, want 70052", e)
					}
				}
				bob.SeesNothing(t)
				wantStatus(t, s, "alice", "Offline")
				wantStatus(t, s, "bob", "Online")

				again := s.Connect(t)
				if e := again.Resume(t, "alice", old); e.ErrorCode != 1002 {
					t.Errorf("the old session: answered %+v, want 1002", e)
				}
				if e := again.TryLogin(t, "alice", oldSig); e.ErrorCode != 70052 {
					t.Errorf("the old signature: answered %+v, want 70052", e)
				}
				if e := again.TryLogin(t, "alice", nextSig(t, s, "alice")); e.ErrorCode != 0 {
					t.Errorf("a new signature: answered %+v", e)
				}
				wantStatus(t, s, "alice", "Online")
			})
		})
	}
}

// The second of the kick: a signature made in it is taken, unless it is the one that a kicked device had shown.
func TestKickWithinASecond(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for range 20 {
			began := time.Now()
			used, fresh := s.UserSigAt(t, "alice", began, time.Hour), s.UserSigAt(t, "alice", began, 2*time.Hour)
			device := s.Connect(t)
			if e := device.TryLogin(t, "alice", used); e.ErrorCode != 0 {
				t.Fatalf("log in: %+v", e)
			}
			s.MustREST(t, login+"kick", M{"UserID": "alice"}, nil)
			after := s.Connect(t)
			refused, taken := after.TryLogin(t, "alice", used), after.TryLogin(t, "alice", fresh)
			if time.Now().Unix() != began.Unix() {
				continue // this machine was too slow, once more
			}
			if refused.ErrorCode != 70052 || taken.ErrorCode != 0 {
				t.Errorf("the signature in use: %+v, the new one: %+v", refused, taken)
			}
			return
		}
		t.Skip("this machine never does it within one second")
	})
}

// An administrator's back end that is kicked needs a new signature too.
func TestKickAdministrator(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		old := s.UserSigAt(t, magpietest.Admin, time.Now().Add(-time.Minute), time.Hour)
		s.MustREST(t, login+"kick", M{"UserID": magpietest.Admin}, nil)
		path := fmt.Sprintf("/v4/im_open_login_svc/account_check?sdkappid=%d&identifier=administrator&random=1&usersig=%s", s.AppID, old)
		var e magpietest.Envelope
		if err := json.Unmarshal(s.Post(t, path, []byte(`{}`)), &e); err != nil || e.ErrorCode != 70052 {
			t.Errorf("the old signature: answered %+v (%v), want 70052", e, err)
		}
		s.Import(t, "zoe") // with a new one
	})
}

func TestKickRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		s.Refuses(t, login+"kick", M{"UserID": "nobody"}, 70107)
		s.Refuses(t, login+"kick", M{}, 70107)
		s.Refuses(t, login+"kick", M{"UserID": 7}, 70402)
		s.Refuses(t, login+"kick", M{"UserID": []string{"alice"}}, 70402)
		s.Refuses(t, login+"kick", `{`, 70402)
		alice.SeesNothing(t)
		wantStatus(t, s, "alice", "Online")
	})
}
