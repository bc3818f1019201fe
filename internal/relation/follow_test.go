package relation_test

import (
	"fmt"
	"slices"
	"testing"
)

// followList pages through one kind of an account's follows.
func followList(t *testing.T, s *Server, userID string, kind int) (names []string) {
	t.Helper()
	cursor := ""
	for {
		var page struct {
			Items []struct {
				To      string `json:"To_Account"`
				Time    int64  `json:"FollowTime"`
				Profile []M    `json:"ProfileItem"`
			} `json:"FollowItem"`
			NextCursor string
		}
		s.MustREST(t, "follow/follow_get", M{"From_Account": userID, "FollowType": kind, "StartCursor": cursor, "WantNum": 1}, &page)
		for _, one := range page.Items {
			names = append(names, one.To)
			if one.Time == 0 || len(one.Profile) == 0 {
				t.Errorf("%+v has no time, or no profile", one)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			return names
		}
	}
}

// counts reads how many follow whom: "followers following mutual".
func counts(t *testing.T, s *Server, names ...string) (lines []string) {
	t.Helper()
	var got struct {
		Counts []struct {
			To        string `json:"To_Account"`
			Followers int    `json:"FollowerCount"`
			Following int    `json:"FollowingCount"`
			Mutual    int    `json:"MutualFollowingCount"`
			Code      int    `json:"ResultCode"`
		} `json:"FollowInfo"`
	}
	s.MustREST(t, "follow/follow_get_info", M{"From_Account": "alice", "To_Account": names}, &got)
	for _, one := range got.Counts {
		lines = append(lines, fmt.Sprintf("%s %d %d %d %d", one.To, one.Followers, one.Following, one.Mutual, one.Code))
	}
	return lines
}

func follow(from string, names ...string) M {
	list := []M{}
	for _, name := range names {
		list = append(list, M{"To_Account": name})
	}
	return M{"From_Account": from, "FollowItem": list}
}

// Accounts follow each other; both sides hear of it, the lists and the counts agree, and the back end is told.
func TestFollow(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "follow.enabled", "on")
		end := s.BackEnd(t, "Follow.CallbackAfterFollowAdd,Follow.CallbackAfterFollowDelete")
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		does(t, alice, "follow.follow_add", follow("carol", "bob", "carol", "nobody", "alice", "bob"), "bob 0, carol 0, nobody 30003, alice 30001")
		hears(t, alice, "bob (nick of bob) 2 1", "carol (nick of carol) 2 1")
		hears(t, bob, "alice (nick of alice) 1 1")
		comes(t, s, "follow/follow_add", follow("alice", "bob"), "bob 0")
		hears(t, bob)
		comes(t, s, "follow/follow_add", follow("bob", "alice"), "alice 0")
		hears(t, bob, "alice (nick of alice) 2 1", "alice (nick of alice) 3 1")
		hears(t, alice, "bob (nick of bob) 1 1", "bob (nick of bob) 3 1")
		comes(t, s, "follow/follow_add", follow("dave", "alice"), "alice 0")
		for kind, want := range map[int][]string{1: {"dave", "bob"}, 2: {"carol", "bob"}, 3: {"bob"}} {
			if got := followList(t, s, "alice", kind); !slices.Equal(got, want) {
				t.Errorf("alice's list %d is %q, want %q", kind, got, want)
			}
		}
		if got := counts(t, s, "alice", "bob", "carol", "nobody"); !slices.Equal(got, []string{"alice 2 2 1 0", "bob 1 1 1 0", "carol 1 0 0 0", "nobody 0 0 0 30003"}) {
			t.Errorf("the counts are %q", got)
		}
		var checked struct {
			Items []struct {
				FollowType int
				Code       int `json:"ResultCode"`
			} `json:"ResultItem"`
		}
		s.MustREST(t, "follow/follow_check", M{"From_Account": "alice", "To_Account": []string{"bob", "carol", "dave", "administrator", "nobody"}}, &checked)
		if fmt.Sprint(checked.Items) != "[{3 0} {2 0} {1 0} {0 0} {0 30003}]" {
			t.Errorf("checked: %v", checked.Items)
		}
		alice.Pushes(t)
		does(t, alice, "follow.follow_delete", M{"To_Account": []string{"bob", "dave", "nobody"}}, "bob 0, dave 0, nobody 30003")
		hears(t, alice, "bob (nick of bob) 2 0", "bob (nick of bob) 3 0")
		hears(t, bob, "alice (nick of alice) 1 0", "alice (nick of alice) 3 0")
		if got := counts(t, s, "alice", "bob"); !slices.Equal(got, []string{"alice 2 1 0 0", "bob 0 1 0 0"}) {
			t.Errorf("then the counts are %q", got)
		}
		if got := followList(t, s, "bob", 3); len(got) != 0 {
			t.Errorf("bob's mutual list is %q", got)
		}
		var added struct {
			From string `json:"From_Account"`
			List []M    `json:"FollowList"`
		}
		end.Gets(t, "Follow.CallbackAfterFollowAdd", 3)[0].Into(t, &added)
		if added.From != "alice" || fmt.Sprint(added.List) != "[map[To_Account:bob] map[To_Account:carol]]" {
			t.Errorf("it is told %+v", added)
		}
		var removed struct {
			From string   `json:"From_Account"`
			To   []string `json:"To_Account"`
		}
		end.Gets(t, "Follow.CallbackAfterFollowDelete", 1)[0].Into(t, &removed)
		if removed.From != "alice" || !slices.Equal(removed.To, []string{"bob"}) {
			t.Errorf("it is told %+v", removed)
		}
	})
}

// Following is off until an operator switches it on, and has bounds.
func TestFollowRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Refuses(t, "follow/follow_add", follow("alice", "bob"), 30005)
		s.Refuses(t, "follow/follow_get", M{"From_Account": "alice", "FollowType": 1}, 30005)
		s.Configure(t, "follow.enabled", "on", "follow.max", "1")
		comes(t, s, "follow/follow_add", follow("alice", "bob", "carol"), "bob 0, carol 30010")
		s.Refuses(t, "follow/follow_add", follow("alice", slices.Repeat([]string{"bob"}, 21)...), 30001)
		s.Refuses(t, "follow/follow_add", follow("nobody", "bob"), 30003)
		s.Refuses(t, "follow/follow_get", M{"From_Account": "alice", "FollowType": 4}, 30001)
		s.Refuses(t, "follow/follow_get", M{"From_Account": "alice", "FollowType": 1, "StartCursor": "x"}, 30001)
	})
}
