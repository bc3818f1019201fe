package relation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// Friends who take anybody are added at once, on one side or on both, and all devices hear of it.
func TestAdd(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
		does(t, alice, "sns.friend_add", magpietest.With(asking("", "bob", "nobody", "alice"), M{"AddType": "Add_Type_Both"}),
			"bob 0, nobody 30003, alice 30001")
		hears(t, alice, "1 bob")
		hears(t, phone, "1 bob")
		hears(t, bob, "1 alice")
		has(t, s, "alice", "bob")
		has(t, s, "bob", "alice")
		comes(t, s, "sns/friend_add", magpietest.With(asking("alice", "carol"), M{"AddType": "Add_Type_Single"}), "carol 0")
		has(t, s, "alice", "bob", "carol")
		has(t, s, "carol")
		hears(t, alice, "1 carol")
		comes(t, s, "sns/friend_add", asking("alice", "carol", "bob"), "carol 0, bob 30520")
		has(t, s, "carol", "alice")
		hears(t, alice)
		// A client acts for itself only.
		does(t, bob, "sns.friend_add", asking("carol", "dave"), "dave 0")
		has(t, s, "bob", "alice", "dave")
		has(t, s, "carol", "alice")
	})
}

// Who wants to be asked is asked: both sides see the request, and an agreement makes friends.
func TestAskAndAgree(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		allows(t, s, "bob", "NeedConfirm")
		bob.Pushes(t)
		request := asking("", "bob")
		request["AddFriendItem"].([]M)[0]["Remark"], request["AddFriendItem"].([]M)[0]["GroupName"] = "Bobby", "Pals"
		does(t, alice, "sns.friend_add", request, "bob 30539")
		hears(t, alice, "3 alice asks: bob (hi, Pendency_Type_SendOut)")
		hears(t, bob, "3 alice asks: alice (hi, Pendency_Type_ComeIn)")
		does(t, alice, "sns.friend_add", request, "bob 30539") // anew, not twice
		hears(t, bob, "3 alice asks: alice (hi, Pendency_Type_ComeIn)")
		alice.Pushes(t)
		waits(t, bob, 1, "alice Pendency_Type_ComeIn")
		waits(t, alice, 0, "bob Pendency_Type_SendOut")
		has(t, s, "alice")

		does(t, bob, "sns.friend_response", M{"ResponseFriendItem": []M{
			{"To_Account": "alice", "ResponseAction": "Response_Action_AgreeAndAdd", "Remark": "Al", "TagName": "Work"},
			{"To_Account": "carol", "ResponseAction": "Response_Action_Agree"},
		}}, "alice 0, carol 30614")
		hears(t, bob, "1 alice", "4 alice asked: alice")
		hears(t, alice, "1 bob", "4 alice asked: bob")
		waits(t, bob, 0)
		waits(t, alice, 0)
		mine, theirs := friends(t, s, "alice").Friends[0], friends(t, s, "bob").Friends[0]
		if mine.value("Tag_SNS_IM_Remark") != `"Bobby"` || mine.value("Tag_SNS_IM_Group") != `["Pals"]` ||
			theirs.value("Tag_SNS_IM_Remark") != `"Al"` || theirs.value("Tag_SNS_IM_Group") != `["Work"]` ||
			theirs.value("Tag_Profile_IM_Nick") != `"nick of alice"` || mine.value("Tag_SNS_IM_AddSource") != `"AddSource_Type_Web"` {
			t.Errorf("the friends are %+v and %+v", mine, theirs)
		}
		does(t, bob, "sns.friend_response", M{"ResponseFriendItem": []M{{"To_Account": "alice", "ResponseAction": "Response_Action_Agree"}}},
			"alice 30614")
	})
}

// waits compares an account's requests, and how many of them it has not read.
func waits(t *testing.T, c *Conn, unread int, want ...string) {
	t.Helper()
	var got struct {
		Requests []struct {
			To   string `json:"To_Account"`
			Kind string `json:"PendencyType"`
			Nick string
		} `json:"PendencyItem"`
		Unread          int `json:"UnreadPendencyCount"`
		StartTime       int64
		CurrentSequence int64
	}
	c.MustCall(t, "sns.pendency_get", M{"PendencyType": "Pendency_Type_Both", "StartTime": 0, "MaxLimited": 100, "LastSequence": 0}, &got)
	lines := []string{}
	for _, one := range got.Requests {
		lines = append(lines, one.To+" "+one.Kind)
		if one.Nick != "nick of "+one.To {
			t.Errorf("the request of %s has the nick %q", one.To, one.Nick)
		}
	}
	slices.Sort(lines)
	if !slices.Equal(lines, append([]string{}, want...)) || got.Unread != unread || got.StartTime != 0 {
		t.Errorf("%s waits for %q with %d unread, want %q with %d", c.UserID, lines, got.Unread, want, unread)
	}
}

