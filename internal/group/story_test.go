package group_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, bob, carol and dave, who have accounts; nobody has not. They go through the
// doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

const rest = "group_open_http_svc/"

// story runs a scenario in which the four have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		tell(t, s)
	})
}

// caller is one of the doors, with somebody behind it.
type caller func(t *testing.T, command string, body, reply any) magpietest.Envelope

// byREST calls as the back end does. A command of another service has it before its name.
func byREST(s *Server) caller {
	return func(t *testing.T, command string, body, reply any) magpietest.Envelope {
		t.Helper()
		if !strings.Contains(command, "/") {
			command = rest + command
		}
		return s.REST(t, command, body, reply)
	}
}

// by calls as a client does.
func by(c *magpietest.Conn) caller {
	return func(t *testing.T, command string, body, reply any) magpietest.Envelope {
		t.Helper()
		if !strings.Contains(command, ".") {
			command = "group_open_http_svc." + command
		}
		return c.Call(t, command, body, reply)
	}
}

func (call caller) must(t *testing.T, command string, body, reply any) {
	t.Helper()
	if e := call(t, command, body, reply); e.ErrorCode != 0 {
		t.Fatalf("%s: %d %s", command, e.ErrorCode, e.ErrorInfo)
	}
}

func (call caller) refuses(t *testing.T, command string, body any, code int) {
	t.Helper()
	e := call(t, command, body, nil)
	if e.ErrorCode != code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
		t.Errorf("%s answers %+v, want FAIL, %d and a sentence", command, e, code)
	}
}

// create makes a group by REST, with alice as its owner, carol as administrator where there are some, and bob as member.
func create(t *testing.T, s *Server, kind string, more M) string {
	t.Helper()
	carol := M{"Member_Account": "carol", "Role": "Admin"}
	if kind == "Private" || kind == "Work" {
		carol = M{"Member_Account": "carol"}
	}
	var reply struct {
		GroupID string `json:"GroupId"`
		Type    string
	}
	s.MustREST(t, rest+"create_group", magpietest.With(M{
		"Type": kind, "Name": "the group", "Owner_Account": "alice", "MemberList": []M{carol, {"Member_Account": "bob"}},
	}, more), &reply)
	return reply.GroupID
}

// member is a member in replies.
type member struct {
	Account  string `json:"Member_Account"`
	Role     string
	NameCard *string
	JoinTime *int64
	MsgFlag  *string
	MuteTill *int64                        `json:"MuteUntil"`
	Custom   []struct{ Key, Value string } `json:"AppMemberDefinedData"`
}

// info is a group in replies.
type info struct {
	ErrorCode    *int
	GroupID      string `json:"GroupId"`
	Type         string
	Name         *string
	Introduction *string
	Notification *string
	FaceURL      *string `json:"FaceUrl"`
	Owner        *string `json:"Owner_Account"`
	InfoSeq      int64
	CreateTime   int64
	NextMsgSeq   *int64
	MemberNum    *int
	MaxMemberNum *int
	Apply        string                        `json:"ApplyJoinOption"`
	Invite       string                        `json:"InviteJoinOption"`
	MuteAll      string                        `json:"MuteAllMember"`
	Custom       []struct{ Key, Value string } `json:"AppDefinedData"`
	Self         *member                       `json:"SelfInfo"`
	MemberList   []member
}

// String tells what matters of the group.
func (i *info) String() string {
	text := func(p *string) string {
		if p == nil {
			return "?"
		}
		return *p
	}
	count := -1
	if i.MemberNum != nil {
		count = *i.MemberNum
	}
	names := []string{}
	for _, m := range i.MemberList {
		names = append(names, m.Account+"="+m.Role)
	}
	slices.Sort(names)
	return fmt.Sprintf("%s %s of %s, %d: %s", i.Type, text(i.Name), text(i.Owner), count, strings.Join(names, " "))
}

// read reads a group by REST.
func read(t *testing.T, s *Server, groupID string) info {
	t.Helper()
	var reply struct{ GroupInfo []info }
	s.MustREST(t, rest+"get_group_info", M{"GroupIdList": []string{groupID}}, &reply)
	if len(reply.GroupInfo) != 1 {
		t.Fatalf("%d groups in the reply, want 1", len(reply.GroupInfo))
	}
	return reply.GroupInfo[0]
}

