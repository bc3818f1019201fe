package group_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// added is the reply to add_group_member.
type added struct {
	MemberList []struct {
		Account string `json:"Member_Account"`
		Result  int
	}
}

func (a *added) String() string {
	lines := []string{}
	for _, m := range a.MemberList {
		lines = append(lines, fmt.Sprintf("%s=%d", m.Account, m.Result))
	}
	return strings.Join(lines, " ")
}

func named(users ...string) []M {
	list := []M{}
	for _, user := range users {
		list = append(list, M{"Member_Account": user})
	}
	return list
}

// list reads all of a group's members in pages of two.
func list(t *testing.T, call caller, groupID string, byCursor bool) []string {
	t.Helper()
	all, next := []string{}, ""
	for offset := 0; ; offset += 2 {
		body := M{"GroupId": groupID, "Limit": 2, "Offset": offset}
		if byCursor {
			body = M{"GroupId": groupID, "Limit": 2, "Next": next}
		}
		var page struct {
			MemberNum  int
			MemberList []member
			Next       *string
		}
		call.must(t, "get_group_member_info", body, &page)
		for _, m := range page.MemberList {
			all = append(all, m.Account)
		}
		if byCursor {
			next = *page.Next
		}
		if byCursor && next == "" || len(page.MemberList) < 2 {
			slices.Sort(all)
			return all
		}
	}
}

// Adding says of each account what became of it, fills the group to its bound, and not beyond.
func TestAdd(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Import(t, "erin", "frank")
		for _, kind := range []string{"Public", "Community"} {
			id := create(t, s, kind, M{"MaxMemberCount": 5})
			var got added
			s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave", "bob", "dave")}, &got)
			if got.String() != "dave=1 bob=2 dave=1" {
				t.Errorf("added: %s", got.String())
			}
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("erin", "frank")}, 10014)
			s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("erin")}, nil)
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("frank")}, 10014)
			want(t, s, id, kind+" the group of alice, 5: alice=Owner bob=Member carol=Admin dave=Member erin=Member")
			byREST := list(t, byREST(s), id, kind == "Community")
			if !slices.Equal(byREST, []string{"alice", "bob", "carol", "dave", "erin"}) {
				t.Errorf("the pages have %q", byREST)
			}
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("nobody")}, 10019)
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": []M{}}, 10005)
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": make([]M, 301)}, 10005)
		}
	})
}

// Three hundred accounts are added in one call, and listed.
func TestAddMany(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		users := make([]string, 300)
		for i := range users {
			users[i] = fmt.Sprintf("many%03d", i)
		}
		for _, chunk := range slices.Collect(slices.Chunk(users, 100)) {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": chunk}, nil)
		}
		id := create(t, s, "Public", nil)
		var got added
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named(users...)}, &got)
		if n := strings.Count(got.String(), "=1"); n != len(users) {
			t.Errorf("%d were added, want %d", n, len(users))
		}
		if group := read(t, s, id); *group.MemberNum != 303 || len(group.MemberList) != 303 {
			t.Errorf("%d members, %d listed, want 303", *group.MemberNum, len(group.MemberList))
		}
	})
}

// Members are removed by those who may, who is absent is passed over, and what was the owner's group lives on.
func TestRemove(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		s.MustREST(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob", "dave", "nobody"}, "Reason": "noise"}, nil)
		want(t, s, id, "Public the group of alice, 2: alice=Owner carol=Admin")
		s.MustREST(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"alice"}}, nil)
		want(t, s, id, "Public the group of , 1: carol=Admin")
		by(s.Login(t, "carol")).refuses(t, "change_group_owner", M{"GroupId": id, "NewOwner_Account": "carol"}, 10007)
		s.MustREST(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "carol"}, nil)
		want(t, s, id, "Public the group of carol, 1: carol=Owner")
		s.Refuses(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "carol"}, 10004)
		s.Refuses(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "bob"}, 10007)
		s.Refuses(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "nobody"}, 10019)
		s.Refuses(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": make([]string, 101)}, 10005)
	})
}