// A request is answered with one side only, refused, or withdrawn by either side.
func TestAnswers(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, name := range []string{"alice", "bob"} {
			allows(t, s, name, "NeedConfirm")
		}
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		respond := func(action string) M {
			return M{"ResponseFriendItem": []M{{"To_Account": "alice", "ResponseAction": "Response_Action_" + action}}}
		}
		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		does(t, bob, "sns.friend_response", respond("Reject"), "alice 0")
		has(t, s, "alice")
		waits(t, alice, 0)
		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		does(t, bob, "sns.friend_response", respond("Agree"), "alice 0")
		has(t, s, "alice", "bob")
		has(t, s, "bob")
		comes(t, s, "sns/friend_delete", M{"From_Account": "alice", "To_Account": []string{"bob"}}, "bob 0")

		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		alice.Pushes(t)
		bob.Pushes(t)
		drop := func(kind, name string) M {
			return M{"PendencyType": "Pendency_Type_" + kind, "To_Account": []string{name, name}}
		}
		does(t, bob, "sns.pendency_delete", drop("SendOut", "alice"), "alice 31804")
		does(t, bob, "sns.pendency_delete", drop("ComeIn", "alice"), "alice 0")
		hears(t, alice, "4 alice asked: bob")
		hears(t, bob, "4 alice asked: alice")
		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		does(t, alice, "sns.pendency_delete", drop("SendOut", "bob"), "bob 0")
		waits(t, bob, 0)
		// Who adds somebody that has asked himself agrees.
		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		does(t, bob, "sns.friend_add", asking("", "alice"), "alice 0")
		has(t, s, "alice", "bob")
		has(t, s, "bob", "alice")
		waits(t, alice, 0)
		waits(t, bob, 0)
	})
}

// What an account, an administrator, or an operator has decided is followed; a back end that insists asks nobody.
func TestWhoMayAdd(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		allows(t, s, "bob", "DenyAny")
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 30516")
		comes(t, s, "sns/friend_add", magpietest.With(asking("alice", "bob"), M{"ForceAddFlags": 1}), "bob 0")
		has(t, s, "bob", "alice")
		s.Configure(t, "friend.allow_type", "AllowType_Type_NeedConfirm")
		comes(t, s, "sns/friend_add", asking("alice", "carol"), "carol 30539")
		allows(t, s, "carol", "AllowAny")
		comes(t, s, "sns/friend_add", asking("alice", "carol"), "carol 0")
		dave := s.Login(t, "dave")
		s.MustREST(t, "profile/portrait_set", M{"From_Account": "dave", "ProfileItem": []M{
			{"Tag": "Tag_Profile_IM_AdminForbidType", "Value": "AdminForbid_Type_SendOut"}}}, nil)
		does(t, dave, "sns.friend_add", magpietest.With(asking("", "carol"), M{"ForceAddFlags": 1}), "carol 30009")
		comes(t, s, "sns/friend_add", magpietest.With(asking("dave", "carol"), M{"ForceAddFlags": 1}), "carol 0")
	})
}

// Lists and requests have a bound, on either side.
func TestBounds(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.max", "1", "friend.max_requests", "1", "friend.max_groups", "1")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 30010")
		comes(t, s, "sns/friend_add", asking("dave", "bob"), "bob 30014")
		comes(t, s, "sns/friend_add", magpietest.With(asking("dave", "bob"), M{"AddType": "Add_Type_Single"}), "bob 0")
		comes(t, s, "sns/friend_delete", M{"From_Account": "dave", "To_Account": []string{"bob"}}, "bob 0")
		allows(t, s, "carol", "NeedConfirm")
		allows(t, s, "bob", "NeedConfirm")
		comes(t, s, "sns/friend_add", magpietest.With(asking("dave", "carol", "bob"), M{"AddType": "Add_Type_Single"}), "carol 30539, bob 30012")
		comes(t, s, "sns/friend_add", magpietest.With(asking("alice", "carol"), M{"AddType": "Add_Type_Single"}), "carol 30010")
		group := func(name string) M {
			return M{"From_Account": "alice", "UpdateItem": []M{{"To_Account": "bob", "SnsItem": []M{{"Tag": "Tag_SNS_IM_Group", "Value": []string{name}}}}}}
		}
		comes(t, s, "sns/friend_update", group("one"), "bob 0")
		comes(t, s, "sns/friend_update", group("two"), "bob 30011")
		for name, body := range map[string]M{
			"sns/friend_add":      asking("alice"),
			"sns/friend_check":    {"From_Account": "alice", "To_Account": slices.Repeat([]string{"bob"}, 1001), "CheckType": "CheckResult_Type_Both"},
			"sns/friend_delete":   {"From_Account": "alice", "To_Account": []string{}},
			"sns/friend_get_list": {"From_Account": "alice", "To_Account": []string{"bob"}},
		} {
			s.Refuses(t, name, body, 30001)
		}
		for _, one := range []M{
			{"To_Account": "dave", "AddSource": "Web"}, {"To_Account": "dave", "AddSource": "AddSource_Type_morethan8"},
			{"To_Account": "dave", "AddSource": "AddSource_Type_Web", "Remark": strings.Repeat("x", 97)},
			{"To_Account": "dave", "AddSource": "AddSource_Type_Web", "AddWording": strings.Repeat("x", 257)},
			{"To_Account": "dave", "AddSource": "AddSource_Type_Web", "GroupName": strings.Repeat("x", 31)},
		} {
			comes(t, s, "sns/friend_add", M{"From_Account": "bob", "AddFriendItem": []M{one}}, "dave 30001")
		}
		s.Refuses(t, "sns/friend_add", asking("nobody", "bob"), 30003)
		s.Refuses(t, "sns/friend_get", M{"From_Account": "nobody"}, 30003)
	})
}

