package groupmessage_test

import (
	"strings"
	"testing"
)

// A back end tells members that are online something, all or some; who comes later does not find it.
func TestNotify(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		const notify = "group_open_http_svc/send_group_system_notification"
		bob, carol, dave := s.Login(t, "bob"), s.Login(t, "carol"), s.Login(t, "dave")
		s.MustREST(t, notify, M{"GroupId": id, "Content": "for all"}, nil)
		s.MustREST(t, notify, M{"GroupId": id, "Content": "for some", "ToMembers_Account": []string{"bob", "dave"}}, nil)
		bob.Sees(t, "notice 255: for all", "notice 255: for some")
		carol.Sees(t, "notice 255: for all")
		dave.SeesNothing(t)
		s.Login(t, "alice").SeesNothing(t)
		s.Refuses(t, notify, M{"GroupId": id, "Content": ""}, 10004)
		s.Refuses(t, notify, M{"GroupId": id, "Content": strings.Repeat("x", 8001)}, 10004)
		s.Refuses(t, notify, M{"GroupId": id, "Content": "x", "ToMembers_Account": make([]string, 501)}, 10005)
		s.Refuses(t, notify, M{"GroupId": "@TGS#2NOBODY", "Content": "x"}, 10010)
		if a := order(t, s, id, "first", nil); a.Seq != 1 {
			t.Errorf("the first message is answered %+v", a)
		}
	})
}
