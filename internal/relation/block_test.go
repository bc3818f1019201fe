package relation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// blocklistOf pages through a blocklist.
func blocklistOf(t *testing.T, s *Server, userID string, limit int) (names []string) {
	t.Helper()
	start := int64(0)
	for {
		var page struct {
			Items []struct {
				To    string `json:"To_Account"`
				Added int64  `json:"AddBlackTimeStamp"`
			} `json:"BlackListItem"`
			StartIndex int64
		}
		s.MustREST(t, "sns/black_list_get", M{"From_Account": userID, "StartIndex": start, "MaxLimited": limit, "LastSequence": 0}, &page)
		for _, one := range page.Items {
			names = append(names, one.To)
			if one.Added == 0 {
				t.Errorf("%s was blocked at no time", one.To)
			}
		}
		if start = page.StartIndex; start == 0 {
			return names
		}
	}
}

// Who is blocked is no friend any more and may not ask; the blocklist is the blocker's alone, on all devices.
func TestBlock(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		end := s.BackEnd(t, "Sns.CallbackBlackListAdd,Sns.CallbackBlackListDelete,Sns.CallbackFriendDelete")
		allows(t, s, "carol", "NeedConfirm")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 30539")
		alice, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
		names := func(all ...string) M { return M{"From_Account": "alice", "To_Account": all} }
		does(t, alice, "sns.black_list_add", names("bob", "carol", "nobody", "alice", "bob"), "bob 0, carol 0, nobody 30003, alice 30001")
		for _, device := range []*Conn{alice, phone} {
			hears(t, device, "5 bob", "5 carol", "2 bob", "4 alice asked: carol")
		}
		hears(t, bob, "2 alice")
		has(t, s, "alice")
		has(t, s, "bob")
		waits(t, alice, 0)
		comes(t, s, "sns/black_list_add", names("bob"), "bob 0")
		hears(t, alice)
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 30515")
		comes(t, s, "sns/friend_add", asking("bob", "alice"), "alice 30525")
		if got := blocklistOf(t, s, "alice", 1); !slices.Equal(got, []string{"bob", "carol"}) {
			t.Errorf("the blocklist is %q", got)
		}
		if got := blocklistOf(t, s, "bob", 100); len(got) != 0 {
			t.Errorf("bob's blocklist is %q", got)
		}
		comes(t, s, "sns/black_list_delete", names("bob", "dave", "nobody"), "bob 0, dave 0, nobody 30003")
		hears(t, phone, "6 bob")
		if got := blocklistOf(t, s, "alice", 100); !slices.Equal(got, []string{"carol"}) {
			t.Errorf("the blocklist is %q", got)
		}
		hearsOf(t, end, "Sns.CallbackBlackListAdd", []string{"alice bob ", "alice carol "})
		hearsOf(t, end, "Sns.CallbackBlackListDelete", []string{"alice bob "})
		hearsOf(t, end, "Sns.CallbackFriendDelete", []string{"alice bob ", "bob alice "})
	})
}

// How two blocklists stand to each other, and the bound of one.
func TestBlockCheck(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "blocklist.max", "2")
		comes(t, s, "sns/black_list_add", M{"From_Account": "alice", "To_Account": []string{"bob", "carol", "dave"}}, "bob 0, carol 0, dave 30013")
		comes(t, s, "sns/black_list_add", M{"From_Account": "bob", "To_Account": []string{"alice"}}, "alice 0")
		comes(t, s, "sns/black_list_add", M{"From_Account": "dave", "To_Account": []string{"alice"}}, "alice 0")
		check := func(kind string) (lines []string) {
			var got struct {
				Items []struct {
					To       string `json:"To_Account"`
					Relation string
					Code     int `json:"ResultCode"`
				} `json:"BlackListCheckItem"`
			}
			s.MustREST(t, "sns/black_list_check", M{"From_Account": "alice", "To_Account": []string{"bob", "carol", "dave", "nobody"},
				"CheckType": "BlackCheckResult_Type_" + kind}, &got)
			for _, one := range got.Items {
				lines = append(lines, fmt.Sprintf("%s %d", strings.TrimPrefix(one.Relation, "BlackCheckResult_Type_"), one.Code))
			}
			return lines
		}
		if got := check("Both"); !slices.Equal(got, []string{"BothWay 0", "AWithB 0", "BWithA 0", "NO 30003"}) {
			t.Errorf("both: %q", got)
		}
		if got := check("Single"); !slices.Equal(got, []string{"AWithB 0", "AWithB 0", "NO 0", "NO 30003"}) {
			t.Errorf("single: %q", got)
		}
	})
}
