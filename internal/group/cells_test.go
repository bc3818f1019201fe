package group_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/magpietest"
)

// The cells of the table that are no lists of roles: bounds, what a type has at all, and who is heard.

// unknowns makes a request's list of that many accounts, none of which exists.
func unknowns(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("unknown%d", i)
	}
	return names
}

func members(n int) (all []M) {
	for _, name := range unknowns(n) {
		all = append(all, M{"Member_Account": name})
	}
	return all
}

// A list that is as long as the rule allows is read, and one that is longer is refused as too long.
func TestLongestLists(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, rest := by(s.Login(t, "alice")), byREST(s)
		for _, kind := range types(t) {
			id := create(t, s, kind.String(), nil)
			for _, row := range []struct {
				rule, command string
				call          caller
				body          func(n int) M
				code          int
			}{
				{"invite.max_per_call.rest", "add_group_member", rest, func(n int) M { return M{"MemberList": members(n)} }, 10005},
				{"invite.max_per_call.client", "add_group_member", alice, func(n int) M { return M{"MemberList": members(n)} }, 10005},
				{"kick.max_per_call.rest", "delete_group_member", rest, func(n int) M { return M{"MemberToDel_Account": unknowns(n)} }, 10005},
				{"kick.max_per_call.client", "delete_group_member", alice, func(n int) M { return M{"MemberToDel_Account": unknowns(n)} }, 10005},
				{"ban.max_per_call", "ban_group_member", rest, func(n int) M { return M{"Members_Account": unknowns(n), "Duration": 1} }, 10005},
				{"mute.max_per_call.rest", "forbid_send_msg", rest, func(n int) M { return M{"Members_Account": unknowns(n), "MuteTime": 1} }, 10005},
				{"create.members.initial.max.rest", "create_group", rest, func(n int) M {
					return M{"Type": kind.String(), "Name": "n", "GroupId": nil, "MemberList": members(n)}
				}, 10005},
				{"create.members.initial.max.client", "create_group", alice, func(n int) M {
					return M{"Type": kind.String(), "Name": "n", "GroupId": nil, "MemberList": members(n)}
				}, 10005},
				{"sysnotify.to_some.max", "send_group_system_notification", rest, func(n int) M {
					return M{"Content": "c", "ToMembers_Account": unknowns(n)}
				}, 10005},
				{"recall.max_per_call", "group_msg_recall", rest, func(n int) M { return M{"MsgSeqList": make([]M, n)} }, 10004},
			} {
				most, err := strconv.Atoi(kind.Rule(row.rule))
				if err != nil || most == 0 { // of a type that has it not, TestHas says so
					continue
				}
				for n, tooLong := range map[int]bool{most: false, most + 1: true} {
					e := row.call(t, row.command, magpietest.With(M{"GroupId": id}, row.body(n)), nil)
					if (e.ErrorCode == row.code) != tooLong {
						t.Errorf("%s: %s of %d in a %s group: %d %s", row.rule, row.command, n, kind, e.ErrorCode, e.ErrorInfo)
					}
				}
			}
		}
	})
}

