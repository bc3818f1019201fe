package group_test

import (
	"testing"
)

// everything is a request of each command about one group.
func everything(id string) map[string]M {
	return map[string]M{
		"modify_group_base_info":          {"GroupId": id, "Name": "x"},
		"destroy_group":                   {"GroupId": id},
		"change_group_owner":              {"GroupId": id, "NewOwner_Account": "bob"},
		"add_group_member":                {"GroupId": id, "MemberList": named("dave")},
		"delete_group_member":             {"GroupId": id, "MemberToDel_Account": []string{"bob"}},
		"get_group_member_info":           {"GroupId": id},
		"get_specified_group_member_info": {"GroupId": id, "Member_List_Account": []string{"bob"}},
		"modify_group_member_info":        {"GroupId": id, "Member_Account": "bob", "NameCard": "x"},
	}
}

// Commands that one of the doors does not have.
func restOnly(id string) map[string]M {
	return map[string]M{
		"get_role_in_group":       {"GroupId": id, "User_Account": []string{"bob"}},
		"forbid_send_msg":         {"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": 5},
		"get_group_muted_account": {"GroupId": id},
		"get_group_shutted_uin":   {"GroupId": id},
		"import_group_member":     {"GroupId": id, "MemberList": named("dave")},
	}
}

func clientOnly(id string) map[string]M {
	return map[string]M{"quit_group": {"GroupId": id}, "apply_join_group": {"GroupId": id}}
}

// A group of another application, one that was destroyed and one that never was are the same to every command.
func TestNoSuchGroup(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		other := s.App(t, s.AppID+1_000_000, "another key")
		other.Import(t, "alice", "bob", "carol")
		foreign := create(t, other, "Public", nil)
		destroyed := create(t, s, "Public", nil)
		alice := by(s.Login(t, "alice"))
		alice.must(t, "get_group_member_info", M{"GroupId": destroyed}, nil)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": destroyed}, nil)
		for _, id := range []string{foreign, destroyed, "never", "a\x00b", "ü"} {
			for command, body := range everything(id) {
				alice.refuses(t, command, body, 10010)
				byREST(s).refuses(t, command, body, 10010)
			}
			for command, body := range restOnly(id) {
				byREST(s).refuses(t, command, body, 10010)
			}
			for command, body := range clientOnly(id) {
				alice.refuses(t, command, body, 10010)
			}
			gone(t, s, id)
		}
		byREST(s).refuses(t, "destroy_group", M{}, 10004)
		byREST(s).refuses(t, "get_group_info", M{"GroupIdList": []string{}}, 10004)
		byREST(s).refuses(t, "get_group_info", M{"GroupIdList": make([]string, 51)}, 10004)
		want(t, other, foreign, "Public the group of alice, 3: alice=Owner bob=Member carol=Admin")
	})
}

// A member who was removed a moment ago may do nothing any more, and reads what everybody reads.
func TestRemovedMember(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		carol := by(s.Login(t, "carol"))
		carol.must(t, "modify_group_base_info", M{"GroupId": id, "Name": "hers"}, nil)
		s.MustREST(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"carol"}}, nil)
		for command, body := range everything(id) {
			carol.refuses(t, command, body, 10007)
		}
		carol.refuses(t, "modify_group_base_info", M{"GroupId": id}, 10007)
		var public struct{ GroupInfo []info }
		carol.must(t, "get_group_public_info", M{"GroupIdList": []string{id}}, &public)
		if got := public.GroupInfo[0]; got.Name == nil || *got.Name != "hers" || got.Notification != nil || got.MemberList != nil {
			t.Errorf("in public the group is %+v", got)
		}
		work := create(t, s, "Work", nil)
		by(s.Login(t, "dave")).must(t, "get_group_public_info", M{"GroupIdList": []string{work}}, &public)
		if got := public.GroupInfo[0]; got.ErrorCode == nil || *got.ErrorCode != 10007 || got.Name != nil {
			t.Errorf("a Work group is %+v to others", got)
		}
	})
}