// The last member who leaves takes the group along; the owner of a Work group leaves it without one.
func TestLastMemberLeaves(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Work", nil)
		for _, row := range []struct{ who, left string }{
			{"alice", "Private the group of , 2: bob=Member carol=Member"}, {"bob", "Private the group of , 1: carol=Member"},
		} {
			by(s.Login(t, row.who)).must(t, "quit_group", M{"GroupId": id}, nil)
			want(t, s, id, row.left)
		}
		by(s.Login(t, "carol")).must(t, "quit_group", M{"GroupId": id}, nil)
		gone(t, s, id)
	})
}

// A mute outlives membership, is listed until it ends, and may come before membership.
func TestMute(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		muted := func() string {
			t.Helper()
			var reply struct {
				MutedAccountList []struct {
					Account string `json:"Member_Account"`
					Until   int64  `json:"MutedUntil"`
				}
			}
			s.MustREST(t, rest+"get_group_muted_account", M{"GroupId": id}, &reply)
			names := []string{}
			for _, one := range reply.MutedAccountList {
				if one.Until < s.Now().Unix() {
					t.Errorf("%s is muted until %d", one.Account, one.Until)
				}
				names = append(names, one.Account)
			}
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		mute := func(seconds int64, users ...string) {
			t.Helper()
			s.MustREST(t, rest+"forbid_send_msg", M{"GroupId": id, "Members_Account": users, "MuteTime": seconds}, nil)
		}
		mute(4294967295, "bob", "dave")
		if got := muted(); got != "bob dave" {
			t.Errorf("muted are %q", got)
		}
		want(t, s, id, "Public the group of alice, 3: alice=Owner bob=Member carol=Admin")
		s.MustREST(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob"}}, nil)
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("bob", "dave")}, nil)
		if got := muted(); got != "bob dave" {
			t.Errorf("after leaving and coming back muted are %q", got)
		}
		want(t, s, id, "Public the group of alice, 4: alice=Owner bob=Member carol=Admin dave=Member")
		mute(0, "dave", "bob")
		if got := muted(); got != "" {
			t.Errorf("at last muted are %q", got)
		}
		want(t, s, id, "Public the group of alice, 4: alice=Owner bob=Member carol=Admin dave=Member")
		s.MustREST(t, rest+"modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "ShutUpTime": 60}, nil)
		var old struct{ ShuttedUinList []M }
		s.MustREST(t, rest+"get_group_shutted_uin", M{"GroupId": id}, &old)
		if len(old.ShuttedUinList) != 1 || old.ShuttedUinList[0]["Member_Account"] != "bob" {
			t.Errorf("in the older spelling muted are %v", old.ShuttedUinList)
		}
		s.Refuses(t, rest+"forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}}, 10004)
		s.Refuses(t, rest+"forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": 4294967296}, 10004)
		s.Refuses(t, rest+"forbid_send_msg", M{"GroupId": id, "Members_Account": make([]string, 501), "MuteTime": 1}, 10005)
	})
}

