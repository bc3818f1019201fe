package attribute_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

var careful = []string{"RaceConflict"}

// Attributes are replaced, merged, deleted and cleared by both doors; members hear of it, but for the device that did it, and the
// back end is told.
func TestAttributes(t *testing.T) {
	for _, kind := range []string{"Private", "Community"} {
		story(t, kind, func(t *testing.T, s *Server, id string) {
			back := s.BackEnd(t, "Group.CallbackAfterGroupAttrChanged")
			alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
			var reply kept
			alice.MustCall(t, client+"set_group_attr", M{
				"GroupId": id, "GroupAttr": attributes("a=1", "b=2"), "AttrMainSeq": 0, "AttrControl": careful,
			}, &reply)
			if reply.String() != "1 a=/1 b=/1" {
				t.Errorf("the answer is %q", reply.String())
			}
			bob.Sees(t, "attributes 1: option 1, a=1/1 b=2/1")
			alice.SeesNothing(t)
			bob.MustCall(t, client+"modify_group_attr", M{
				"GroupId": id, "GroupAttr": attributes("b=two/1", "c=3/0"), "AttrMainSeq": 1, "AttrControl": careful,
			}, &reply)
			alice.Sees(t, "attributes 2: option 2, b=two/2 c=3/2")
			has(t, s, bob, id, "2 a=1/1 b=two/2 c=3/2")
			s.MustREST(t, rest+"delete_group_attr", M{"GroupId": id, "GroupAttr": []M{{"key": "a"}}}, nil)
			s.MustREST(t, rest+"delete_group_attr", M{"GroupId": id, "AttrKeys": []string{"c"}}, nil)
			alice.Sees(t, "attributes 3: option 4, a=/3", "attributes 4: option 4, c=/4")
			has(t, s, bob, id, "4 b=two/2")
			bob.MustCall(t, client+"clear_group_attr", M{"GroupId": id, "AttrMainSeq": 4, "AttrControl": careful}, nil)
			alice.Sees(t, "attributes 5: option 3, ")
			s.NextSecond(t)
			s.MustREST(t, rest+"set_group_attr", M{"GroupId": id, "GroupAttr": attributes("z=26")}, nil)
			has(t, s, bob, id, "6 z=26/6")
			told := ""
			for _, c := range back.Gets(t, "Group.CallbackAfterGroupAttrChanged", 6) {
				var body struct {
					GroupID    string `json:"GroupId"`
					Type       string
					Operator   string `json:"Operator_Account"`
					OptionType string
					GroupAttr  []struct{ Key, Value string }
				}
				c.Into(t, &body)
				told += fmt.Sprint(body.Operator, " ", body.OptionType, " ", body.GroupAttr, "; ")
				if body.GroupID != id || body.Type != kind {
					t.Errorf("told of %+v", body)
				}
			}
			if want := "alice set [{a 1} {b 2}]; bob modify [{b two} {c 3}]; administrator delete [{a }]; administrator delete [{c }]; " +
				"bob clear []; administrator set [{z 26}]; "; told != want {
				t.Errorf("told %q, want %q", told, want)
			}
		})
	}
}

// Who changes what he has not seen is refused, and what he names decides: keys that others change do not matter to him.
func TestAttributesChangedMeanwhile(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		change := func(c *Conn, command string, main int, all ...string) magpietest.Envelope {
			return c.Call(t, client+command, M{"GroupId": id, "GroupAttr": attributes(all...), "AttrMainSeq": main, "AttrControl": careful}, nil)
		}
		for i, row := range []struct {
			by      *Conn
			command string
			main    int
			all     string
			code    int
		}{
			{alice, "set_group_attr", 0, "a=1 b=1", 0},
			{bob, "set_group_attr", 0, "a=2", 10056},
			{bob, "modify_group_attr", 0, "a=2/0", 10056},
			{bob, "modify_group_attr", 0, "c=1/0", 0},
			{alice, "modify_group_attr", 1, "a=2/1", 0}, // c is nothing to her
			{alice, "delete_group_attr", 3, "b=/2", 10056},
			{alice, "delete_group_attr", 3, "x=/0", 10050},
			{bob, "clear_group_attr", 2, "", 10056},
			{bob, "delete_group_attr", 2, "b=/1", 0},
			{alice, "modify_group_attr", 3, "b=3/1", 10056}, // it is not there any more
			{alice, "modify_group_attr", 3, "b=3/0", 0},
		} {
			if e := change(row.by, row.command, row.main, strings.Fields(row.all)...); e.ErrorCode != row.code {
				t.Errorf("%d: %s %s by who knows %d: %d %s, want %d", i, row.command, row.all, row.main, e.ErrorCode, e.ErrorInfo, row.code)
			}
		}
		has(t, s, bob, id, "5 a=2/3 b=3/5 c=1/2")
		refuses(t, alice, "set_group_attr", M{"GroupId": "gone"}, 10010)
	})
}

