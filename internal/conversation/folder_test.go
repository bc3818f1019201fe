package conversation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func folderOf(owner, name string, contacts ...M) M {
	if contacts == nil {
		contacts = []M{}
	}
	return M{"From_Account": owner, "GroupContactItem": []M{{"GroupName": name, "ContactItem": contacts}}}
}

func renaming(owner, from, to string) M {
	return M{"From_Account": owner, "UpdateType": 1, "UpdateGroup": M{"UpdateGroupType": 1, "OldGroupName": from, "NewGroupName": to}}
}

func moving(owner, name string, kind int, contacts ...M) M {
	items := make([]M, len(contacts))
	for i, one := range contacts {
		items[i] = M{"ContactOptType": kind, "ContactItem": one}
	}
	return M{"From_Account": owner, "UpdateType": 1, "UpdateGroup": M{"UpdateGroupType": 2, "OldGroupName": name, "ContactUpdateItem": items}}
}

func wantFolders(t *testing.T, c *magpietest.Conn, contacts, folders []string) {
	t.Helper()
	var all carrying
	c.MustCall(t, "recentcontact.get_contact_group", M{"From_Account": c.UserID, "StartIndex": 0}, &all)
	gotContacts, gotFolders := all.lines()
	slices.Sort(gotContacts) // their order is that of the accounts' numbers
	slices.Sort(contacts)
	if !slices.Equal(gotContacts, contacts) || !slices.Equal(gotFolders, folders) {
		t.Errorf("%s has %q in %q, want %q in %q", c.UserID, gotContacts, gotFolders, contacts, folders)
	}
}

// An owner sorts his conversations into folders, by either door; his other devices are told, and the list has them.
func TestFolders(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		say(t, s, id, "alice: hello", nil)
		s.Send(t, "alice", "bob", "hi")
		bob, phone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		var made struct {
			GroupResultItem []struct {
				GroupItem struct {
					GroupID   int `json:"GroupId"`
					GroupName string
				}
				ResultItem results
			}
		}
		bob.MustCall(t, "recentcontact.create_contact_group", folderOf("bob", "work", with("alice"), with("nobody"), toGroup(id)), &made)
		if one := made.GroupResultItem[0]; one.GroupItem.GroupID != 1 || one.GroupItem.GroupName != "work" || one.ResultItem.String() != "alice 0, nobody 50001, "+id+" 0" {
			t.Errorf("answered %+v", made)
		}
		phone.Sees(t, "folder work made with 2")
		s.MustREST(t, "recentcontact/create_contact_group", folderOf("bob", "friends"), nil)
		phone.Sees(t, "folder friends made with 0")
		bob.Sees(t, "folder friends made with 0")

		var changed struct {
			UpdateGroupResult struct {
				GroupID           int `json:"GroupId"`
				GroupName         string
				ContactResultItem results
			}
		}
		bob.MustCall(t, "recentcontact.update_contact_group", moving("bob", "friends", 1, with("alice"), with("carol"), toGroup("nowhere")), &changed)
		if one := changed.UpdateGroupResult; one.GroupID != 2 || one.GroupName != "friends" || one.ContactResultItem.String() != "alice 0, carol 0, nowhere 51007" {
			t.Errorf("answered %+v", changed)
		}
		phone.Sees(t, "conversation 1 with alice put into folder friends, conversation 1 with carol put into folder friends")
		wantFolders(t, bob, []string{"alice:   [1 2]", "carol:   [2]", id + ":   [1]"}, []string{"1 work", "2 friends"})
		all, _ := groupPage(t, bob, cursors{})
		for _, one := range all {
			if one.Peer == "alice" && !slices.Equal(one.ContactGroupID, []int{1, 2}) || one.To == id && !slices.Equal(one.ContactGroupID, []int{1}) {
				t.Errorf("the list has %+v", one)
			}
		}
		bob.MustCall(t, "recentcontact.update_contact_group", renaming("bob", "work", "job"), &changed)
		if one := changed.UpdateGroupResult; one.GroupID != 1 || one.GroupName != "job" {
			t.Errorf("answered %+v", changed)
		}
		phone.Sees(t, "folder work is now job")
		s.MustREST(t, "recentcontact/update_contact_group", moving("bob", "job", 2, with("alice")), nil)
		phone.Sees(t, "conversation 1 with alice taken out of folder job")
		s.MustREST(t, "recentcontact/del_contact_group", M{"From_Account": "bob", "GroupName": []string{"friends"}}, nil)
		phone.Sees(t, "folder friends removed")
		wantFolders(t, bob, []string{id + ":   [1]"}, []string{"1 job"})
		wantFolders(t, s.Login(t, "alice"), nil, nil)
	})
}