func want(t *testing.T, s *Server, groupID, line string) {
	t.Helper()
	got := read(t, s, groupID)
	if got.String() != line {
		t.Errorf("the group is %q, want %q", got.String(), line)
	}
}

// gone fails unless the group is not there any more.
func gone(t *testing.T, s *Server, groupID string) {
	t.Helper()
	if got := read(t, s, groupID); got.ErrorCode == nil || *got.ErrorCode != 10010 {
		t.Errorf("the group is %s, want 10010", got.String())
	}
}

// A group's life by the REST door, in both spellings of the types: made, read, changed, handed over, destroyed.
func TestLifeByREST(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for given, kind := range map[string]string{
			"Private": "Private", "Work": "Private", "Public": "Public", "ChatRoom": "ChatRoom", "Meeting": "ChatRoom", "Community": "Community",
		} {
			id := create(t, s, given, nil)
			admin := "Admin"
			if kind == "Private" {
				admin = "Member"
			}
			want(t, s, id, kind+" the group of alice, 3: alice=Owner bob=Member carol="+admin)
			s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "Name": "new", "Introduction": "i", "MuteAllMember": "On", "MaxMemberNum": 10}, nil)
			if got := read(t, s, id); *got.Name != "new" || *got.Introduction != "i" || got.MuteAll != "On" || *got.MaxMemberNum != 10 || got.InfoSeq != 2 {
				t.Errorf("%s: after the change it is %+v", given, got)
			}
			s.MustREST(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "bob"}, nil)
			want(t, s, id, kind+" new of bob, 3: alice=Member bob=Owner carol="+admin)
			s.MustREST(t, rest+"destroy_group", M{"GroupId": id}, nil)
			gone(t, s, id)
		}
	})
}

// A client makes a group for itself, and its own door says its own names.
func TestLifeByClient(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, dave := by(s.Login(t, "alice")), by(s.Login(t, "dave"))
		var made struct {
			GroupID string `json:"GroupId"`
		}
		alice.must(t, "create_group", M{"Type": "Public", "Name": "pub", "Owner_Account": "alice", "ApplyJoinOption": "FreeAccess",
			"MemberList": []M{{"Member_Account": "bob"}}, "WebPushFlag": 1}, &made)
		want(t, s, made.GroupID, "Public pub of alice, 2: alice=Owner bob=Member")
		alice.refuses(t, "create_group", M{"Type": "Meeting", "Name": "x"}, 10004)
		alice.refuses(t, "create_group", M{"Type": "Public", "Name": "x", "Owner_Account": "bob"}, 10004)

		var joined struct{ JoinedStatus string }
		dave.must(t, "apply_join_group", M{"GroupId": made.GroupID}, &joined)
		if joined.JoinedStatus != "JoinedSuccess" {
			t.Errorf("JoinedStatus is %q", joined.JoinedStatus)
		}
		dave.refuses(t, "apply_join_group", M{"GroupId": made.GroupID}, 10013)
		var own struct{ GroupInfo []info }
		dave.must(t, "get_group_self_member_info", M{"GroupIdList": []string{made.GroupID, "no such group"}}, &own)
		if self := own.GroupInfo[0].Self; self == nil || self.Role != "Member" || len(own.GroupInfo[0].MemberList) != 1 {
			t.Errorf("dave's own place is %+v", own.GroupInfo[0])
		}
		if code := own.GroupInfo[1].ErrorCode; code == nil || *code != 10010 {
			t.Errorf("a group that is not there is %+v", own.GroupInfo[1])
		}
		dave.must(t, "quit_group", M{"GroupId": made.GroupID}, nil)
		dave.refuses(t, "quit_group", M{"GroupId": made.GroupID}, 10007)
		alice.refuses(t, "quit_group", M{"GroupId": made.GroupID}, 10009)
		alice.must(t, "destroy_group", M{"GroupId": made.GroupID}, nil)
		gone(t, s, made.GroupID)
	})
}