// Friends are removed from one list or from both, by name or all.
func TestDelete(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol", "dave"), "bob 0, carol 0, dave 0")
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		does(t, alice, "sns.friend_delete", M{"To_Account": []string{"bob", "nobody", "bob"}}, "bob 0, nobody 31704")
		hears(t, alice, "2 bob")
		hears(t, bob)
		has(t, s, "alice", "carol", "dave")
		has(t, s, "bob", "alice")
		does(t, alice, "sns.friend_delete", M{"To_Account": []string{"carol", "bob"}, "DeleteType": "Delete_Type_Both"}, "carol 0, bob 0")
		hears(t, alice, "2 carol")
		hears(t, bob, "2 alice")
		hears(t, carol, "2 alice")
		has(t, s, "carol")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 0")
		s.MustREST(t, "sns/friend_delete_all", M{"From_Account": "alice"}, nil)
		has(t, s, "alice")
		has(t, s, "dave", "alice")
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
		s.MustREST(t, "sns/friend_delete_all", M{"From_Account": "alice", "DeleteType": "Delete_Type_Both"}, nil)
		has(t, s, "bob")
		has(t, s, "alice")
	})
}

// How two accounts stand to each other, as one of them sees it.
func TestCheck(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
		comes(t, s, "sns/friend_add", magpietest.With(asking("alice", "carol"), M{"AddType": "Add_Type_Single"}), "carol 0")
		comes(t, s, "sns/friend_add", magpietest.With(asking("dave", "alice"), M{"AddType": "Add_Type_Single"}), "alice 0")
		check := func(from, kind string, names ...string) string {
			var got struct {
				Items []struct {
					To       string `json:"To_Account"`
					Relation string
					Code     int `json:"ResultCode"`
				} `json:"InfoItem"`
			}
			s.MustREST(t, "sns/friend_check", M{"From_Account": from, "To_Account": names, "CheckType": "CheckResult_Type_" + kind}, &got)
			var lines []string
			for _, one := range got.Items {
				if one.Code != 0 {
					lines = append(lines, "unknown")
					continue
				}
				lines = append(lines, strings.TrimPrefix(one.Relation, "CheckResult_Type_"))
			}
			return strings.Join(lines, " ")
		}
		all := []string{"bob", "carol", "dave", "nobody"}
		if got := check("alice", "Both", all...); got != "BothWay AWithB BWithA unknown" {
			t.Errorf("both: %s", got)
		}
		if got := check("alice", "Single", all...); got != "AWithB AWithB NoRelation unknown" {
			t.Errorf("single: %s", got)
		}
		s.Refuses(t, "sns/friend_check", M{"From_Account": "alice", "To_Account": all, "CheckType": "x"}, 30001)
	})
}

