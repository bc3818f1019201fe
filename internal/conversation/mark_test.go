package conversation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func toGroup(id string) M { return M{"Type": 2, "ToGroupId": id} }

func marking(owner string, items ...M) M { return M{"From_Account": owner, "MarkItem": items} }

func marked(kind int, contact, more M) M {
	return magpietest.With(M{"OptType": kind, "ContactItem": contact}, more)
}

// results tells the codes of a list of results.
type results []struct {
	Contact struct {
		To    string `json:"To_Account"`
		Group string `json:"ToGroupId"`
	} `json:"ContactItem"`
	ResultCode int
}

func (r results) String() string {
	var lines []string
	for _, one := range r {
		lines = append(lines, fmt.Sprintf("%s%s %d", one.Contact.To, one.Contact.Group, one.ResultCode))
	}
	return strings.Join(lines, ", ")
}

// carrying is what an owner's conversations carry, and its folders.
type carrying struct {
	CompleteFlag, NextStartIndex int
	GroupItem                    []struct {
		GroupID   int `json:"GroupId"`
		GroupName string
	}
	ContactItem, ContactResultItem []struct {
		To                       string `json:"To_Account"`
		Group                    string `json:"ToGroupId"`
		StandardMark, CustomMark string
		Folders                  []int `json:"ContactGroupId"`
		Timestamp                int64
	}
}

// lines tells them: "bob: 101 mine [1]", and the folders "1 work".
func (c *carrying) lines() (contacts, folders []string) {
	for _, one := range append(c.ContactItem, c.ContactResultItem...) {
		contacts = append(contacts, fmt.Sprintf("%s%s: %s %s %v", one.To, one.Group, strings.TrimLeft(one.StandardMark, "0"), one.CustomMark, one.Folders))
	}
	for _, one := range c.GroupItem {
		folders = append(folders, fmt.Sprintf("%d %s", one.GroupID, one.GroupName))
	}
	return contacts, folders
}

func wantCarrying(t *testing.T, s *Server, owner string, want ...string) {
	t.Helper()
	var all carrying
	s.MustREST(t, "recentcontact/get_contact_group", M{"From_Account": owner, "StartIndex": 0}, &all)
	if got, _ := all.lines(); !slices.Equal(got, want) || all.CompleteFlag != 1 {
		t.Errorf("%s's conversations carry %q, want %q", owner, got, want)
	}
}

// Conversations get marks and data of their owner's, by either door; his other devices are told, and the list has them.
func TestMarks(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		say(t, s, id, "alice: hello", nil)
		s.Send(t, "alice", "bob", "hi")
		bob, phone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		var reply struct{ ResultItem results }
		bob.MustCall(t, "recentcontact.mark_contact", marking("alice",
			marked(1, with("alice"), M{"SetMark": []int{0, 2, 63}}), marked(2, toGroup(id), M{"CustomMark": "mine"}),
			marked(1, with("nobody"), M{"SetMark": []int{0}}), marked(4, with("alice"), nil), marked(1, toGroup("nowhere"), nil),
		), &reply)
		if got := reply.ResultItem.String(); got != "alice 0, "+id+" 0, nobody 50001, alice 50002, nowhere 51007" {
			t.Errorf("answered %s", got)
		}
		high := "1" + strings.Repeat("0", 60) + "101"
		phone.Sees(t, fmt.Sprintf(`conversation 1 with alice has marks %q and data "" (1), conversation 2 with %s has marks "" and data "mine" (2)`, high, id))
		bob.SeesNothing(t)
		s.MustREST(t, "recentcontact/mark_contact", marking("bob",
			marked(3, with("alice"), M{"ClearMark": []int{63, 5}, "SetMark": []int{1}, "CustomMark": "too"})), nil)
		bob.Sees(t, `conversation 1 with alice has marks "111" and data "too" (3)`)
		wantCarrying(t, s, "bob", "alice: 111 too []", id+":  mine []")
		wantCarrying(t, s, "alice")
		all, _ := groupPage(t, bob, cursors{})
		for _, one := range all {
			if one.Peer == "alice" && (len(one.StandardMark) != 64 || one.CustomMark != "too") || one.To == id && (one.StandardMark != "" || one.CustomMark != "mine") {
				t.Errorf("the list has %+v", one)
			}
		}
		var found carrying
		bob.MustCall(t, "recentcontact.search_contact_group", M{"ContactItem": []M{with("alice"), with("carol"), toGroup("nowhere")}}, &found)
		if got, _ := found.lines(); !slices.Equal(got, []string{"alice: 111 too []", "carol:   []"}) {
			t.Errorf("bob finds %q", got)
		}
		// Marks are the owner's, and stay when the conversation goes.
		s.MustREST(t, "recentcontact/delete", removal("bob", "alice"), nil)
		wantCarrying(t, s, "bob", "alice: 111 too []", id+":  mine []")
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob"}}, nil)
		wantCarrying(t, s, "bob", "alice: 111 too []")
	})
}

