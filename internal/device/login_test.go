package device_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// A first login makes the account; the number that clients know it by never changes.
func TestFirstLogin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		zoe := s.Login(t, "zoe")
		if !exists(t, s, "zoe") {
			t.Error("zoe logged in and does not exist")
		}
		session := zoe.Session
		if session.A2Key == "" || session.TinyID == "" || session.TinyID == "0" || session.InstID == 0 || session.HelloInterval != 30 ||
			session.TimeStamp == 0 || len(session.PurchaseBits) != 64 {
			t.Errorf("the session is %+v", session)
		}
		other := s.Login(t, "zoe", magpietest.Platform(android))
		if other.Session.TinyID != session.TinyID || other.Session.InstID == session.InstID || other.Session.A2Key == session.A2Key {
			t.Errorf("two devices of one account have the sessions %+v and %+v", session, other.Session)
		}
	})
}

// Which devices may be online together, by the application's policy. Each row is one login after the other; the number
// behind a platform is the KickType that it was told in the end, 0 for a device that stays.
func TestLoginPolicies(t *testing.T) {
	type device struct{ platform, kicked int }
	for _, row := range []struct {
		name     string
		settings map[string]string
		devices  []device
	}{
		{"dual: web and one native", nil, []device{{web, 0}, {android, 0}}},
		{"dual: the newer web", nil, []device{{web, 1}, {web, 0}}},
		{"dual: the newer of one kind", nil, []device{{android, 1}, {web, 0}, {android, 0}}},
		{"dual: one native of all", nil, []device{{android, 2}, {web, 0}, {iPhone, 2}, {mac, 0}}},
		{"dual: mini-programs are web", nil, []device{{web, 1}, {wechat, 0}, {android, 0}}},
		{"single", map[string]string{"login.policy": "single"}, []device{{web, 2}, {android, 2}, {mac, 0}}},
		{"triple", map[string]string{"login.policy": "triple"}, []device{{web, 0}, {android, 2}, {mac, 2}, {iPhone, 0}, {windows, 0}}},
		{"multi", map[string]string{"login.policy": "multi"},
			[]device{{web, 0}, {android, 1}, {iPhone, 0}, {iPad, 0}, {mac, 0}, {windows, 0}, {android, 0}}},
		{"three webs", map[string]string{"login.web_instances": "3"}, []device{{web, 1}, {web, 0}, {wechat, 0}, {web, 0}}},
		{"two of a native kind", map[string]string{"login.native_instances": "2"}, []device{{android, 1}, {android, 0}, {android, 0}, {web, 0}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				for name, value := range row.settings {
					s.Configure(t, name, value)
				}
				bob := s.Login(t, "bob")
				conns := make([]*magpietest.Conn, len(row.devices))
				for i, d := range row.devices {
					conns[i] = s.Login(t, "alice", magpietest.Platform(d.platform))
				}
				for i, d := range row.devices {
					if d.kicked == 0 {
						conns[i].SeesNothing(t)
						continue
					}
					if reason := conns[i].Kicked(t); reason != d.kicked {
						t.Errorf("device %d on platform %d was told %d, want %d", i, d.platform, reason, d.kicked)
					}
					// Its session is over, whatever it tries.
					if e := s.Connect(t).Resume(t, "alice", conns[i].Session); e.ErrorCode != 1002 {
						t.Errorf("device %d comes back: answered %+v, want 1002", i, e)
					}
				}
				s.Send(t, "bob", "alice", "hi")
				for i, d := range row.devices {
					if d.kicked == 0 {
						conns[i].Sees(t, "bob → alice: hi")
					}
				}
				bob.SeesNothing(t)
			})
		})
	}
}

// A device that is logged out for another one is told which came, by the push and when it comes back; one that the back end
// logged out is told of none.
func TestKickedDeviceIsToldWhichCame(t *testing.T) {
	type came struct {
		KickType int
		New      *struct {
			ID int64 `json:"InstId"`
		} `json:"NewInstInfo"`
	}
	story(t, func(t *testing.T, s *Server) {
		wants := func(c *magpietest.Conn, reason int, by int64) {
			t.Helper()
			var back came
			pushed := c.Next(t, "the device is told", func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_status.stat_forceoffline" })
			var push struct {
				EventArray []struct {
					Notify []struct{ KickoutMsgNotify came } `json:"C2cNotifyMsgArray"`
				}
			}
			if err := json.Unmarshal(pushed.Body, &push); err != nil {
				t.Fatal(err)
			}
			credentials := M{"a2": c.Session.A2Key, "tinyid": c.Session.TinyID, "status_instid": c.Session.InstID}
			s.Connect(t).CallWith(t, credentials, "im_open_status.wslogin", M{"State": "Online"}, &back)
			for _, told := range []came{push.EventArray[0].Notify[0].KickoutMsgNotify, back} {
				if told.KickType != reason || (told.New == nil) != (by == 0) || told.New != nil && told.New.ID != by {
					t.Errorf("told %+v, want %d by %d", told, reason, by)
				}
			}
		}
		first := s.Login(t, "alice")
		second := s.Login(t, "alice")
		wants(first, 1, second.Session.InstID)
		s.Configure(t, "login.policy", "single")
		phone := s.Login(t, "alice", magpietest.Platform(android))
		wants(second, 2, phone.Session.InstID)
		s.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil)
		wants(phone, 3, 0)
	})
}

// A device that comes back with its session keeps its place: nobody is logged out for it.
func TestComingBackLogsNobodyOut(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		browser, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(android))
		browser.Close()
		back := s.Connect(t)
		if e := back.Resume(t, "alice", browser.Session); e.ErrorCode != 0 {
			t.Fatalf("come back: %+v", e)
		}
		if back.Session.InstID != browser.Session.InstID || back.Session.TinyID != browser.Session.TinyID {
			t.Errorf("it came back as %+v, was %+v", back.Session, browser.Session)
		}
		back.Pull(t, browser.Cookie)
		phone.SeesNothing(t)
		back.SeesNothing(t)
	})
}

// Sessions are signed: one that was changed in any byte, or is somebody else's, is none.
func TestForgedSessions(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		other := s.App(t, s.AppID+1_000_000, "another key")
		conn := s.Connect(t)
		try := func(name, token string) {
			t.Helper()
			if e := conn.Resume(t, "alice", magpietest.Session{A2Key: token, TinyID: alice.Session.TinyID}); e.ErrorCode != 70001 {
				t.Errorf("%s: answered %+v, want 70001", name, e)
			}
		}
		good := alice.Session.A2Key
		for i := range good {
			flipped := []byte(good)
			flipped[i] ^= 1
			try(fmt.Sprintf("byte %d changed", i), string(flipped))
		}
		try("a half", good[:len(good)/2])
		try("twice", good+good)
		try("garbage", "garbage")
		try("another application's", other.Login(t, "alice").Session.A2Key)
		// TinyId and InstId beside it prove nothing and change nothing.
		bob := s.Login(t, "bob")
		c := s.Connect(t)
		if e := c.Resume(t, "bob", magpietest.Session{A2Key: bob.Session.A2Key, TinyID: alice.Session.TinyID, InstID: alice.Session.InstID}); e.ErrorCode != 0 || c.Session.TinyID != bob.Session.TinyID {
			t.Errorf("bob's token with alice's number: answered %+v as %s", e, c.Session.TinyID)
		}
	})
}