// The most groups that an account may be in hold at every way in.
func TestJoinedLimit(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "group.max_joined", "1")
		id := create(t, s, "Meeting", nil)
		s.Refuses(t, rest+"create_group", M{"Type": "Public", "Name": "n", "Owner_Account": "alice"}, 10037)
		var made struct {
			Over []string `json:"OverJoinedGroupLimit_Account"`
		}
		s.MustREST(t, rest+"create_group", M{"Type": "Meeting", "Name": "n", "GroupId": "second", "MemberList": named("bob", "dave")}, &made)
		if len(made.Over) != 1 || made.Over[0] != "bob" {
			t.Errorf("over their limit are %q", made.Over)
		}
		var got added
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave", "bob")}, &got)
		if got.String() != "dave=4 bob=2" {
			t.Errorf("added: %s", got.String())
		}
		by(s.Login(t, "bob")).refuses(t, "apply_join_group", M{"GroupId": "second"}, 10037)
	})
}

// The back end decides on new groups and members, and hears of all that happened, in order.
func TestCallbacks(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		back := s.BackEnd(t, "all")
		id := create(t, s, "Meeting", M{"MaxMemberCount": 4})
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave")}, nil)
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "Introduction": "i", "MuteAllMember": "On"}, nil)
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "Introduction": "i"}, nil) // it is so already
		s.MustREST(t, rest+"modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "NameCard": "B", "Role": "Admin"}, nil)
		s.MustREST(t, rest+"change_group_owner", M{"GroupId": id, "NewOwner_Account": "bob"}, nil)
		s.MustREST(t, rest+"delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"dave"}}, nil)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": id}, nil)
		for command, fields := range map[string]M{
			"Group.CallbackBeforeCreateGroup":       {"Owner_Account": "alice", "Type": "ChatRoom", "CreateGroupNum": 0.0},
			"Group.CallbackAfterCreateGroup":        {"GroupId": id, "Owner_Account": "alice", "Operator_Account": "administrator"},
			"Group.CallbackBeforeInviteJoinGroup":   {"GroupId": id, "Type": "ChatRoom"},
			"Group.CallbackAfterNewMemberJoin":      {"GroupId": id, "JoinType": "Invited"},
			"Group.CallbackAfterGroupFull":          {"GroupId": id},
			"Group.CallbackAfterGroupInfoChanged":   {"GroupId": id, "Introduction": "i", "Name": nil},
			"Group.CallbackAfterMemberFieldChanged": {"GroupId": id, "Modified_Account": "bob", "NameCard": "B", "Role": "Admin"},
			"Group.CallbackAfterChangeGroupOwner":   {"OldOwner_Account": "alice", "NewOwner_Account": "bob"},
			"Group.CallbackAfterMemberExit":         {"GroupId": id, "ExitType": "Kicked"},
			"Group.CallbackAfterGroupDestroyed":     {"GroupId": id, "Owner_Account": "bob", "Name": "the group"},
		} {
			var body M
			call := back.Gets(t, command, 1)[0]
			call.Into(t, &body)
			for name, value := range fields {
				if body[name] != value {
					t.Errorf("%s has %s %v, want %v", command, name, body[name], value)
				}
			}
		}
	})
}

// The back end refuses a group, a member among others, and somebody who would join.
func TestBackEndRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Meeting", nil)
		back := s.BackEnd(t, "all")
		back.Says(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","RefusedMembers_Account":["dave"]}`)
		var got added
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave", "bob")}, &got)
		if got.String() != "dave=0 bob=2" {
			t.Errorf("added: %s", got.String())
		}
		for code, answer := range map[int]string{
			10016: `{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}`, 10150: `{"ActionStatus":"OK","ErrorCode":10150,"ErrorInfo":"no"}`,
		} {
			back.Says(answer)
			s.Refuses(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave")}, code)
			s.Refuses(t, rest+"create_group", M{"GroupId": "refused", "Type": "Public", "Name": "n"}, code)
			by(s.Login(t, "dave")).refuses(t, "apply_join_group", M{"GroupId": id}, code)
		}
		want(t, s, id, "ChatRoom the group of alice, 3: alice=Owner bob=Member carol=Admin")
		gone(t, s, "refused")
	})
}

// What a client may not ask at all.
func TestDoors(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := by(s.Login(t, "alice"))
		for _, command := range []string{"get_group_info", "forbid_send_msg", "import_group", "import_group_member", "get_appid_group_list", "get_role_in_group"} {
			alice.refuses(t, command, M{}, 60009)
		}
		for _, command := range []string{"quit_group", "apply_join_group", "get_group_self_member_info"} {
			byREST(s).refuses(t, command, M{}, 60009)
		}
	})
}
