package conversation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// An account chooses how it hears of each peer; its other devices and its list know, and the peers do not.
func TestReceiveOptions(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		options := func() string {
			t.Helper()
			var reply struct {
				List []struct {
					Peer string `json:"Peer_Account"`
					Mute int    `json:"MuteNotifications"`
				} `json:"MuteNotificationsList"`
			}
			bob.MustCall(t, "openim.get_c2c_peer_mute_notifications", M{"To_Account": "bob", "Peer_Account": []string{"carol", "alice", "nobody"}}, &reply)
			return fmt.Sprint(reply.List)
		}
		if got := options(); got != "[{carol 0} {alice 0} {nobody 0}]" {
			t.Errorf("at first: %s", got)
		}
		var reply struct {
			ErrorList []struct {
				User      string `json:"User_Account"`
				ErrorCode int
			}
		}
		choose := func(option int, peers ...string) {
			t.Helper()
			bob.MustCall(t, "openim.set_c2c_peer_mute_notifications", M{"Peer_Account": peers, "Mute_Notifications": option}, &reply)
		}
		choose(2, "alice", "nobody", "carol")
		if got := fmt.Sprint(reply.ErrorList); got != "[{nobody 70107}]" {
			t.Errorf("ErrorList is %s", got)
		}
		phone.Sees(t, "receive option 2 for alice", "receive option 2 for carol")
		choose(1, "carol")
		phone.Sees(t, "receive option 1 for carol")
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		if got := options(); got != "[{carol 1} {alice 2} {nobody 0}]" {
			t.Errorf("then: %s", got)
		}
		if all, _ := groupPage(t, bob, cursors{}); all[0].MsgRecvOption != 2 {
			t.Errorf("the list has %+v", all)
		}
		for name, body := range map[string]M{
			"another option": {"Peer_Account": []string{"alice"}, "Mute_Notifications": 3}, "no option": {"Peer_Account": []string{"alice"}},
			"nobody": {"Mute_Notifications": 1}, "too many": {"Peer_Account": slices.Repeat([]string{"alice"}, 101), "Mute_Notifications": 1},
		} {
			if e := bob.Call(t, "openim.set_c2c_peer_mute_notifications", body, nil); e.ErrorCode == 0 {
				t.Errorf("%s: answered %+v", name, e)
			}
		}
	})
}

// An account says when it does not want to be disturbed, or its back end does; its other devices are told.
func TestDoNotDisturb(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob, phone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		type quiet struct{ Level, StartTime, EndTime, IsRepeated int }
		want := func(what string, want quiet) {
			t.Helper()
			var got quiet
			bob.MustCall(t, "im_msg_db_logic.ws_get_do_not_disturb", M{"To_Account": "bob"}, &got)
			if got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		want("at first", quiet{})
		bob.MustCall(t, "im_msg_db_logic.ws_set_do_not_disturb", M{"StartTime": 1000, "EndTime": 4600, "IsRepeated": 1, "Level": 2}, nil)
		phone.Sees(t, `{"Event":24,"Level":2,"StartTime":1000,"EndTime":4600,"IsRepeated":1}`)
		bob.SeesNothing(t)
		want("by a client", quiet{2, 1000, 4600, 1})
		s.MustREST(t, "im_msg_db_logic/admin_set_do_not_disturb", M{"To_Account": "bob", "StartTime": 2000, "EndTime": 2000, "IsRepeated": 0, "Level": 1}, nil)
		want("by a back end", quiet{1, 2000, 2000, 0})
		phone.Sees(t, `{"Event":24,"Level":1,"StartTime":2000,"EndTime":2000,"IsRepeated":0}`)
		s.Refuses(t, "im_msg_db_logic/admin_set_do_not_disturb", M{"To_Account": "nobody", "Level": 1}, 90003)
		for _, body := range []M{{"Level": 3}, {"Level": -1}, {"Level": 1, "StartTime": 5, "EndTime": 4}, {"Level": 1, "StartTime": -5}} {
			if e := bob.Call(t, "im_msg_db_logic.ws_set_do_not_disturb", body, nil); e.ErrorCode == 0 {
				t.Errorf("%v: answered %+v", body, e)
			}
		}
	})
}