// Remark, groups and the application's own fields are changed and read; the other devices hear of it.
func TestUpdate(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.custom_fields", "Tea,Cake")
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
		alice, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2))
		update := func(name string, fields ...M) M {
			return M{"From_Account": "alice", "UpdateItem": []M{{"To_Account": name, "SnsItem": fields}}}
		}
		before := friends(t, s, "alice")
		does(t, alice, "sns.friend_update", update("bob", M{"Tag": "Tag_SNS_IM_Remark", "Value": "Bobby"}, M{"Tag": "Tag_SNS_Custom_Tea", "Value": "green"}), "bob 0")
		hears(t, alice)
		hears(t, phone, `8 bob: Tag_SNS_IM_Remark="Bobby"`, `8 bob: Tag_SNS_Custom_Tea="green"`)
		comes(t, s, "sns/friend_update", update("bob", M{"Tag": "Tag_SNS_IM_Group", "Value": []string{"Work", "Pals"}}), "bob 0")
		hears(t, alice, `8 bob: Tag_SNS_IM_Group=["Work","Pals"]`)
		after := friends(t, s, "alice")
		bob := after.Friends[0]
		if bob.value("Tag_SNS_IM_Remark") != `"Bobby"` || bob.value("Tag_SNS_Custom_Tea") != `"green"` || bob.value("Tag_SNS_IM_Group") != `["Work","Pals"]` {
			t.Errorf("bob is %+v", bob)
		}
		if after.StandardSequence <= before.StandardSequence || after.CustomSequence <= before.CustomSequence {
			t.Errorf("the sequences went from %+v to %+v", before, after)
		}
		for _, field := range []M{
			{"Tag": "Tag_SNS_Custom_Rum", "Value": "x"}, {"Tag": "Tag_SNS_Custom_Tea", "Value": 5}, {"Tag": "Tag_SNS_IM_Remark", "Value": strings.Repeat("x", 97)},
			{"Tag": "Tag_SNS_IM_Group", "Value": "Work"}, {"Tag": "Tag_SNS_IM_Group", "Value": []string{""}}, {"Tag": "Tag_SNS_IM_AddTime", "Value": 5},
			{"Tag": "Tag_SNS_Custom_Tea", "Value": strings.Repeat("x", 501)},
		} {
			comes(t, s, "sns/friend_update", update("bob", M{"Tag": "Tag_SNS_IM_Remark", "Value": "changed"}, field), "bob 30001")
		}
		comes(t, s, "sns/friend_update", update("carol", M{"Tag": "Tag_SNS_IM_Remark", "Value": "x"}), "carol 30001")
		if bob := friends(t, s, "alice").Friends[0]; bob.value("Tag_SNS_IM_Remark") != `"Bobby"` {
			t.Errorf("after refusals bob is %+v", bob)
		}
		var named struct {
			Items []struct {
				To     string `json:"To_Account"`
				Code   int    `json:"ResultCode"`
				Fields []M    `json:"SnsProfileItem"`
			} `json:"InfoItem"`
			Failed []string `json:"Fail_Account"`
		}
		s.MustREST(t, "sns/friend_get_list", M{"From_Account": "alice", "To_Account": []string{"carol", "bob"},
			"TagList": []string{"Tag_SNS_IM_Remark", "Tag_Profile_IM_Nick"}}, &named)
		if len(named.Items) != 2 || named.Items[0].Code != 30001 || named.Items[1].Code != 0 || len(named.Items[1].Fields) != 2 ||
			!slices.Equal(named.Failed, []string{"carol"}) {
			t.Errorf("by name: %+v", named)
		}
		alice.MustCall(t, "sns.friend_get_specified", M{"To_Account": []string{"bob"}}, &named)
		if len(named.Items) != 1 || len(named.Items[0].Fields) < 7 {
			t.Errorf("with all fields: %+v", named)
		}
	})
}

// An import writes one list as it was elsewhere; nobody is asked or told by a callback.
func TestImport(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.custom_fields", "Tea")
		allows(t, s, "bob", "DenyAny")
		imported := func(remark string) M {
			return M{"From_Account": "alice", "AddFriendItem": []M{
				{"To_Account": "bob", "AddSource": "AddSource_Type_Old", "Remark": remark, "GroupName": []string{"Work", "Pals"}, "AddWording": "w",
					"AddTime": 1600000000, "CustomItem": []M{{"Tag": "Tag_SNS_Custom_Tea", "Value": "green"}}},
				{"To_Account": "nobody", "AddSource": "AddSource_Type_Old"}, {"To_Account": "carol"},
			}}
		}
		comes(t, s, "sns/friend_import", imported("B"), "bob 0, nobody 30003, carol 30001")
		comes(t, s, "sns/friend_import", imported("Bobby"), "bob 0, nobody 30003, carol 30001")
		has(t, s, "alice", "bob")
		has(t, s, "bob")
		bob := friends(t, s, "alice").Friends[0]
		for tag, want := range map[string]string{
			"Tag_SNS_IM_Remark": `"Bobby"`, "Tag_SNS_IM_Group": `["Work","Pals"]`, "Tag_SNS_IM_AddTime": "1600000000", "Tag_SNS_Custom_Tea": `"green"`,
			"Tag_SNS_IM_AddWording": `"w"`, "Tag_SNS_IM_AddSource": `"AddSource_Type_Old"`,
		} {
			if got := bob.value(tag); got != want {
				t.Errorf("%s is %s, want %s", tag, got, want)
			}
		}
	})
}
