package relation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// groupsOf reads the friend groups of an account: "Pals 2 bob,carol".
func groupsOf(t *testing.T, s *Server, body M) (lines []string) {
	t.Helper()
	var got struct {
		Groups []struct {
			GroupName    string
			FriendNumber int
			To           []string `json:"To_Account"`
		} `json:"ResultItem"`
	}
	s.MustREST(t, "sns/group_get", body, &got)
	for _, one := range got.Groups {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %s", one.GroupName, one.FriendNumber, strings.Join(one.To, ","))))
	}
	return lines
}

// Friends are put into groups, which are renamed and deleted; friends outlive their groups, and groups do not have who is no
// friend any more.
func TestFriendGroups(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.max_groups", "3")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 0")
		alice, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2))
		of := func(more M) M { return magpietest.With(M{"From_Account": "alice"}, more) }
		with := of(M{"NeedFriend": "Need_Friend_Type_Yes"})
		comes(t, s, "sns/group_add", of(M{"GroupName": []string{"Pals", "Work"}, "To_Account": []string{"bob", "dave", "nobody"}}),
			"bob 0, dave 30001, nobody 30001")
		hears(t, alice, `8 bob: Tag_SNS_IM_Group=["Pals","Work"]`)
		phone.Pushes(t)
		if got := groupsOf(t, s, with); !slices.Equal(got, []string{"Pals 1 bob", "Work 1 bob"}) {
			t.Errorf("the groups are %q", got)
		}
		if got := groupsOf(t, s, of(nil)); !slices.Equal(got, []string{"Pals 1", "Work 1"}) {
			t.Errorf("the groups alone are %q", got)
		}
		does(t, alice, "sns.group_update", M{"GroupOldName": "Pals", "GroupNewName": "Friends", "UpdateGroupItem": []M{
			{"To_Account": "carol", "UpdateType": "Update_Type_Add"}, {"To_Account": "bob", "UpdateType": "Update_Type_Delete"},
			{"To_Account": "dave", "UpdateType": "Update_Type_Add"}}}, "carol 0, bob 0, dave 30001")
		hears(t, alice)
		hears(t, phone, `8 carol: Tag_SNS_IM_Group=["Friends"]`, `8 bob: Tag_SNS_IM_Group=["Work"]`)
		if got := groupsOf(t, s, of(M{"GroupName": []string{"Friends", "none"}})); !slices.Equal(got, []string{"Friends 1 carol"}) {
			t.Errorf("by name: %q", got)
		}
		for body, code := range map[*M]int{
			{"GroupOldName": "Pals", "GroupNewName": "x"}:                                                 30001,
			{"GroupOldName": "Friends", "GroupNewName": "Work"}:                                           30001,
			{"GroupOldName": "Friends", "GroupNewName": strings.Repeat("x", 31)}:                          30001,
			{"GroupOldName": "Friends", "UpdateGroupItem": []M{{"To_Account": "bob", "UpdateType": "x"}}}: 30001,
		} {
			if e := alice.Call(t, "sns.group_update", *body, nil); e.ErrorCode != code {
				t.Errorf("%v: %+v, want %d", *body, e, code)
			}
		}
		s.Refuses(t, "sns/group_add", of(M{"GroupName": []string{"three", "four"}}), 30011)
		s.Refuses(t, "sns/group_add", of(M{"GroupName": []string{""}}), 30001)
		s.Refuses(t, "sns/group_add", of(M{"GroupName": []string{}}), 30001)
		if got := groupsOf(t, s, of(nil)); !slices.Equal(got, []string{"Friends 1", "Work 1"}) {
			t.Errorf("after refusals the groups are %q", got)
		}
		comes(t, s, "sns/friend_delete", of(M{"To_Account": []string{"carol"}}), "carol 0")
		alice.Pushes(t)
		s.MustREST(t, "sns/group_delete", of(M{"GroupName": []string{"Work", "none"}}), nil)
		hears(t, alice, `8 bob: Tag_SNS_IM_Group=[]`)
		if got := groupsOf(t, s, with); !slices.Equal(got, []string{"Friends 0"}) {
			t.Errorf("at last the groups are %q", got)
		}
		has(t, s, "alice", "bob")
		// A new group does not inherit the friends of a deleted one.
		s.MustREST(t, "sns/group_add", of(M{"GroupName": []string{"New"}}), nil)
		if got := groupsOf(t, s, with); !slices.Equal(got, []string{"Friends 0", "New 0"}) {
			t.Errorf("with a new one the groups are %q", got)
		}
	})
}

// What is refused makes no friend group, not even one that it names before what is wrong with it.
func TestRefusedMakesNoGroup(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.max_groups", "2")
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
		update := func(name string, fields ...M) M {
			return M{"From_Account": "alice", "UpdateItem": []M{{"To_Account": name, "SnsItem": fields}}}
		}
		groups := func(names ...string) M { return M{"Tag": "Tag_SNS_IM_Group", "Value": names} }
		long := strings.Repeat("x", 400)
		comes(t, s, "sns/friend_update", update("bob", groups("Pals"), M{"Tag": "Tag_SNS_IM_Remark", "Value": long}), "bob 30001")
		comes(t, s, "sns/friend_update", update("bob", groups("Pals", long)), "bob 30001")
		comes(t, s, "sns/friend_update", update("bob", groups("one", "two", "three")), "bob 30011")
		comes(t, s, "sns/friend_import", M{"From_Account": "alice", "AddFriendItem": []M{
			{"To_Account": "carol", "AddSource": "AddSource_Type_Test", "GroupName": []string{"Pals", long}}}}, "carol 30001")
		if got := groupsOf(t, s, M{"From_Account": "alice"}); len(got) != 0 {
			t.Errorf("the groups are %q", got)
		}
		comes(t, s, "sns/friend_update", update("bob", groups("one", "two", "one")), "bob 0")
		if got := groupsOf(t, s, M{"From_Account": "alice"}); !slices.Equal(got, []string{"one 1", "two 1"}) {
			t.Errorf("the groups are %q", got)
		}
	})
}
