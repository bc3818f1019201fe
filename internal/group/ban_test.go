package group_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/magpietest"
)

// bans lists who is banned, by pages of the size, in the order of names.
func bans(t *testing.T, s *Server, id string, size int) (all []string) {
	t.Helper()
	for offset, pages := 0, 0; ; pages++ {
		var reply struct {
			List []struct {
				Account string `json:"Member_Account"`
				Until   int64  `json:"BannedUntil"`
			} `json:"BannedAccountList"`
			NextOffset int
		}
		s.MustREST(t, rest+"get_group_ban_member", M{"GroupId": id, "Limit": size, "Offset": offset}, &reply)
		for _, one := range reply.List {
			const ten = 10 // a login may take a second of the clock
			all = append(all, fmt.Sprint(one.Account, " ", (one.Until-s.Now().Unix()+ten/2)/ten*ten))
		}
		if offset = reply.NextOffset; offset == 0 || pages > 10 {
			slices.Sort(all)
			return all
		}
	}
}

func wantBans(t *testing.T, s *Server, id string, want ...string) {
	t.Helper()
	for _, size := range []int{0, 1} {
		got := bans(t, s, id, size)
		slices.Sort(got) // they are listed in the order of the accounts' numbers
		if !slices.Equal(got, want) {
			t.Errorf("banned are %q, want %q", got, want)
		}
	}
}

// A banned member is out, and stays out until the ban ends or is taken back: he neither joins, nor is added, nor approved.
func TestBan(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		for _, kind := range types(t) {
			id := create(t, s, kind.String(), M{"ApplyJoinOption": "FreeAccess", "InviteJoinOption": "FreeAccess"})
			ban := M{"GroupId": id, "Members_Account": []string{"bob", "dave"}, "Duration": 60, "Description": "noise"}
			s.MustREST(t, rest+"ban_group_member", ban, nil)
			if m := read(t, s, id).MemberList; len(m) != 2 || slices.ContainsFunc(m, func(m member) bool { return m.Account == "bob" }) {
				t.Errorf("%s: after the ban it has %+v", kind, m)
			}
			wantBans(t, s, id, "bob 60", "dave 60")
			bob := by(s.Login(t, "bob"))
			if kind.Rule("join.outcome.FreeAccess") == "JoinedSuccess" {
				bob.refuses(t, "apply_join_group", M{"GroupId": id}, 10007)
			}
			for _, call := range []caller{byREST(s), by(s.Login(t, "alice"))} {
				wantAdded(t, call, id, "dave", 0)
			}
			s.MustREST(t, rest+"ban_group_member", magpietest.With(ban, M{"Members_Account": []string{"bob"}, "Duration": 30}), nil)
			wantBans(t, s, id, "bob 30", "dave 60")
			s.Pass(t, 30*time.Second)
			wantBans(t, s, id, "dave 30")
			wantAdded(t, byREST(s), id, "bob", 1)
			s.MustREST(t, rest+"unban_group_member", M{"GroupId": id, "Members_Account": []string{"dave", "bob"}}, nil)
			wantBans(t, s, id)
			wantAdded(t, byREST(s), id, "dave", 1)
		}
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "1h"))
}

func wantAdded(t *testing.T, call caller, id, userID string, result int) {
	t.Helper()
	var reply struct{ MemberList []struct{ Result int } }
	call.must(t, "add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": userID}}}, &reply)
	if reply.MemberList[0].Result != result {
		t.Errorf("adding %s gives %d, want %d", userID, reply.MemberList[0].Result, result)
	}
}

// A ban takes back a request to join, and is told as a removal.
func TestBanAndRequests(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		back := s.BackEnd(t, "Group.CallbackAfterMemberExit")
		id := create(t, s, "Public", M{"ApplyJoinOption": "NeedPermission"})
		dave, alice := by(s.Login(t, "dave")), by(s.Login(t, "alice"))
		dave.must(t, "apply_join_group", M{"GroupId": id}, nil)
		s.MustREST(t, rest+"ban_group_member", M{"GroupId": id, "Members_Account": []string{"dave", "bob"}, "Duration": 60}, nil)
		var pending struct{ PendencyList []M }
		alice.must(t, "get_pendency", M{"StartTime": 0, "Limit": 20}, &pending)
		if len(pending.PendencyList) != 0 {
			t.Errorf("requests are open: %v", pending.PendencyList)
		}
		dave.refuses(t, "apply_join_group", M{"GroupId": id}, 10007)
		var exit struct {
			ExitType string
			List     []struct {
				Account string `json:"Member_Account"`
			} `json:"ExitMemberList"`
		}
		back.Gets(t, "Group.CallbackAfterMemberExit", 1)[0].Into(t, &exit)
		if exit.ExitType != "Kicked" || len(exit.List) != 1 || exit.List[0].Account != "bob" {
			t.Errorf("the back end was told %+v", exit)
		}
	})
}

// What cannot be banned, and a group made anew that knows of no ban.
func TestBanRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", M{"GroupId": "own"})
		many := make([]string, 21)
		for _, row := range []struct {
			more M
			code int
		}{
			{M{"Members_Account": []string{"alice"}}, 10004},
			{M{"Members_Account": []string{"nobody"}}, 10019},
			{M{"Members_Account": []string{}}, 10005},
			{M{"Members_Account": many}, 10005},
			{M{"Duration": 0}, 10004},
			{M{"Duration": 4294967296}, 10004},
			{M{"Duration": nil}, 10004},
			{M{"Description": string(make([]byte, 1001))}, 10004},
			{M{"GroupId": "none"}, 10010},
		} {
			byREST(s).refuses(t, "ban_group_member", magpietest.With(M{"GroupId": id, "Members_Account": []string{"bob"}, "Duration": 60}, row.more), row.code)
		}
		s.MustREST(t, rest+"ban_group_member", M{"GroupId": id, "Members_Account": []string{"bob"}, "Duration": 4294967295}, nil)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": id}, nil)
		create(t, s, "Public", M{"GroupId": "own"})
		want(t, s, id, "Public the group of alice, 3: alice=Owner bob=Member carol=Admin")
		wantBans(t, s, id)
	})
}

// Who may ban: nobody at the client door, of no type whose members are stored.
func TestWhoMayBan(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		for _, kind := range types(t) {
			a := attempt{rule: "ban.who.client", command: "ban_group_member", body: M{"Members_Account": []string{"erin"}, "Duration": 60}}
			for _, who := range roles(kind) {
				c.try(t, kind, who, a, over(kind, a.rule, who, "member"))
			}
			c.try(t, kind, "rest", a, kind.Allows("ban.who.rest", group.WhoAppAdmin))
		}
	})
}
