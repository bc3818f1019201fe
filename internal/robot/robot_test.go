package robot_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// M is a JSON object.
type M = magpietest.M

const robot = "@RBT#001"

func create(t *testing.T, s *magpietest.Server, userID string, more M) {
	t.Helper()
	s.MustREST(t, "openim_robot_http_svc/create_robot", magpietest.With(M{"UserID": userID}, more), nil)
}

func robots(t *testing.T, s *magpietest.Server) []string {
	t.Helper()
	var reply struct {
		Names []string `json:"Robot_Account"`
	}
	s.MustREST(t, "openim_robot_http_svc/get_all_robots", M{}, &reply)
	if reply.Names == nil {
		t.Error("no list")
	}
	return reply.Names
}

// profileOf reads nick, avatar and signature.
func profileOf(t *testing.T, s *magpietest.Server, userID string) map[string]string {
	t.Helper()
	var reply struct {
		Users []struct {
			Items []struct{ Tag, Value string } `json:"ProfileItem"`
		} `json:"UserProfileItem"`
	}
	s.MustREST(t, "profile/portrait_get", M{"To_Account": []string{userID}, "TagList": []string{
		"Tag_Profile_IM_Nick", "Tag_Profile_IM_Image", "Tag_Profile_IM_SelfSignature"}}, &reply)
	fields := map[string]string{}
	for _, item := range reply.Users[0].Items {
		fields[item.Tag[len("Tag_Profile_IM_"):]] = item.Value
	}
	return fields
}

func status(t *testing.T, s *magpietest.Server, userID string) string {
	t.Helper()
	var reply struct {
		ResultItem []struct{ AccountStatus string }
	}
	s.MustREST(t, "im_open_login_svc/account_check", M{"CheckItem": []M{{"UserID": userID}}}, &reply)
	return reply.ResultItem[0].AccountStatus
}

// A robot is an account: it is found by its name, has a profile, and goes away again.
func TestLife(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		if got := robots(t, s); len(got) != 0 {
			t.Errorf("robots %q", got)
		}
		create(t, s, "@RBT#002", nil)
		create(t, s, robot, M{"Nick": "Jarvis", "FaceUrl": "http://x/head.jpg", "SelfSignature": "hello"})
		create(t, s, robot, M{"Nick": "Friday"}) // again: one robot, and what is not given stays
		if got := robots(t, s); !slices.Equal(got, []string{robot, "@RBT#002"}) {
			t.Errorf("robots %q", got)
		}
		want := map[string]string{"Nick": "Friday", "Image": "http://x/head.jpg", "SelfSignature": "hello"}
		if got := profileOf(t, s, robot); !maps.Equal(got, want) {
			t.Errorf("profile %v, want %v", got, want)
		}
		if got := status(t, s, robot); got != "Imported" {
			t.Errorf("account_check says %s", got)
		}
		s.MustREST(t, "openim_robot_http_svc/delete_robot", M{"Robot_Account": robot}, nil)
		if got := robots(t, s); !slices.Equal(got, []string{"@RBT#002"}) || status(t, s, robot) != "NotImported" {
			t.Errorf("after the deletion: robots %q, account_check %s", got, status(t, s, robot))
		}
		s.Refuses(t, "openim_robot_http_svc/delete_robot", M{"Robot_Account": robot}, 10004)
		create(t, s, robot, nil)
		if got := profileOf(t, s, robot); len(got) != 0 {
			t.Errorf("a robot made anew has the profile %v", got)
		}
	})
}

func TestRefuses(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice")
		for _, name := range []any{"", "alice", "RBT#1", "@RBT#" + fmt.Sprintf("%028d", 0), "@RBT#\n", 7, nil} {
			s.Refuses(t, "openim_robot_http_svc/create_robot", M{"UserID": name}, 10004)
		}
		long := fmt.Sprintf("%0501d", 0)
		for _, field := range []string{"Nick", "FaceUrl", "SelfSignature"} {
			s.Refuses(t, "openim_robot_http_svc/create_robot", M{"UserID": robot, field: long}, 10004)
		}
		for _, name := range []any{"", "alice", robot, 7} {
			s.Refuses(t, "openim_robot_http_svc/delete_robot", M{"Robot_Account": name}, 10004)
		}
		if got := status(t, s, "alice"); got != "Imported" {
			t.Errorf("alice is %s", got)
		}
	})
}

// A robot may log in, but its first login does not make it: its commands do, which count robots.
func TestLoginMakesNoRobot(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		c := s.Connect(t)
		for _, name := range []string{robot, "@TOA#1", "@TIM#SYSTEM"} {
			if e := c.TryLogin(t, name, s.UserSig(t, name)); e.ErrorCode != 70107 {
				t.Errorf("%s logs in: %d %s", name, e.ErrorCode, e.ErrorInfo)
			}
		}
		create(t, s, robot, nil)
		c.Login(t, robot)
	})
}

// An application has so many robots and no more; those of other applications do not count.
func TestBound(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		other := s.App(t, 1400000002, "another key")
		create(t, other, robot, nil)
		for n := range 20 {
			create(t, s, fmt.Sprintf("@RBT#%03d", n), nil)
		}
		s.Refuses(t, "openim_robot_http_svc/create_robot", M{"UserID": "@RBT#more"}, 10008)
		create(t, s, robot, M{"Nick": "changed"}) // one that exists is not one more
		s.Configure(t, "robot.max", "21")
		create(t, s, "@RBT#more", nil)
		if got := len(robots(t, s)); got != 21 || len(robots(t, other)) != 1 {
			t.Errorf("%d robots here, %d there", got, len(robots(t, other)))
		}
	})
}
