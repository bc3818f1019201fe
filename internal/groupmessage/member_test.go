package groupmessage_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// Who becomes a member while he is online gets what is said from then on, on all his devices, and who was one when he logged in
// too; who leaves or is removed gets nothing more.
func TestMembersComeAndGo(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, dave := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "dave")
		say(t, alice, says(id, "one", 1))
		s.MustREST(t, "group_open_http_svc/add_group_member", M{
			"GroupId": id, "Silence": 1, "MemberList": []M{{"Member_Account": "dave"}},
		}, nil)
		say(t, alice, says(id, "two", 2))
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{
			"GroupId": id, "Silence": 1, "MemberToDel_Account": []string{"bob"},
		}, nil)
		again := s.Login(t, "bob", magpietest.Platform(3))
		say(t, alice, says(id, "three", 3))
		dave.MustCall(t, "group_open_http_svc.quit_group", M{"GroupId": id}, nil)
		order(t, s, id, "four", M{"From_Account": "alice"})
		saw(t, bob, "alice: one", "alice: two")
		saw(t, dave, "alice: two", "alice: three")
		again.SeesNothing(t)
		other := create(t, s, "Public")
		order(t, s, other, "five", M{"From_Account": "alice"})
		saw(t, bob, "alice: five")
		saw(t, again, "alice: five")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// Who is imported while he is online hears what is said from then on, as its owner does of an imported group, and of nothing
// else: no tip and no notice.
func TestImported(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		dave := s.Login(t, "dave")
		s.MustREST(t, "group_open_http_svc/import_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "dave"}}}, nil)
		s.MustREST(t, "group_open_http_svc/import_group", M{"Type": "Public", "Name": "old", "GroupId": "old", "Owner_Account": "dave"}, nil)
		order(t, s, id, "one", M{"From_Account": "alice"})
		order(t, s, "old", "two", M{"From_Account": "alice"})
		dave.Sees(t, "1 alice: one", "1 alice: two")
	})
}

// saw compares what members said with these lines. What else groups tell is left out.
func saw(t *testing.T, c *Conn, lines ...string) {
	t.Helper()
	var got []string
	for _, p := range c.Pushes(t) {
		for _, one := range messagesOf(t, &p) {
			got = append(got, one.From+": "+one.text())
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(lines) {
		t.Errorf("%s saw %q, want %q", c.UserID, got, lines)
	}
}

// A member who is removed while others speak gets nothing that is sent after he was removed, though he is removed, added and
// logs in at the same moment.
func TestRemovedWhileOthersSpeak(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.Configure(t, "group.message_rate", "100000")
		bob := s.Login(t, "bob")
		const rounds = 15
		for n := range rounds {
			change := func(command, field string, of any) {
				s.MustREST(t, "group_open_http_svc/"+command, M{"GroupId": id, "Silence": 1, field: of}, nil)
			}
			var group sync.WaitGroup
			group.Go(func() {
				change("add_group_member", "MemberList", []M{{"Member_Account": "bob"}})
				change("delete_group_member", "MemberToDel_Account", []string{"bob"})
			})
			group.Go(func() { order(t, s, id, "meanwhile", M{"From_Account": "alice", "Random": n}) })
			late := s.Login(t, "bob", magpietest.Platform(3))
			group.Wait()
			order(t, s, id, fmt.Sprint("after ", n), M{"From_Account": "alice", "Random": n})
			for _, c := range []*Conn{bob, late} {
				for _, p := range c.Pushes(t) {
					for _, one := range messagesOf(t, &p) {
						if one.text() != "meanwhile" {
							t.Errorf("round %d: %s", n, one.String())
						}
					}
				}
			}
			late.Close()
		}
	}, magpietest.Set(t, "commands-per-second", "0"))
}