// What a type has at all, by the back end's door and by a client's that has every right.
func TestHas(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c, now := newCast(t, s), s.Now().Unix()
		for _, kind := range types(t) {
			for rule, a := range map[string]attempt{
				"members.list.rest":       {command: "get_group_member_info"},
				"members.specified":       {command: "get_specified_group_member_info", body: M{"Member_List_Account": []string{"bob"}}},
				"members.role_query.rest": {command: "get_role_in_group", body: M{"User_Account": []string{"bob"}}},
				"members.muted_list.rest": {command: "get_group_muted_account"},
				"online_count.supported":  {command: "get_online_member_num"},
				"ban.supported.rest":      {command: "ban_group_member", body: M{"Members_Account": []string{"frank"}, "Duration": 1}},
				"import.member":           {command: "import_group_member", body: M{"MemberList": []M{{"Member_Account": "frank"}}}},
				"import.message": {command: "import_group_msg", body: M{"MsgList": []M{
					{"From_Account": "bob", "SendTime": now, "MsgBody": magpietest.Text("hi")},
				}}},
				"sysnotify.supported":                           {command: "send_group_system_notification", body: M{"Content": "c"}},
				"sysnotify.to_some":                             {command: "send_group_system_notification", body: M{"Content": "c", "ToMembers_Account": []string{"bob"}}},
				"mute.member.supported":                         {command: "forbid_send_msg", body: M{"Members_Account": []string{"bob"}, "MuteTime": 1}},
				"recall.supported":                              {command: "group_msg_recall", body: M{"MsgSeqList": []M{{"MsgSeq": 1}}}, code: 10033},
				"recall.all_of_sender.rest":                     {command: "delete_group_msg_by_sender", body: M{"Sender_Account": "bob"}},
				"history.pull.rest":                             {command: "group_msg_get_simple", body: M{"ReqMsgNumber": 1}, code: 10044},
				"attribute.supported":                           {command: "get_group_attr"},
				"counter.supported":                             {command: "get_group_counter"},
				"send.targeted":                                 {command: "send_group_msg", body: said(M{"To_Account": []string{"bob"}})},
				"send.at_all":                                   {command: "send_group_msg", body: said(M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}})},
				"mute.member.via.modify_group_member_info.rest": {command: "modify_group_member_info", body: M{"Member_Account": "bob", "ShutUpTime": 1}},
			} {
				a.rule = rule
				c.try(t, kind, "rest", a, kind.Yes(rule))
			}
			for _, rule := range []string{"ban.list.who", "ban.unban.who", "clear.all.rest(clear_group_msg)"} {
				a := map[string]attempt{
					"ban.list.who":                    {rule: rule, command: "get_group_ban_member"},
					"ban.unban.who":                   {rule: rule, command: "unban_group_member", body: M{"Members_Account": []string{"bob"}}},
					"clear.all.rest(clear_group_msg)": {rule: rule, command: "clear_group_msg", code: 10044},
				}[rule]
				c.try(t, kind, "rest", a, kind.Allows(rule, group.WhoAppAdmin))
			}
		}
	})
}

// said is the body of a message; its number differs from all others.
func said(more M) M {
	n := number.Add(1)
	return magpietest.With(M{"Random": n, "ClientSeq": n, "MsgClientTime": 1_790_000_000, "MsgBody": magpietest.Text("hi")}, more)
}

var number atomic.Int32 // of messages

// Who is heard in a group: members, outsiders, muted ones, and all of them while everybody is muted.
func TestWhoIsHeard(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		for _, kind := range types(t) {
			send := attempt{rule: "send.member", command: "send_group_msg", body: said(nil)}
			c.try(t, kind, "member", send, kind.Yes("send.member"))
			c.try(t, kind, "anyone", send, kind.Yes("send.nonmember.client"))
			c.try(t, kind, "appadmin", send, kind.Yes("send.appadmin_nonmember.client"))
			outsider := attempt{rule: "send.from_any_existing_account.rest", command: "send_group_msg", body: said(M{"From_Account": "dave"})}
			c.try(t, kind, "rest", outsider, kind.Yes(outsider.rule))
			all := attempt{rule: "mute_all.still_speak", prepare: M{"MuteAllMember": "On"}, command: "send_group_msg", body: said(nil), code: 10017}
			for _, who := range roles(kind) {
				if who != "anyone" {
					listed := strings.Split(kind.Rule(all.rule), "+")
					c.try(t, kind, who, all, slices.Contains(listed, who) || who == "member" && kind.Yes("send.all_muted.member.client"))
				}
			}
			all.body = said(M{"From_Account": "bob"})
			c.try(t, kind, "rest", all, kind.Yes("send.all_muted.From_Account_member.rest"))
			if !kind.Yes("mute.member.supported") {
				continue
			}
			id := c.fresh(t, kind, nil)
			s.MustREST(t, rest+"forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": 600}, nil)
			muted := attempt{rule: "send.muted.client", command: "send_group_msg", body: said(nil), code: 10017}
			c.spare[fmt.Sprint(kind, muted.prepare)] = id
			c.try(t, kind, "member", muted, kind.Yes("send.muted.client"))
			muted.rule, muted.body = "send.muted_From_Account.rest", said(M{"From_Account": "bob"})
			c.spare[fmt.Sprint(kind, muted.prepare)] = id
			c.try(t, kind, "rest", muted, kind.Yes("send.muted_From_Account.rest"))
			delete(c.spare, fmt.Sprint(kind, muted.prepare))
		}
	})
}