// The id of a group is checked, unique, and free again when the group is destroyed.
func TestGroupIDs(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		create(t, s, "Public", M{"GroupId": "own id"[:3]})
		rest := byREST(s)
		for _, row := range []struct {
			more M
			code int
		}{
			{M{"GroupId": "own"}, 10025},
			{M{"GroupId": "own", "Owner_Account": "bob"}, 10021},
			{M{"GroupId": "own", "Owner_Account": nil}, 10021},
			{M{"GroupId": "@TGS#x"}, 10015},
			{M{"GroupId": "two words"}, 10015},
			{M{"GroupId": "ü"}, 10015},
			{M{"GroupId": strings.Repeat("x", 49)}, 10015},
			{M{"GroupId": "plain", "Type": "Community"}, 10015},
			{M{"GroupId": "@TGS#_@TGS#x", "Type": "Community"}, 10015},
			{M{"Type": "BChatRoom"}, 10004},
			{M{"Type": "public"}, 10004},
			{M{"Type": nil}, 10004},
			{M{"Name": nil}, 10004},
			{M{"Name": ""}, 10004},
			{M{"Name": strings.Repeat("x", 101)}, 10004},
			{M{"Name": 5}, 10004},
			{M{"ApplyJoinOption": "Sometimes"}, 10004},
			{M{"InviteJoinOption": "DisableApply"}, 10004},
			{M{"MaxMemberCount": 6001}, 10038},
			{M{"MaxMemberCount": 1, "MemberList": []M{{"Member_Account": "bob"}}}, 10038},
			{M{"Owner_Account": "nobody"}, 10019},
			{M{"MemberList": []M{{"Member_Account": "nobody"}}}, 10019},
			{M{"MemberList": []M{{"Member_Account": "bob", "Role": "Owner"}}}, 10004},
			{M{"MemberList": []M{{"Member_Account": "bob", "Role": "Admin"}}, "Type": "Work"}, 10004},
			{M{"MemberList": make([]M, 101)}, 10005},
			{M{"AppDefinedData": []M{{"Key": "none", "Value": "x"}}}, 10004},
			{M{"SupportTopic": 1, "Type": "Community"}, 10007},
			{M{"MemberList": []M{{"Member_Account": "bob"}}, "Type": "AVChatRoom"}, 10007},
		} {
			rest.refuses(t, "create_group", magpietest.With(M{"Type": "Public", "Name": "n", "Owner_Account": "alice"}, row.more), row.code)
		}
		rest.refuses(t, "create_group", `{"Type":`, 10011)
		s.MustREST(t, "group_open_http_svc/destroy_group", M{"GroupId": "own"}, nil)
		create(t, s, "Work", M{"GroupId": "own", "Owner_Account": "bob"})
		want(t, s, "own", "Private the group of bob, 2: bob=Owner carol=Member")
		create(t, s, "Community", M{"GroupId": "@TGS#_mine", "Owner_Account": nil})
		want(t, s, "@TGS#_mine", "Community the group of , 2: bob=Member carol=Admin")
	})
}

// A filter's reply has what it names and nothing else.
func TestFilters(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		var reply struct{ GroupInfo []M }
		s.MustREST(t, rest+"get_group_info", M{"GroupIdList": []string{id}, "ResponseFilter": M{
			"GroupBaseInfoFilter": []string{"Name", "NextMsgSeq"}, "MemberInfoFilter": []string{"Role"},
		}}, &reply)
		members := reply.GroupInfo[0]["MemberList"].([]any)
		for _, m := range members {
			wantKeys(t, m.(M), "Member_Account", "Role")
		}
		wantKeys(t, reply.GroupInfo[0], "ErrorCode", "ErrorInfo", "GroupId", "MemberList", "Name", "NextMsgSeq")

		var joined struct {
			TotalCount  int
			GroupIDList []M `json:"GroupIdList"`
		}
		s.MustREST(t, rest+"get_joined_group_list", M{"Member_Account": "bob"}, &joined)
		wantKeys(t, joined.GroupIDList[0], "GroupId")
		s.MustREST(t, rest+"get_joined_group_list", M{"Member_Account": "bob", "ResponseFilter": M{
			"GroupBaseInfoFilter": []string{"Type"}, "SelfInfoFilter": []string{"Role"},
		}}, &joined)
		wantKeys(t, joined.GroupIDList[0], "GroupId", "SelfInfo", "Type")
		wantKeys(t, joined.GroupIDList[0]["SelfInfo"].(M), "Role")

		var page struct {
			MemberNum  int
			MemberList []M
		}
		s.MustREST(t, rest+"get_group_member_info", M{"GroupId": id, "MemberInfoFilter": []string{"NameCard"}, "MemberRoleFilter": []string{"Owner"}}, &page)
		if page.MemberNum != 3 || len(page.MemberList) != 1 {
			t.Errorf("the page is %+v, want one of three", page)
		}
		wantKeys(t, page.MemberList[0], "Member_Account", "NameCard")
	})
}