// Twenty folders are an account's, and each refusal has the interface's code.
func TestFoldersRefuse(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for n := range 20 {
			s.MustREST(t, "recentcontact/create_contact_group", folderOf("bob", fmt.Sprint("folder", n)), nil)
		}
		for _, row := range []struct {
			command string
			body    M
			code    int
		}{
			{"create_contact_group", folderOf("bob", "one more"), 51010},
			{"create_contact_group", folderOf("carol", strings.Repeat("x", 33)), 51011},
			{"create_contact_group", folderOf("carol", ""), 50002},
			{"create_contact_group", folderOf("bob", "folder3"), 50002},
			{"create_contact_group", folderOf("nobody", "new"), 50001},
			{"create_contact_group", M{"From_Account": "carol", "GroupContactItem": []M{}}, 50002},
			{"create_contact_group", folderOf("carol", "new", slices.Repeat([]M{with("alice")}, 101)...), 51006},
			{"update_contact_group", renaming("bob", "none", "new"), 51009},
			{"update_contact_group", renaming("bob", "folder1", "folder2"), 50002},
			{"update_contact_group", renaming("bob", "folder1", strings.Repeat("x", 33)), 51011},
			{"update_contact_group", moving("bob", "none", 1, with("alice")), 51009},
			{"update_contact_group", M{"From_Account": "bob", "UpdateType": 2}, 50002},
			{"del_contact_group", M{"From_Account": "bob", "GroupName": []string{"none"}}, 51009},
			{"del_contact_group", M{"From_Account": "bob", "GroupName": []string{}}, 50002},
			{"search_contact_group", M{"From_Account": "bob", "ContactItem": slices.Repeat([]M{with("alice")}, 301)}, 50002},
		} {
			s.Refuses(t, "recentcontact/"+row.command, row.body, row.code)
		}
		s.MustREST(t, "recentcontact/create_contact_group", folderOf("carol", strings.Repeat("x", 32)), nil)
		s.MustREST(t, "recentcontact/del_contact_group", M{"From_Account": "bob", "GroupName": []string{"folder3"}}, nil)
		s.MustREST(t, "recentcontact/create_contact_group", folderOf("bob", "folder3"), nil)
	})
}

// An account that has chosen something for as many conversations as it may makes no folder for another one, and has none then.
func TestFolderOfTooManyChoices(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for round := range 50 {
			var peers []string
			for i := range 100 {
				peers = append(peers, fmt.Sprintf("peer %d", round*100+i))
			}
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": peers}, nil)
			bob.MustCall(t, "openim.set_c2c_peer_mute_notifications", M{"Peer_Account": peers, "Mute_Notifications": 2}, nil)
		}
		s.Refuses(t, "recentcontact/create_contact_group", folderOf("bob", "work", with("alice")), 51008)
		wantFolders(t, bob, nil, nil)
		s.MustREST(t, "recentcontact/create_contact_group", folderOf("bob", "work", with("peer 7")), nil)
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A name is without NULs wherever it is said.
func TestFolderNameWithNUL(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.MustREST(t, "recentcontact/create_contact_group", folderOf("bob", "wo\x00rk", with("alice")), nil)
		s.MustREST(t, "recentcontact/update_contact_group", renaming("bob", "wo\x00rk", "home"), nil)
		wantFolders(t, bob, []string{"alice:   [1]"}, []string{"1 home"})
	})
}
