package groupmessage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The first members of a Work group are told that they are in it by its first message, which shows it to them: before they hear that,
// once, also who is away, and not who has left or was added later and told then.
func TestToldAtWaking(t *testing.T) {
	story(t, "Work", func(t *testing.T, s *Server, id string) {
		bob, dave := s.Login(t, "bob"), s.Login(t, "dave")
		s.Pass(t, 5*time.Second)
		change(t, s, id, "add_group_member", M{"Silence": 1, "MemberList": []M{{"Member_Account": "dave"}}})
		hears(t, dave, "notice 7 for dave by administrator: ")
		hears(t, bob)
		order(t, s, id, "passing", M{"From_Account": "alice", "OnlineOnlyFlag": 1})
		hears(t, bob)
		order(t, s, id, "good morning", M{"From_Account": "alice", "Random": 8})
		order(t, s, id, "again", M{"From_Account": "alice", "Random": 9})
		var heard strings.Builder
		for _, p := range bob.Pushes(t) {
			heard.Write(p.Raw)
		}
		told, said := strings.Index(heard.String(), `"ReportType":7`), strings.Index(heard.String(), "good morning")
		if told < 0 || said < told || strings.LastIndex(heard.String(), `"ReportType":`) != told {
			t.Errorf("bob hears %s", heard.String())
		}
		hears(t, dave)
		kept(t, s.Login(t, "carol"), "notice 7 for carol by alice: ")

		other := create(t, s, "Work")
		change(t, s, other, "delete_group_member", M{"Silence": 1, "MemberToDel_Account": []string{"bob"}})
		hears(t, bob, "notice 4 for bob by administrator: ")
		order(t, s, other, "hello", M{"From_Account": "alice"})
		hears(t, bob)
	}, magpietest.Timed(), magpietest.Set(t, "commands-per-second", "0"))
}
