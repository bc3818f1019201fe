package group_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/magpietest"
)

// The column of live rooms is tried as the others are, with the same attempts: alice owns the room, carol is its administrator, bob a
// member, and all three are inside; dave is outside. The codes are those of the table.

// liveRoom is the type of live rooms, and its rules by name.
func liveRoom(t *testing.T) (kind group.Type, rules map[string]*group.Rule) {
	t.Helper()
	table, err := group.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	kind, _ = table.Type("AVChatRoom")
	rules = map[string]*group.Rule{}
	for _, one := range table.All() {
		rules[one.Name] = one
	}
	return kind, rules
}

// freshRoom makes a live room with alice, carol and bob inside.
func (c *cast) freshRoom(t *testing.T) string {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
	}
	c.s.MustREST(t, rest+"create_group", M{"Type": "AVChatRoom", "Name": "show", "Owner_Account": "alice"}, &made)
	c.s.MustREST(t, "group_open_avchatroom_http_svc/modify_admin", M{"GroupId": made.GroupID, "CommandType": 1, "Admin_Account": []string{"carol"}}, nil)
	for _, who := range []string{"owner", "admin", "member"} {
		c.doors[who].must(t, "apply_join_group", M{"GroupId": made.GroupID}, nil)
	}
	return made.GroupID
}

var codesIn = regexp.MustCompile(`\d+`)

// codeOf is the code that the table gives a refusal at a door: that of live rooms, where it names one. ok says that nothing is refused
// there.
func codeOf(rule *group.Rule, door string) (code string, ok bool) {
	byREST, byClient, _ := strings.Cut(rule.Code, "/")
	text := byClient
	if door == "rest" {
		text = byREST
	}
	for _, part := range strings.Split(text, ";") {
		if strings.Contains(part, "AVChatRoom") {
			return codesIn.FindString(part), strings.Contains(part, "ok(")
		}
	}
	return codesIn.FindString(text), strings.Contains(text, "ok(")
}

// roomAttempts are those that live rooms do not share with other types.
func roomAttempts() []attempt {
	one := func(more M) M { return said(more) }
	return []attempt{
		{rule: "kick.who.client", command: "delete_group_member", body: M{"MemberToDel_Account": []string{"bob"}}},
		{rule: "send.targeted", command: "send_group_msg", body: one(M{"To_Account": []string{"bob"}})},
		{rule: "send.at_all", command: "send_group_msg", body: one(M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}})},
		{rule: "history.pull.who.client", command: "group_msg_get", body: M{"ReqMsgNumber": 1}},
		{rule: "pin.who.client", command: "pin_message", body: M{"MsgSeq": 1}},
		{rule: "unpin.who.client", command: "unpin_message", body: M{"MsgSeq": 1}},
		{rule: "receipt.give.who", command: "group_msg_receipt", body: M{"MsgSeqList": []M{{"MsgSeq": 1}}}},
		{rule: "receipt.read.who", command: "get_group_msg_receipt", body: M{"MsgSeqList": []M{{"MsgSeq": 1}}}},
		{rule: "member.namecard.others", command: "modify_group_member_info", body: M{"Member_Account": "bob", "NameCard": "x"}},
		{rule: "leave.who", command: "quit_group"},
		{rule: "members.list.who.client", command: "group_open_avchatroom_http_svc.get_members"},
		{rule: "members.specified", command: "get_specified_group_member_info", body: M{"Member_List_Account": []string{"bob"}}},
	}
}

// roomRest are attempts of the back end.
func roomRest() []attempt {
	return []attempt{
		{rule: "invite.who.rest", command: "add_group_member", body: addFrank},
		{rule: "kick.who.rest", command: "delete_group_member", body: M{"MemberToDel_Account": []string{"bob"}}},
		{rule: "ban.who.rest", command: "ban_group_member", body: M{"Members_Account": []string{"bob"}, "Duration": 1}},
		{rule: "ban.list.who", command: "get_group_ban_member"},
		{rule: "ban.unban.who", command: "unban_group_member", body: M{"Members_Account": []string{"bob"}}},
		{rule: "mute.member.who.rest", command: "forbid_send_msg", body: M{"Members_Account": []string{"bob"}, "MuteTime": 60}},
		{rule: "members.list.rest", command: "get_group_member_info"},
		{rule: "members.specified", command: "get_specified_group_member_info", body: M{"Member_List_Account": []string{"bob"}}},
		{rule: "members.role_query.rest", command: "get_role_in_group", body: M{"User_Account": []string{"bob"}}},
		{rule: "members.muted_list.rest", command: "get_group_muted_account"},
		{rule: "online_count.supported", command: "get_online_member_num"},
		{rule: "import.member", command: "import_group_member", body: M{"MemberList": []M{{"Member_Account": "frank"}}}},
		{rule: "import.message", command: "import_group_msg", body: M{"MsgList": []M{{"From_Account": "bob", "SendTime": 1, "MsgBody": magpietest.Text("hi")}}}},
		{rule: "sysnotify.supported", command: "send_group_system_notification", body: M{"Content": "c"}},
		{rule: "sysnotify.to_some", command: "send_group_system_notification", body: M{"Content": "c", "ToMembers_Account": []string{"bob"}}},
		{rule: "history.pull.rest", command: "group_msg_get_simple", body: M{"ReqMsgNumber": 1}},
		{rule: "clear.all.rest(clear_group_msg)", command: "clear_group_msg"},
		{rule: "edit.who.rest", command: "openim/modify_group_msg", body: M{"MsgSeq": 1, "MsgBody": magpietest.Text("x")}},
		{rule: "pin.who.rest", command: "pin_message", body: M{"MsgSeq": 1}},
		{rule: "receipt.supported", command: "get_group_msg_receipt", body: M{"MsgSeqList": []M{{"MsgSeq": 1}}}},
		{rule: "recall.all_of_sender.rest", command: "delete_group_msg_by_sender", body: M{"Sender_Account": "bob"}},
		{rule: "unread.set_by_rest", command: "set_unread_msg_num", body: M{"Member_Account": "bob", "UnreadMsgNum": 1}},
		{rule: "send.from_any_existing_account.rest", command: "send_group_msg", body: said(M{"From_Account": "dave"})},
		{rule: "send.targeted", command: "send_group_msg", body: said(M{"To_Account": []string{"bob"}})},
		{rule: "send.at_all", command: "send_group_msg", body: said(M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}})},
	}
}