// What a member has is changed and read, by both doors.
func TestMemberFields(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "group.member_fields", "seat")
		id := create(t, s, "Public", nil)
		bob := by(s.Login(t, "bob"))
		bob.must(t, "modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "NameCard": "Bobby"}, nil)
		bob.must(t, "modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "MsgFlag": "Discard"}, nil)
		bob.must(t, "modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "AppMemberDefinedData": []M{{"Key": "seat", "Value": "5"}}}, nil)
		for _, refused := range []struct {
			body M
			code int
		}{
			{M{"Member_Account": "carol", "AppMemberDefinedData": []M{{"Key": "seat", "Value": "5"}}}, 10007},
			{M{"Member_Account": "carol", "MsgFlag": "Discard"}, 10007},
			{M{"Member_Account": "bob", "AppMemberDefinedData": []M{{"Key": "hat", "Value": "5"}}}, 10004},
			{M{"Member_Account": "bob", "AppMemberDefinedData": []M{{"Key": "seat", "Value": strings.Repeat("x", 65)}}}, 10004},
			{M{"Member_Account": "bob", "NameCard": strings.Repeat("x", 101)}, 10004},
			{M{"Member_Account": "dave", "NameCard": "x"}, 10007},
			{M{"Member_Account": "nobody", "NameCard": "x"}, 10019},
			{M{"Member_Account": "bob", "Role": "Owner"}, 10004},
		} {
			bob.refuses(t, "modify_group_member_info", magpietest.With(M{"GroupId": id}, refused.body), refused.code)
		}
		s.Refuses(t, rest+"modify_group_member_info", M{"GroupId": id, "Member_Account": "alice", "Role": "Admin"}, 10004)
		for _, door := range []caller{bob, byREST(s)} {
			var reply struct{ MemberList []member }
			door.must(t, "get_specified_group_member_info", M{"GroupId": id, "Member_List_Account": []string{"bob", "dave"}}, &reply)
			if len(reply.MemberList) != 1 {
				t.Fatalf("%d members, want bob alone", len(reply.MemberList))
			}
			m := reply.MemberList[0]
			if *m.NameCard != "Bobby" || *m.MsgFlag != "Discard" || len(m.Custom) != 1 || m.Custom[0].Value != "5" {
				t.Errorf("bob is %+v", m)
			}
		}
		var roles struct {
			UserIDList []M `json:"UserIdList"`
		}
		s.MustREST(t, rest+"get_role_in_group", M{"GroupId": id, "User_Account": []string{"alice", "dave", "nobody"}}, &roles)
		if got := fmt.Sprint(roles.UserIDList); got != "[map[Member_Account:alice Role:Owner] map[Member_Account:dave Role:NotMember] map[Member_Account:nobody Role:NotMember]]" {
			t.Errorf("roles: %s", got)
		}
	})
}

// The application's own fields of a group are declared, bounded, kept and read.
func TestGroupFields(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "group.custom_fields", "level,seats")
		id := create(t, s, "Public", M{"AppDefinedData": []M{{"Key": "level", "Value": "1"}}})
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "AppDefinedData": []M{{"Key": "seats", "Value": "9"}}}, nil)
		if got := fmt.Sprint(read(t, s, id).Custom); got != "[{level 1} {seats 9}]" {
			t.Errorf("the fields are %s", got)
		}
		s.Refuses(t, rest+"modify_group_base_info", M{"GroupId": id, "AppDefinedData": []M{{"Key": "hat", "Value": "9"}}}, 10004)
		s.Refuses(t, rest+"modify_group_base_info", M{"GroupId": id, "AppDefinedData": []M{{"Key": "seats", "Value": strings.Repeat("x", 513)}}}, 10004)
		by(s.Login(t, "bob")).refuses(t, "modify_group_base_info", M{"GroupId": id, "AppDefinedData": []M{{"Key": "seats", "Value": "1"}}}, 10007)
		by(s.Login(t, "carol")).must(t, "modify_group_base_info", M{"GroupId": id, "AppDefinedData": []M{{"Key": "seats", "Value": "1"}}}, nil)
		var own struct{ GroupInfo []info }
		by(s.Login(t, "dave")).must(t, "get_group_self_member_info", M{"GroupIdList": []string{id}}, &own)
		if got := own.GroupInfo[0]; got.Custom != nil || got.Notification != nil || got.Name == nil {
			t.Errorf("somebody else reads %+v", got)
		}
	})
}

// A deleted account is in no group any more; its groups live on.
func TestAccountDeleted(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}, {"UserID": "bob"}}}, nil)
		want(t, s, id, "Public the group of , 1: carol=Admin")
		s.Import(t, "alice")
		want(t, s, id, "Public the group of , 1: carol=Admin")
	})
}

