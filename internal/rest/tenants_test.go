package rest_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// Two applications share a server and nothing else: alice of the one is not alice of the other, and neither back end can
// find out that the other exists.
func TestApplicationsAreSeparate(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		other := s.App(t, magpietest.AppID+1, "another key")
		s.Import(t, "alice", "bob", "ours")
		other.Import(t, "alice", "bob", "theirs")
		other.MustREST(t, "profile/portrait_set", M{"From_Account": "alice", "ProfileItem": []M{
			{"Tag": "Tag_Profile_IM_Nick", "Value": "their alice"}, {"Tag": "Tag_Profile_IM_Level", "Value": 7}}}, nil)
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		theirAlice, theirBob := other.Login(t, "alice"), other.Login(t, "bob")
		if alice.Session.TinyID == theirAlice.Session.TinyID {
			t.Error("the two alices have one number")
		}

		// The same numbers in both, so that nothing can be told apart by them.
		numbers := M{"MsgSeq": 1, "MsgRandom": 2}
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "ours"), numbers)
		bob.Sees(t, "alice → bob: ours")
		theirBob.SeesNothing(t)
		theirs := other.SendWith(t, magpietest.Message("alice", "bob", "theirs"), numbers)
		theirBob.Sees(t, "alice → bob: theirs")
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		theirAlice.SeesNothing(t)

		for _, app := range []struct {
			*Server
			text, nick string
		}{{s, "ours", "nick of alice"}, {other, "theirs", "their alice"}} {
			if got := reads(t, app.Server, "bob", "alice"); !slices.Equal(got, []string{app.text}) {
				t.Errorf("application %d reads %q", app.AppID, got)
			}
			var unread struct{ AllC2CUnreadMsgNum int }
			app.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "bob"}, &unread)
			if unread.AllC2CUnreadMsgNum != 1 {
				t.Errorf("application %d counts %d", app.AppID, unread.AllC2CUnreadMsgNum)
			}
			if got := nick(t, app.Server); got != app.nick {
				t.Errorf("application %d has an alice called %q", app.AppID, got)
			}
		}

		// What the other has is answered like what nobody has.
		for _, name := range []string{"theirs", "nobody at all"} {
			s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", name, "hi"), 90012)
			s.Refuses(t, "openim/sendmsg", magpietest.Message(name, "alice", "hi"), 90008)
			s.Refuses(t, "im_open_login_svc/kick", M{"UserID": name}, 70107)
			s.Refuses(t, "recentcontact/get_list", M{"From_Account": name}, 50001)
			s.Refuses(t, "profile/portrait_set", M{"From_Account": name, "ProfileItem": []M{{"Tag": "Tag_Profile_IM_Level", "Value": 1}}}, 40003)
		}

		// What one does leaves the other alone.
		other.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": theirs.MsgKey}, nil)
		other.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		other.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 1, "To_Account": "alice", "ClearRamble": 1}, nil)
		other.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil)
		other.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "bob"}}}, nil)
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		if got := reads(t, s, "bob", "alice"); !slices.Equal(got, []string{"ours"}) {
			t.Errorf("ours reads %q after theirs was undone", got)
		}
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)

		// One application's signatures and sessions open no door of the other.
		if e := other.Connect(t).TryLogin(t, "alice", s.UserSig(t, "alice")); e.ErrorCode != 70014 {
			t.Errorf("our signature at their door: answered %+v, want 70014", e)
		}
		if e := other.Connect(t).Resume(t, "alice", alice.Session); e.ErrorCode != 70001 {
			t.Errorf("our session at their door: answered %+v, want 70001", e)
		}
	})
}

func nick(t *testing.T, s *Server) string {
	t.Helper()
	var reply struct {
		UserProfileItem []struct{ ProfileItem []struct{ Tag, Value string } }
	}
	s.MustREST(t, "profile/portrait_get", M{"To_Account": []string{"alice"}, "TagList": []string{"Tag_Profile_IM_Nick"}}, &reply)
	return reply.UserProfileItem[0].ProfileItem[0].Value
}

func reads(t *testing.T, s *Server, viewer, peer string) []string {
	t.Helper()
	var page struct{ MsgList []json.RawMessage }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0,
		"MaxTime": 4_000_000_000}, &page)
	texts := []string{}
	for _, raw := range page.MsgList {
		item := magpietest.ReadItem(t, raw)
		texts = append(texts, item.Text())
	}
	return texts
}