// Who recalls and edits what carol, or the one who tries, has said, and who reads it.
func TestWhoChangesMessages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		names := map[string]string{"owner": "alice", "admin": "carol", "member": "bob", "appadmin": magpietest.Admin}
		for _, kind := range types(t) {
			id := c.fresh(t, kind, nil)
			speak := func(from string) (sequence int) {
				var reply struct{ MsgSeq int }
				s.MustREST(t, rest+"send_group_msg", magpietest.With(said(M{"From_Account": from}), M{"GroupId": id}), &reply)
				return reply.MsgSeq
			}
			for _, who := range roles(kind) {
				e := c.doors[who](t, "group_msg_get", M{"GroupId": id, "ReqMsgNumber": 1}, nil)
				if want := kind.Allows("history.pull.who.client", group.Who(who)); (e.ErrorCode == 0) != want || !want && e.ErrorCode != 10007 {
					t.Errorf("history.pull.who.client: %s reads a %s group: %d, allowed: %v", who, kind, e.ErrorCode, want)
				}
				if who == "anyone" || who == "appadmin" { // outsiders have no history to choose from
					continue
				}
				recall := func(sequence int) (code int) {
					var reply struct{ RecallRetList []struct{ RetCode int } }
					c.doors[who].must(t, "group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": sequence}}}, &reply)
					return reply.RecallRetList[0].RetCode
				}
				if code := recall(speak(names[who])); (code == 0) != kind.Allows("recall.own.who", "sender") {
					t.Errorf("recall.own.who: %s of a %s group: %d", who, kind, code)
				}
				other := "erin"
				if code, want := recall(speak(other)), kind.Allows("recall.others.who", group.Who(who)); (code == 0) != want || !want && code != 10032 {
					t.Errorf("recall.others.who: %s of a %s group: %d, allowed: %v", who, kind, code, want)
				}
			}
		}
	})
}

// What somebody who is no member reads of a group, by its name.
func TestOutsidersRead(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		dave := by(s.Login(t, "dave"))
		for _, kind := range types(t) {
			id := create(t, s, kind.String(), nil)
			for command, want := range map[string]bool{
				"get_group_public_info":      kind.Yes("search.by_id.nonmember"),
				"get_group_self_member_info": kind.Rule("profile.read.nonmember.get_group_self_member_info") == "public_fields",
			} {
				var reply struct{ GroupInfo []info }
				dave.must(t, command, M{"GroupIdList": []string{id}}, &reply)
				got := reply.GroupInfo[0]
				if code := *got.ErrorCode; (code == 0) != want || !want && (code != 10007 || got.Name != nil) {
					t.Errorf("%s of a %s group: %d, readable: %v", command, kind, code, want)
				}
				if want && (*got.Name != "the group" || got.Notification != nil || len(got.MemberList) > 0) {
					t.Errorf("%s of a %s group: an outsider reads %+v", command, kind, got)
				}
			}
		}
	})
}

// The options that a new group may be given at each door; another one is passed over.
func TestOptionsOfNewGroups(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		doors := map[string]caller{"rest": byREST(s), "client": by(s.Login(t, "alice"))}
		for _, kind := range types(t) {
			for door, call := range doors {
				for _, option := range []string{"FreeAccess", "NeedPermission", "DisableApply"} {
					want := kind.Rule("create.apply_option.default")
					if kind.OneOf("create.apply_option.allowed."+door, option) {
						want = option
					}
					if got := made(t, s, call, M{"Type": kind.String(), "ApplyJoinOption": option}); got.Apply != want {
						t.Errorf("create.apply_option.allowed.%s: a %s group with %s has %s, want %s", door, kind, option, got.Apply, want)
					}
				}
				for _, option := range []string{"FreeAccess", "NeedPermission", "DisableInvite"} {
					want := kind.Rule("create.invite_option.default")
					if kind.OneOf("create.invite_option.allowed", option) {
						want = option
					}
					if got := made(t, s, call, M{"Type": kind.String(), "InviteJoinOption": option}); got.Invite != want {
						t.Errorf("create.invite_option.allowed: a %s group with %s has %s, want %s", kind, option, got.Invite, want)
					}
				}
				for _, role := range []string{"Member", "Admin"} {
					e := call(t, "create_group", M{"Type": kind.String(), "Name": "n", "MemberList": []M{{"Member_Account": "bob", "Role": role}}}, nil)
					allowed := slices.Contains(strings.Split(kind.Rule("create.members.initial.role"), "|"), role)
					if (e.ErrorCode == 0) != allowed || !allowed && e.ErrorCode != 10004 {
						t.Errorf("create.members.initial.role: %s in a %s group: %d, allowed: %v", role, kind, e.ErrorCode, allowed)
					}
				}
			}
		}
	})
}

// made makes a group and reads it.
func made(t *testing.T, s *Server, call caller, body M) info {
	t.Helper()
	var reply struct {
		GroupID string `json:"GroupId"`
	}
	call.must(t, "create_group", magpietest.With(M{"Name": "n"}, body), &reply)
	return read(t, s, reply.GroupID)
}