// A group and its members come from elsewhere, with their times, and nobody is told.
func TestImport(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		back := s.BackEnd(t, "all")
		var made struct {
			GroupID string `json:"GroupId"`
		}
		s.MustREST(t, rest+"import_group", M{"Type": "Public", "Name": "old", "GroupId": "old", "Owner_Account": "alice", "CreateTime": 1600000000}, &made)
		var got added
		s.MustREST(t, rest+"import_group_member", M{"GroupId": made.GroupID, "MemberList": []M{
			{"Member_Account": "bob", "Role": "Admin", "JoinTime": 1600000001}, {"Member_Account": "alice"}, {"Member_Account": "carol"},
		}}, &got)
		if got.String() != "bob=1 alice=2 carol=1" {
			t.Errorf("imported: %s", got.String())
		}
		group := read(t, s, made.GroupID)
		want(t, s, made.GroupID, "Public old of alice, 3: alice=Owner bob=Admin carol=Member")
		for _, m := range group.MemberList {
			if m.Account == "bob" && *m.JoinTime != 1600000001 {
				t.Errorf("bob joined at %d", *m.JoinTime)
			}
		}
		s.Configure(t, "group.max_joined", "1")
		s.MustREST(t, rest+"import_group", M{"Type": "Public", "Name": "other", "GroupId": "other"}, nil)
		s.MustREST(t, rest+"import_group_member", M{"GroupId": "other", "MemberList": named("bob", "dave", "dave")}, &got)
		if got.String() != "bob=0 dave=1 dave=1" {
			t.Errorf("imported: %s", got.String())
		}
		if group.CreateTime != 1600000000 {
			t.Errorf("made at %d", group.CreateTime)
		}
		for _, row := range []struct {
			command string
			body    M
			code    int
		}{
			{"import_group", M{"Type": "Public", "Name": "old", "CreateTime": 4000000000}, 10004},
			{"import_group", M{"Type": "AVChatRoom", "Name": "old"}, 10007},
			{"import_group", M{"Type": "Public", "Name": "old", "GroupId": made.GroupID}, 10021},
			{"import_group_member", M{"GroupId": made.GroupID, "MemberList": []M{{"Member_Account": "dave", "Role": "Owner"}}}, 10004},
			{"import_group_member", M{"GroupId": made.GroupID, "MemberList": []M{{"Member_Account": "dave", "JoinTime": 4000000000}}}, 10004},
			{"import_group_member", M{"GroupId": "none", "MemberList": []M{{"Member_Account": "dave"}}}, 10010},
		} {
			s.Refuses(t, rest+row.command, row.body, row.code)
		}
		if calls := back.Calls(""); len(calls) != 0 {
			t.Errorf("the back end was told of an import: %+v", calls)
		}
	})
}

// Two who do the same at once get what one after the other would get.
func TestAtOnce(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		together := func(calls ...func() int) (codes []int) {
			codes = make([]int, len(calls))
			var all sync.WaitGroup
			for i, call := range calls {
				all.Go(func() { codes[i] = call() })
			}
			all.Wait()
			slices.Sort(codes)
			return codes
		}
		do := func(command string, body M) func() int {
			return func() int { return s.REST(t, rest+command, body, nil).ErrorCode }
		}
		for round := range 8 {
			id := fmt.Sprintf("race%d", round)
			public := M{"Type": "Public", "Name": "n", "GroupId": id, "MaxMemberCount": 3, "MemberList": named("bob", "carol")}
			if codes := together(do("create_group", public), do("create_group", public)); !slices.Equal(codes, []int{0, 10021}) {
				t.Errorf("two made one group: %v", codes)
			}
			s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "MaxMemberNum": 3}, nil)
			add := func(user string) func() int {
				return do("add_group_member", M{"GroupId": id, "MemberList": named(user)})
			}
			if codes := together(add("alice"), add("dave")); !slices.Equal(codes, []int{0, 10014}) {
				t.Errorf("two got the last place: %v", codes)
			}
			own := func(user string) func() int {
				return do("change_group_owner", M{"GroupId": id, "NewOwner_Account": user})
			}
			if codes := together(own("bob"), own("carol")); !slices.Equal(codes, []int{0, 0}) {
				t.Errorf("two owners at once: %v", codes)
			}
			owners := 0
			for _, m := range read(t, s, id).MemberList {
				if m.Role == "Owner" {
					owners++
				}
			}
			if group := read(t, s, id); owners != 1 || *group.MemberNum != len(group.MemberList) {
				t.Errorf("%d owners in %s", owners, group.String())
			}
			kick := do("delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob", "carol"}})
			if codes := together(kick, kick, do("destroy_group", M{"GroupId": id})); codes[0] != 0 {
				t.Errorf("kicked and destroyed: %v", codes)
			}
			gone(t, s, id)
		}
	})
}