// mayInRoom reads who may from a cell: a list of people, or whether there is such a thing.
func mayInRoom(cell, who string) bool {
	listed := strings.Split(cell, "+")
	switch {
	case cell == "yes" || cell == "no_effect":
		return true
	case slices.Contains(listed, who):
		return true
	case who == "rest":
		return slices.Contains(listed, "appadmin") || strings.HasPrefix(cell, "appadmin>")
	case who == "appadmin":
		return slices.Contains(listed, "owner")
	}
	return who != "anyone" && slices.Contains(listed, "inside")
}

func TestLiveRoomColumn(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		kind, rules := liveRoom(t)
		for _, a := range slices.Concat(profileAttempts(), dataAttempts(), roomAttempts()) {
			if kind.Rule(a.rule) == "na" || a.prepare != nil || strings.HasPrefix(a.command, "get_") && a.rule == "members.list.who.client" {
				continue // they have neither options to prepare nor these lists
			}
			for _, who := range roles(kind) {
				if outside := who == "anyone" || who == "appadmin"; outside && a.rule == "leave.who" {
					continue // they are not inside
				}
				c.tryInRoom(t, rules[a.rule], who, a)
			}
			if strings.HasPrefix(a.rule, "profile.") || strings.HasPrefix(a.rule, "attribute.") || strings.HasPrefix(a.rule, "counter.") || a.rule == "dismiss.who" {
				c.tryInRoom(t, rules[a.rule], "rest", a)
			}
		}
		for _, a := range roomRest() {
			if kind.Rule(a.rule) == "na" {
				t.Errorf("%s is nothing of live rooms", a.rule)
			}
			c.tryInRoom(t, rules[a.rule], "rest", a)
		}
	})
}

// tryInRoom makes one attempt in a live room and holds the answer against the table.
func (c *cast) tryInRoom(t *testing.T, rule *group.Rule, who string, a attempt) {
	t.Helper()
	id := c.spare["room"]
	if id == "" {
		id = c.freshRoom(t)
		c.spare["room"] = id
	}
	kind, _ := liveRoom(t)
	e := c.doors[who](t, a.command, magpietest.With(M{"GroupId": id}, a.body), nil)
	if e.ErrorCode == 0 {
		delete(c.spare, "room")
	}
	code, ok := codeOf(rule, who)
	if mayInRoom(kind.Rule(a.rule), who) || ok {
		code = "0"
	}
	if code != strconv.Itoa(e.ErrorCode) {
		t.Errorf("%s (%s): %s by %s is answered %d %s, want %s", a.rule, kind.Rule(a.rule), a.command, who, e.ErrorCode, e.ErrorInfo, code)
	}
}

