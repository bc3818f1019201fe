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