// The bounds of attributes, each with its own code. A change that is refused changes nothing and does not count.
func TestAttributeBounds(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		alice := s.Login(t, "alice")
		long, many := strings.Repeat("v", 4000), []string{}
		for i := range 16 {
			many = append(many, fmt.Sprintf("k%d=v", i))
		}
		for _, row := range []struct {
			command string
			all     []string
			code    int
		}{
			{"set_group_attr", []string{strings.Repeat("k", 33) + "=v"}, 10045},
			{"set_group_attr", []string{"=v"}, 10045},
			{"set_group_attr", []string{"k=v" + long}, 10046},
			{"set_group_attr", append(many, "one more=v"), 10047},
			{"set_group_attr", []string{"a=" + long, "b=" + long, "c=" + long, "d=" + long, "e=v"}, 10048},
			{"modify_group_attr", nil, 10004},
			{"delete_group_attr", nil, 10004},
			{"delete_group_attr", []string{"nothing"}, 10050},
			{"set_group_attr", []string{"a=" + long, "b=" + long, "c=" + long, "d=" + long}, 0},
			{"modify_group_attr", []string{"e=v"}, 10048},
			{"modify_group_attr", []string{"e="}, 0},
			{"set_group_attr", many, 0},
			{"modify_group_attr", []string{"one more="}, 10047},
			{"modify_group_attr", []string{"k0=", strings.Repeat("k", 32) + "=v"}, 10047},
			{"modify_group_attr", []string{"k0=", "k0=last"}, 0},
			{"set_group_attr", nil, 0},
			{"set_group_attr", []string{"k=v"}, 10049},
			{"clear_group_attr", nil, 10049},
		} {
			e := alice.Call(t, client+row.command, M{"GroupId": id, "GroupAttr": attributes(row.all...)}, nil)
			if e.ErrorCode != row.code {
				t.Errorf("%s of %d: %d %s, want %d", row.command, len(row.all), e.ErrorCode, e.ErrorInfo, row.code)
			}
		}
		s.Refuses(t, rest+"set_group_attr", M{"GroupId": id}, 10049)
		has(t, s, alice, id, "5")
		s.NextSecond(t)
		s.MustREST(t, rest+"set_group_attr", M{"GroupId": id, "GroupAttr": attributes("k=v")}, nil)
		has(t, s, alice, id, "6 k=v/6")
	})
}

// A group that is made anew under the name of a destroyed one has nothing of it.
func TestAttributesEndWithTheGroup(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, _ string) {
		found := func() {
			s.MustREST(t, rest+"create_group", M{"Type": "Public", "Name": "n", "GroupId": "own", "Owner_Account": "alice"}, nil)
		}
		found()
		alice := s.Login(t, "alice")
		s.MustREST(t, rest+"set_group_attr", M{"GroupId": "own", "GroupAttr": attributes("k=v")}, nil)
		s.MustREST(t, rest+"update_group_counter", M{"GroupId": "own", "GroupCounter": []M{{"Key": "n", "Value": 1}}}, nil)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": "own"}, nil)
		refuses(t, alice, "set_group_attr", M{"GroupId": "own"}, 10010)
		refuses(t, alice, "set_group_attr", M{}, 10004)
		found()
		has(t, s, alice, "own", "0")
		counts(t, s, "own", "0 ")
	})
}

// An operator may leave attributes and counters to the owner and administrators.
func TestWritersAreChosen(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.Configure(t, "group.attribute_who", "admin", "group.counter_who", "admin")
		bob, alice := s.Login(t, "bob"), s.Login(t, "alice")
		attribute := M{"GroupId": id, "GroupAttr": attributes("k=v")}
		counter := M{"GroupId": id, "GroupCounter": []M{{"Key": "n", "Value": 1}}}
		refuses(t, bob, "set_group_attr", attribute, 10007)
		refuses(t, bob, "update_group_counter", counter, 10007)
		alice.MustCall(t, client+"set_group_attr", attribute, nil)
		alice.MustCall(t, client+"update_group_counter", counter, nil)
		s.MustREST(t, rest+"set_group_attr", attribute, nil)
		s.MustREST(t, rest+"modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "Role": "Admin"}, nil)
		bob.MustCall(t, client+"set_group_attr", attribute, nil)
		s.Pass(t, time.Second)
	})
}
