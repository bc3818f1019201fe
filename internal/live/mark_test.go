package live_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

type markedMember struct {
	Member string `json:"Member_Account"`
	Marks  []int
}

// listedBy is who is listed for a mark, 0 for all, each with his marks.
func listedBy(t *testing.T, s *Server, id string, mark int) (all []string) {
	t.Helper()
	var answer struct {
		Members []markedMember `json:"MemberList"`
	}
	s.MustREST(t, special+"get_members", M{"GroupId": id, "Timestamp": 0, "Mark": mark}, &answer)
	for _, one := range answer.Members {
		all = append(all, strings.TrimSpace(fmt.Sprint(one.Member, " ", strings.Trim(fmt.Sprint(one.Marks), "[]"))))
	}
	return all
}

func marks(id string, command int, member string, all ...int) M {
	return M{"GroupId": id, "CommandType": command, "MemberList": []M{{"Member_Account": member, "Marks": all}}}
}

func inside(t *testing.T, s *Server, id string, users ...string) []string {
	t.Helper()
	var answer struct {
		Members []string `json:"Member_Account"`
	}
	s.MustREST(t, special+"check_members", M{"GroupId": id, "Member_Account": users}, &answer)
	return answer.Members
}

// The owner and the back end mark who is inside; members are found by their marks, which are gone when they leave.
func TestMarks(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob, carol := enters(t, s, "bob", id), enters(t, s, "carol", id)
		alice := s.Login(t, "alice")
		var got struct {
			Command int            `json:"CommandType"`
			Members []markedMember `json:"MemberList"`
		}
		s.MustREST(t, special+"modify_user_info", M{"GroupId": id, "CommandType": 1, "MemberList": []M{
			{"Member_Account": "bob", "Marks": []int{1001, 1000}}, {"Member_Account": "dave", "Marks": []int{1000}},
			{"Member_Account": "nobody", "Marks": []int{1000}},
		}}, &got)
		if len(got.Members) != 1 || got.Members[0].Member != "bob" || got.Command != 1 {
			t.Errorf("marked are %+v", got)
		}
		mark := func(c *Conn, body M) int {
			return c.Call(t, "group_open_avchatroom_http_svc.modify_user_info", body, nil).ErrorCode
		}
		for _, row := range []struct {
			by   *Conn
			body M
			code int
		}{
			{alice, marks(id, 1, "carol", 1000), 0}, {alice, marks(id, 2, "bob", 1000), 0}, {bob, marks(id, 1, "carol", 1002), 10007},
			{alice, marks(id, 1, "carol", 600), 10004}, {alice, marks(id, 1, "dave", 1000), 10004}, {alice, marks(id, 3, "bob", 1000), 10004},
			{alice, marks(id, 1, "bob", 1, 2), 10004}, {alice, marks(id, 1, "bob"), 10004},
			{alice, marks(id, 1, "bob", 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010), 10004},
		} {
			if code := mark(row.by, row.body); code != row.code {
				t.Errorf("%s marks %v with the code %d, want %d", row.by.UserID, row.body, code, row.code)
			}
		}
		if got := listedBy(t, s, id, 0); !slices.Equal(got, []string{"carol 1000", "bob 1001"}) {
			t.Errorf("listed are %q", got)
		}
		if got := listedBy(t, s, id, 1000); !slices.Equal(got, []string{"carol 1000"}) {
			t.Errorf("with the mark listed are %q", got)
		}
		s.MustREST(t, special+"modify_user_info", marks(id, 1, "bob", 600), nil)
		if got := listedBy(t, s, id, 0); !slices.Equal(got, []string{"carol 1000"}) {
			t.Errorf("beside who is hidden listed are %q", got)
		}
		if got := listedBy(t, s, id, 1001); !slices.Equal(got, []string{"bob 600 1001"}) {
			t.Errorf("who is hidden is found by his mark: %q", got)
		}
		carol.MustCall(t, groups+"quit_group", M{"GroupId": id}, nil)
		join(t, carol, id)
		if got := listedBy(t, s, id, 0); !slices.Equal(got, []string{"carol"}) {
			t.Errorf("when carol was away listed are %q", got)
		}
		if got := inside(t, s, id, "dave", "carol", "nobody", "bob"); !slices.Equal(got, []string{"carol", "bob"}) {
			t.Errorf("inside are %q", got)
		}
		s.Refuses(t, special+"check_members", M{"GroupId": id, "Member_Account": []string{}}, 10004)
	})
}

// Robots are inside without a session, for three days or until the back end ends it.
func TestRobots(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		robots := func(command string, users ...string) {
			s.MustREST(t, special+command, M{"GroupId": id, "Member_Account": users}, nil)
		}
		robots("add_robots", "bob", "carol")
		s.MustREST(t, special+"modify_user_info", marks(id, 1, "dave", 500), nil)
		if n := online(t, s, id); n != 3 || len(listedBy(t, s, id, 500)) != 3 {
			t.Errorf("%d are inside, and %q listed as robots", n, listedBy(t, s, id, 500))
		}
		s.Pass(t, time.Hour)
		robots("del_robots", "bob")
		if got := inside(t, s, id, "bob", "carol", "dave"); !slices.Equal(got, []string{"carol", "dave"}) {
			t.Errorf("inside are %q", got)
		}
		s.Refuses(t, special+"add_robots", M{"GroupId": id, "Member_Account": []string{"nobody"}}, 10019)
		if got := s.Login(t, "bob").Call(t, "group_open_avchatroom_http_svc.add_robots", M{"GroupId": id, "Member_Account": []string{"bob"}}, nil).ErrorCode; got != 10007 {
			t.Errorf("bob makes himself a robot with the code %d", got)
		}
		magpietest.Eventually(t, "three days are over", func() bool {
			s.Pass(t, 24*time.Hour)
			return online(t, s, id) == 0
		})
	})
}

// Marks and who is inside are known on whichever node is asked.
func TestMarksOnAnotherNode(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice", "bob")
	id := create(t, here, M{})
	enters(t, here, "bob", id)
	magpietest.Eventually(t, "the other node knows", func() bool { return online(t, there, id) == 1 })
	if got := inside(t, there, id, "alice", "bob"); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("inside are %q", got)
	}
	there.MustREST(t, special+"modify_user_info", marks(id, 1, "bob", 1000), nil)
	for _, s := range []*Server{here, there} {
		magpietest.Eventually(t, "the mark is known", func() bool { return slices.Equal(listedBy(t, s, id, 1000), []string{"bob 1000"}) })
	}
}
