package group_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
)

// elsewhere are rules whose cells no test of this folder reads from the table: stories that are told of them by name. A name ends with
// a dot where all rules that begin so are meant.
func elsewhere() map[string]string {
	return map[string]string{
		"type.": "TestGroupIDs", "service.client": "TestJoinedList", "id.custom.": "TestGroupIDs",
		"create.support_topic": "TestGroupIDs", "create.permission_groups": "TestGroupIDs", "create.owner.joins_at_once": "TestLifeByREST",
		"create.members.initial.": "TestLifeByREST", "create.max_members.": "TestLifeByREST", "create.who.rest": "TestLifeByREST",
		"create.who.client": "TestLifeByClient", "create.enabled": "TestLifeByREST", "create.quota.max_groups": "TestMostGroups", "user.joined_limit.counts": "TestJoinedLimit", "activation.": "TestJoinedList",
		"join.apply.supported": "TestOneself", "join.joined_limit": "TestJoinedLimit", "join.banned": "TestBan", "join.pending.": "TestAskToJoin",
		"leave.owner": "TestOneself", "leave.pending_state_kept(mute)": "TestMute", "kick.silence.": "TestNoTips", "kick.reason_shown": "TestTips",
		"ban.": "TestBan", "role.": "TestWhoMay", "admin.set.command.rest": "TestWhoMay", "admin.target_must_be_member": "TestMemberFields",
		"admin.set_self_or_owner": "TestMemberFields", "admin.kept_after_leave": "TestRemovedMember", "admin.max": "TestWhoMay",
		"transfer.": "TestLifeByREST", "profile.custom.": "TestGroupFields", "profile.name.max_bytes": "TestGroupIDs",
		"profile.": "TestGroupFields", "member.namecard.max_bytes": "TestMemberFields", "member.custom.": "TestMemberFields",
		"member.receive_option.who": "TestReceiveOptions", "mute.": "TestMute", "send.": "TestSend", "recall.": "TestRecall", "edit.": "TestModify",
		"clear.all.rest_history_still_shows": "TestClear", "attribute.": "TestAttributeBounds", "counter.": "TestCounterBounds",
		"history.": "TestHistoryBeforeJoining", "seq.stored_only": "TestOnlineOnly", "unread.": "TestUnread", "conversation.listed": "TestGroupsInList",
		"joined_list.": "TestJoinedList", "kept.after_leave.conversation": "TestGroupRemoved", "sysnotify.": "TestNotify", "tip.": "TestTips",
		"notice.": "TestToldOfOneself", "members.list.": "TestMemberPages", "members.OnlineStatus_field": "TestWhoIsOnline",
		"online_count.": "TestWhoIsOnline", "search.public_fields": "TestOutsidersRead", "import.": "TestImport", "callback.": "TestCallbacks",
		"receipt.": "TestReceipts", "extension.": "TestExtensions", "reaction.": "TestReactions", "pin.": "TestPins", "unpin.": "TestWhoPins",
		"reply.HugeGroupFlag": "TestLifeByREST", "recycle.inactive_group": "TestRecycle",
	}
}

// untried are rules that no door reaches, or reaches yet, and why.
func untried() map[string]string {
	const live, topics, later = "is of live rooms: TestEveryCellOfRooms", "topics and permission groups are not served", "is not served yet"
	return map[string]string{
		"create.first_message_by_sdk": "the SDK does it", "create.tip_for_initial_members": "says what is not done",
		"join.must_repeat_after_login": live, "join.rooms_at_once_per_user": live, "join.anonymous": live, "join.anonymous.may_send": live,
		"join.reply.history": live, "admin.rights.live": live, "marks.": live, "broadcast.": live, "seq.live_items_distinct_number": live,
		"member.receive_option.topic_extra": topics, "topic.": topics, "delete.own_view.": later, "clear.own_view.who": later,
		"member.offline_push.default": later, "recycle.offline_members.possible": later,
		"search.fuzzy": "there is no such command", "search.cloud_plugin.own_groups": later,
	}
}

// Every rule is tried: by a test that reads its cells, by a story that is named for it, or not, for a reason. What is named here for
// nothing fails too.
func TestEveryRule(t *testing.T) {
	rules, err := group.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	read, stories := testsOfGroups(t)
	used := map[string]bool{}
	for _, rule := range rules.All() {
		if slices.ContainsFunc(read, func(text string) bool { return text == rule.Name || begins(rule.Name, text) }) {
			continue
		}
		reason, where := longest(untried(), rule.Name), longest(elsewhere(), rule.Name)
		if reason == "" && where == "" {
			t.Errorf("%s: no test reads it, and no story is named for it", rule.Name)
		}
		used[reason], used[where] = true, true
	}
	for name, story := range elsewhere() {
		if !slices.Contains(stories, story) {
			t.Errorf("elsewhere() has %s for %s, which no test is", story, name)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(elsewhere())), slices.Collect(maps.Keys(untried()))) {
		if !used[name] {
			t.Errorf("%s is named for no rule that needs it", name)
		}
	}
}

// begins reports whether a text is the beginning of rules' names, and the rule is one of them.
func begins(rule, text string) bool {
	const short = len("a.b.")
	return strings.HasSuffix(text, ".") && len(text) >= short && strings.HasPrefix(rule, text)
}

// longest is the most special of the names that a rule falls under; empty is none.
func longest(all map[string]string, rule string) (name string) {
	for one := range all {
		if (one == rule || strings.HasSuffix(one, ".") && strings.HasPrefix(rule, one)) && len(one) > len(name) {
			name = one
		}
	}
	return name
}

// testsOfGroups reads the tests of the rooms that follow the table: the texts in them, but for those of this file and of live rooms,
// and their names.
func testsOfGroups(t *testing.T) (texts, names []string) {
	t.Helper()
	for _, folder := range []string{".", "attribute", "../groupmessage", "../conversation", "../chat/annotate"} {
		some, stories := testsIn(t, folder)
		texts, names = append(texts, some...), append(names, stories...)
	}
	return texts, names
}

// storiesIn are the names of the tests of some folders.
func storiesIn(t *testing.T, folders ...string) (names []string) {
	t.Helper()
	for _, folder := range folders {
		_, some := testsIn(t, folder)
		names = append(names, some...)
	}
	return names
}

// testsIn reads the tests of a folder.
func testsIn(t *testing.T, folder string) (texts, names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", folder, err)
	}
	for _, path := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		silent := slices.Contains([]string{"covered_test.go", "rules_test.go", "room_test.go"}, filepath.Base(path))
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch one := n.(type) {
			case *ast.FuncDecl:
				names = append(names, one.Name.Name)
			case *ast.BasicLit:
				if text, err := strconv.Unquote(one.Value); err == nil && !silent {
					texts = append(texts, text)
				}
			}
			return true
		})
	}
	return texts, names
}