func TestMarksRefuse(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for name, row := range map[string]struct {
			body M
			code int
		}{
			"nothing":             {marking("bob"), 51006},
			"too many":            {marking("bob", slices.Repeat([]M{marked(1, with("alice"), nil)}, 101)...), 51006},
			"an unknown account":  {marking("nobody", marked(1, with("alice"), nil)), 50001},
			"a mark that is text": {marking("bob", marked(1, with("alice"), M{"SetMark": []string{"1"}})), 50002},
		} {
			s.Refuses(t, "recentcontact/mark_contact", row.body, row.code)
			_ = name
		}
		var reply struct{ ResultItem results }
		s.MustREST(t, "recentcontact/mark_contact", marking("bob",
			marked(1, with("alice"), M{"SetMark": []int{64}}), marked(1, with("alice"), M{"ClearMark": []int{-1}}),
			marked(2, with("alice"), M{"CustomMark": strings.Repeat("x", 257)}), marked(2, with("alice"), M{"CustomMark": strings.Repeat("x", 256)}),
		), &reply)
		if got := reply.ResultItem.String(); got != "alice 50002, alice 50002, alice 50002, alice 0" {
			t.Errorf("answered %s", got)
		}
	})
}

// A thousand conversations carry something, at most; one that carries something already may carry more.
func TestMarksMost(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		names := make([]string, 1001)
		for i := range names {
			names[i] = fmt.Sprintf("peer%04d", i)
		}
		var last struct{ ResultItem results }
		for some := range slices.Chunk(names, 100) {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
			items := make([]M, len(some))
			for i, name := range some {
				items[i] = marked(1, with(name), M{"SetMark": []int{0}})
			}
			s.MustREST(t, "recentcontact/mark_contact", marking("bob", items...), &last)
		}
		if got := last.ResultItem.String(); got != "peer1000 51008" {
			t.Errorf("the last one: %s", got)
		}
		s.MustREST(t, "recentcontact/mark_contact", marking("bob", marked(1, with("peer0000"), M{"SetMark": []int{1}}),
			marked(1, with("peer0001"), M{"ClearMark": []int{0}}), marked(1, with("peer1000"), M{"SetMark": []int{1}})), &last)
		if got := last.ResultItem.String(); got != "peer0000 0, peer0001 0, peer1000 0" {
			t.Errorf("when there is room again: %s", got)
		}
		pages, seen := 0, 0
		for start, done := 0, 0; done == 0; pages++ {
			var page carrying
			s.MustREST(t, "recentcontact/get_contact_group", M{"From_Account": "bob", "StartIndex": start}, &page)
			start, done, seen = page.NextStartIndex, page.CompleteFlag, seen+len(page.ContactItem)
		}
		if pages != 10 || seen != 1000 {
			t.Errorf("%d conversations on %d pages", seen, pages)
		}
	})
}