// toldOfRooms are rules whose cell of live rooms no attempt here tries: stories that tell of it, here or of the live room's own folder.
// A name ends with a dot where all rules that begin so are meant.
func toldOfRooms() map[string]string {
	return map[string]string{
		"type.": "TestGroupIDs", "id.": "TestGroupIDs", "service.client": "TestEnterSpeakLeave", "reply.HugeGroupFlag": "TestEnterSpeakLeave",
		"create.": "TestOptionsOfRooms", "create.quota.": "TestMostGroups", "activation.": "TestRead", "join.": "TestEnterSpeakLeave",
		"join.banned": "TestBans", "leave.": "TestEnterSpeakLeave", "kick.": "TestRoles",
		"ban.": "TestBans", "role.": "TestRoles", "admin.": "TestRoles", "profile.": "TestProfile", "profile.read.": "TestRead",
		"member.namecard.own": "TestOwnInRooms", "member.receive_option.": "TestOwnInRooms", "mute.": "TestRoles", "mute_all.": "TestRoles",
		"send.": "TestEnterSpeakLeave", "send.rate.": "TestAboveTheRate", "send.rate_per_second": "TestAboveTheRate",
		"send.globally_muted.client": "TestMutedInAllGroups", "user.joined_limit.counts": "TestRead", "invite.": "TestRoles",
		"attribute.": "TestAttributesAndNotifications", "counter.": "TestCounterBounds", "history.": "TestRoles", "seq.": "TestEnterSpeakLeave",
		"unread.counted": "TestRead", "conversation.listed": "TestRead", "joined_list.": "TestRead", "kept.after_leave.conversation": "TestRead",
		"sysnotify.": "TestAttributesAndNotifications", "members.list.": "TestRead", "members.stored": "TestRead",
		"members.OnlineStatus_field": "TestRead", "online_count.": "TestEnterSpeakLeave", "search.": "TestRead", "tip.": "TestEnterSpeakLeave",
		"tip.6.": "TestProfile", "notice.": "TestAttributesAndNotifications", "notice.5.dismissed": "TestDestroy", "notice.21.banned": "TestBans",
		"callback.": "TestEnterAndLeaveCallbacks", "import.": "TestLifeByREST", "transfer.": "TestRoles",
		"recycle.": "TestNothingIsLeft", "receipt.": "TestLiveRoomColumn", "pin.": "TestLiveRoomColumn", "invite.max_per_call.": "TestLiveRoomColumn",
	}
}

// untriedInRooms are cells of live rooms that no test reaches, and why.
func untriedInRooms() map[string]string {
	const later, none = "live rooms have it not yet", "nothing is stored that it could be of"
	return map[string]string{
		"recall.": later, "edit.": later, "marks.": later, "broadcast.": later, "join.anonymous": later, "join.anonymous.": later,
		"join.reply.history": later, "join.rooms_at_once_per_user": "the SDK bounds it", "join.must_repeat_after_login": "the SDK does it",
		"topic.": "live rooms have no topics", "member.offline_push.default": "no vendor is told of anything yet",
		"delete.": none, "member.custom.": none, "clear.": none, "extension.": none, "reaction.": none,
	}
}

// Every cell of live rooms is tried, told of in a story, or named with a reason.
func TestEveryCellOfRooms(t *testing.T) {
	kind, rules := liveRoom(t)
	tried, used := map[string]bool{}, map[string]bool{}
	for _, a := range slices.Concat(profileAttempts(), dataAttempts(), roomAttempts(), roomRest()) {
		tried[a.rule] = true
	}
	stories := storiesIn(t, ".", "attribute", "../live", "../groupmessage")
	for name := range rules {
		if kind.Rule(name) == "na" || tried[name] {
			continue
		}
		where, reason := longest(toldOfRooms(), name), longest(untriedInRooms(), name)
		if len(reason) > len(where) {
			where = ""
		}
		if where == "" && reason == "" {
			t.Errorf("%s: nobody tries it for live rooms", name)
		}
		if where != "" && !slices.Contains(stories, toldOfRooms()[where]) {
			t.Errorf("%s: there is no story %s", name, toldOfRooms()[where])
		}
		used[where], used[reason] = true, true
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(toldOfRooms())), slices.Collect(maps.Keys(untriedInRooms()))) {
		if !used[name] {
			t.Errorf("%s is named for no rule that needs it", name)
		}
	}
}

// What a new live room may be given, and what nobody says of himself in one.
func TestOptionsOfRooms(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		kind, _ := liveRoom(t)
		for _, door := range []string{"rest", "owner"} {
			word := map[string]string{"rest": "rest", "owner": "client"}[door]
			for _, option := range []string{"FreeAccess", "NeedPermission", "DisableApply"} {
				want := kind.Rule("create.apply_option.default")
				if kind.OneOf("create.apply_option.allowed."+word, option) {
					want = option
				}
				if got := made(t, s, c.doors[door], M{"Type": "AVChatRoom", "ApplyJoinOption": option}); got.Apply != want {
					t.Errorf("%s: a room with %s has %s, want %s", door, option, got.Apply, want)
				}
			}
			for name, body := range map[string]M{"members": {"MemberList": named("bob")}, "topics": {"SupportTopic": 1}, "no name": {"Name": ""}} {
				e := c.doors[door](t, "create_group", magpietest.With(M{"Type": "AVChatRoom", "Name": "n"}, body), nil)
				if want := map[string]int{"members": 10007, "topics": 10007, "no name": 10004}[name]; e.ErrorCode != want {
					t.Errorf("%s: a room with %s: %d %s, want %d", door, name, e.ErrorCode, e.ErrorInfo, want)
				}
			}
		}
	})
}

func TestOwnInRooms(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		id := c.freshRoom(t)
		for field, want := range map[string]int{"NameCard": 10007, "MsgFlag": 10004} {
			for _, door := range []string{"rest", "member"} {
				body := M{"GroupId": id, "Member_Account": "bob", field: "Discard"}
				if e := c.doors[door](t, "modify_group_member_info", body, nil); e.ErrorCode != want {
					t.Errorf("%s: %s of a member of a room: %d %s", door, field, e.ErrorCode, e.ErrorInfo)
				}
			}
		}
	})
}
