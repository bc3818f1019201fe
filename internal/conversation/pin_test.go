package conversation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func pinning(owner string, operation int, contacts ...M) M {
	return M{"From_Account": owner, "OperationType": operation, "RecentContactItem": contacts}
}

func with(peer string) M { return M{"Type": 1, "To_Account": peer} }

func ofGroup(id string) M { return M{"Type": 2, "GroupId": id} }

// Pinned conversations stand first, by either door; the owner's other devices are told, and others notice nothing.
func TestPin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		s.Send(t, "alice", "bob", "first")
		say(t, s, id, "alice: second", nil)
		s.NextSecond(t)
		s.Send(t, "carol", "bob", "third")
		alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		bob.MustCall(t, "recentcontact.top", pinning("alice", 1, ofGroup(id)), nil)
		phone.Sees(t, "conversation 2 with "+id+" pinned elsewhere")
		bob.SeesNothing(t)
		wantList(t, s, "bob", id, "carol", "alice")
		s.NextSecond(t)
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, with("alice"), ofGroup(id)), nil)
		for _, c := range []*magpietest.Conn{bob, phone} {
			c.Sees(t, "conversation 1 with alice pinned elsewhere, conversation 2 with "+id+" pinned elsewhere")
		}
		alice.SeesNothing(t)
		s.Send(t, "carol", "bob", "fourth")
		wantList(t, s, "bob", id, "alice", "carol")
		all, _ := groupPage(t, bob, cursors{})
		if all[0].TopFlags != 1 || all[1].TopFlags != 1 || all[2].TopFlags != 0 {
			t.Errorf("bob has %+v", all)
		}
		wantList(t, s, "alice", id, "bob")
		phone.Pushes(t)
		bob.MustCall(t, "recentcontact.top", pinning("bob", 2, ofGroup(id), with("carol")), nil)
		phone.Sees(t, "conversation 2 with "+id+" unpinned elsewhere, conversation 1 with carol unpinned elsewhere")
		wantList(t, s, "bob", "alice", "carol", id)
	})
}

// A conversation without a message may be pinned; one that is removed is not pinned any more.
func TestPinEmpty(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.SendWith(t, magpietest.Message("alice", "bob", "hi"), M{"MsgSeq": 7})
		bob := s.Login(t, "bob")
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, with("carol"), with("alice")), nil)
		wantList(t, s, "bob", "alice", "carol")
		wantGroups(t, bob, "alice: 7 hi, 1 unread", "carol: 0 nothing, 0 unread")
		var page listReply
		s.MustREST(t, "recentcontact/get_list", magpietest.With(cursors{}.request("bob"), M{"AssistFlags": 5}), &page)
		if len(page.SessionItem) != 1 {
			t.Errorf("without empty conversations: %+v", page)
		}
		for _, peer := range []string{"alice", "carol"} {
			s.MustREST(t, "recentcontact/delete", removal("bob", peer), nil)
		}
		wantList(t, s, "bob")
		s.Send(t, "alice", "bob", "hi again")
		all, _ := groupPage(t, bob, cursors{})
		if len(all) != 1 || all[0].TopFlags != 0 {
			t.Errorf("bob has %+v", all)
		}
	})
}

// Fifty conversations may be pinned, and a call that would pin more pins none.
func TestPinMost(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		names := make([]string, 51)
		contacts := make([]M, len(names))
		for i := range names {
			names[i] = fmt.Sprintf("peer%02d", i)
			contacts[i] = with(names[i])
		}
		s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": names}, nil)
		s.Refuses(t, "recentcontact/top", pinning("bob", 1, contacts...), 51012)
		wantList(t, s, "bob")
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, contacts[:50]...), nil)
		s.Refuses(t, "recentcontact/top", pinning("bob", 1, contacts[50]), 51012)
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, contacts[0], contacts[0], contacts[49]), nil)
		s.MustREST(t, "recentcontact/top", pinning("bob", 2, contacts[0]), nil)
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, contacts[50], contacts[50]), nil)
		got := list(t, s, "bob")
		slices.Sort(got)
		if !slices.Equal(got, names[1:]) {
			t.Errorf("bob has pinned %q", got)
		}
	})
}

// A pinned group that one has left, or that is gone, makes room for another.
func TestPinsOfGroupsLeft(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		var pinned []M
		for range 50 {
			pinned = append(pinned, ofGroup(create(t, s, "Public", nil)))
		}
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, pinned...), nil)
		s.Refuses(t, "recentcontact/top", pinning("bob", 1, with("carol")), 51012)
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": pinned[0]["GroupId"], "MemberToDel_Account": []string{"bob"}}, nil)
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, with("carol")), nil)
		s.Refuses(t, "recentcontact/top", pinning("bob", 1, with("alice")), 51012)
		s.MustREST(t, "group_open_http_svc/destroy_group", M{"GroupId": pinned[1]["GroupId"]}, nil)
		s.MustREST(t, "recentcontact/top", pinning("bob", 1, with("alice")), nil)
	}, magpietest.Set(t, "commands-per-second", "0"))
}

func TestPinRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		for name, row := range map[string]struct {
			body M
			code int
		}{
			"an unknown account":      {pinning("nobody", 1, with("bob")), 50001},
			"an unknown peer":         {pinning("bob", 1, with("alice"), with("nobody")), 50001},
			"nothing":                 {pinning("bob", 1), 50002},
			"another operation":       {pinning("bob", 3, with("alice")), 50002},
			"type 3":                  {pinning("bob", 1, M{"Type": 3, "To_Account": "alice"}), 50002},
			"too many":                {pinning("bob", 1, slices.Repeat([]M{with("alice")}, 101)...), 50002},
			"a group there is not":    {pinning("bob", 1, ofGroup("nowhere")), 51007},
			"a group of others alone": {pinning("carol", 1, ofGroup(id)), 51007},
		} {
			if e := s.REST(t, "recentcontact/top", row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%s: answered %+v, want %d", name, e, row.code)
			}
		}
		wantList(t, s, "bob")
	})
}