func wantKeys(t *testing.T, object M, keys ...string) {
	t.Helper()
	got := []string{}
	for key := range object {
		got = append(got, key)
	}
	slices.Sort(got)
	if !slices.Equal(got, keys) {
		t.Errorf("the object has %q, want %q", got, keys)
	}
}

// An account's groups, in pages and by type. A Work group is not listed before it has a message, but for its owner.
func TestJoinedList(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		work := create(t, s, "Work", nil)
		public := create(t, s, "Public", nil)
		community := create(t, s, "Community", nil)
		var reply struct {
			TotalCount int
			List       []info `json:"GroupIdList"`
		}
		check := func(call caller, body M, total int, ids ...string) {
			t.Helper()
			call.must(t, "get_joined_group_list", body, &reply)
			got := []string{}
			for _, one := range reply.List {
				got = append(got, one.GroupID)
			}
			if reply.TotalCount != total || !slices.Equal(got, ids) {
				t.Errorf("%v lists %q of %d, want %q of %d", body, got, reply.TotalCount, ids, total)
			}
		}
		check(byREST(s), M{"Member_Account": "bob"}, 2, public, community)
		check(byREST(s), M{"Member_Account": "alice"}, 3, work, public, community)
		check(byREST(s), M{"Member_Account": "bob", "WithNoActiveGroups": 1}, 3, work, public, community)
		check(byREST(s), M{"Member_Account": "bob", "GroupType": "Work", "WithNoActiveGroups": 1}, 1, work)
		check(byREST(s), M{"Member_Account": "bob", "Limit": 1, "Offset": 1}, 2, community)
		check(byREST(s), M{"Member_Account": "dave"}, 0)
		byREST(s).refuses(t, "get_joined_group_list", M{"Member_Account": "nobody"}, 10019)

		bob := s.Login(t, "bob")
		check(by(bob), M{"Member_Account": "bob", "Limit": 200, "Offset": 0, "SupportTopic": 0, "NeedAppDefineData": 1}, 1, public)
		by(bob).refuses(t, "get_joined_group_list", M{"Member_Account": "alice"}, 10007)
		million := caller(func(t *testing.T, command string, body, reply any) magpietest.Envelope {
			t.Helper()
			return bob.Call(t, "million_group_open_http_svc."+command, body, reply)
		})
		check(million, M{"Member_Account": "bob", "SupportTopic": 0}, 1, community)
		check(million, M{"Member_Account": "bob", "SupportTopic": 1}, 0)

		var all struct {
			TotalCount int
			Next       int64
			List       []info `json:"GroupIdList"`
		}
		seen := []string{}
		for next := int64(0); ; {
			s.MustREST(t, rest+"get_appid_group_list", M{"Limit": 2, "Next": next}, &all)
			for _, one := range all.List {
				seen = append(seen, one.GroupID)
			}
			if next = all.Next; next == 0 {
				break
			}
		}
		if !slices.Equal(seen, []string{work, public, community}) || all.TotalCount != 3 {
			t.Errorf("the application has %q of %d", seen, all.TotalCount)
		}
		s.MustREST(t, rest+"get_appid_group_list", M{"GroupType": "Meeting"}, &all)
		if all.TotalCount != 0 || len(all.List) != 0 {
			t.Errorf("meetings: %+v", all)
		}
	})
}
