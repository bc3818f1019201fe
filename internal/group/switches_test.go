package group_test

import (
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// What an application switches off for a type is refused, and goes on for the other types.
func TestSwitches(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		alice, rest := by(s.Login(t, "alice")), byREST(s)
		community := create(t, s, "Community", nil)
		s.Configure(t, "group.public.client_create", "off", "group.community.enabled", "off", "group.meeting.ban", "off")
		alice.refuses(t, "create_group", M{"Type": "Public", "Name": "n"}, 10026)
		alice.must(t, "create_group", M{"Type": "ChatRoom", "Name": "n"}, nil)
		rest.must(t, "create_group", M{"Type": "Public", "Name": "n"}, nil)
		alice.refuses(t, "create_group", M{"Type": "Community", "Name": "n"}, 11000)
		rest.refuses(t, "create_group", M{"Type": "Community", "Name": "n"}, 11000)
		want(t, s, community, "Community the group of alice, 3: alice=Owner bob=Member carol=Admin")
		ban := M{"Members_Account": []string{"bob"}, "Duration": 60}
		rest.refuses(t, "ban_group_member", magpietest.With(ban, M{"GroupId": create(t, s, "Meeting", nil)}), 10007)
		rest.must(t, "ban_group_member", magpietest.With(ban, M{"GroupId": create(t, s, "Public", nil)}), nil)
	}, magpietest.Timed())
}

// What an application chooses for a type holds for groups of that type alone: how new members hear of messages, how many there may be,
// and whether the group ends with its last member.
func TestChoicesOfTypes(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave", "erin")
		s.Configure(t, "group.public.receive_option", "Discard", "group.public.max_members", "4", "group.public.dismiss_when_empty", "off")
		dave, rest := by(s.Login(t, "dave")), byREST(s)
		add := M{"MemberList": []M{{"Member_Account": "dave"}, {"Member_Account": "erin"}}}
		for kind, flag := range map[string]string{"Public": "Discard", "ChatRoom": "AcceptNotNotify"} {
			id := create(t, s, kind, nil)
			for _, m := range read(t, s, id).MemberList {
				if *m.MsgFlag != flag {
					t.Errorf("%s of a %s group hears %s, want %s", m.Account, kind, *m.MsgFlag, flag)
				}
			}
			if e := rest(t, "add_group_member", magpietest.With(add, M{"GroupId": id}), nil); (e.ErrorCode == 10014) != (kind == "Public") {
				t.Errorf("a fifth member of a %s group: %d %s", kind, e.ErrorCode, e.ErrorInfo)
			}
			var made struct {
				GroupID string `json:"GroupId"`
			}
			rest.must(t, "create_group", M{"Type": kind, "Name": "n", "MemberList": []M{{"Member_Account": "dave"}}}, &made)
			dave.must(t, "quit_group", M{"GroupId": made.GroupID}, nil)
			var reply struct{ GroupInfo []info }
			rest.must(t, "get_group_info", M{"GroupIdList": []string{made.GroupID}}, &reply)
			if code := *reply.GroupInfo[0].ErrorCode; (code == 0) != (kind == "Public") {
				t.Errorf("a %s group after its last member has left: %d", kind, code)
			}
		}
	})
}

// An application has as many groups of a type as it chose, with those that are there already; a destroyed one makes room, other types go
// on, and a bound that was lifted for a while counts anew.
func TestMostGroups(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		rest, alice := byREST(s), by(s.Login(t, "alice"))
		for kind, row := range map[string]struct {
			word string
			code int
		}{"Private": {"work", 10058}, "Public": {"public", 10058}, "ChatRoom": {"meeting", 10058}, "Community": {"community", 10058}, "AVChatRoom": {"avchatroom", 10036}} {
			one := M{"Type": kind, "Name": "n", "Owner_Account": "alice"}
			var first struct {
				GroupID string `json:"GroupId"`
			}
			bound := func(most string) { s.Configure(t, "group."+row.word+".max", most) }
			bound("0")
			rest.must(t, "create_group", one, &first)
			bound("2")
			alice.must(t, "create_group", one, nil)
			alice.refuses(t, "create_group", one, row.code)
			rest.refuses(t, "create_group", one, row.code)
			rest.must(t, "destroy_group", M{"GroupId": first.GroupID}, nil)
			rest.must(t, "create_group", one, nil)
			rest.refuses(t, "create_group", one, row.code)
			bound("0")
			rest.must(t, "create_group", one, nil)
			bound("4")
			rest.must(t, "create_group", one, nil)
			rest.refuses(t, "create_group", one, row.code)
			bound("3")
			rest.refuses(t, "create_group", one, row.code)
		}
	})
}
