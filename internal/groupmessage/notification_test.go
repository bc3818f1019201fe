package groupmessage_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// notices are the notifications among what a client was pushed.
func notices(t *testing.T, raw ...json.RawMessage) (all []notice) {
	t.Helper()
	for _, one := range raw {
		var of struct{ GroupTips []notice }
		if err := json.Unmarshal(one, &of); err != nil {
			t.Fatal(err)
		}
		for _, n := range of.GroupTips {
			if n.Body.ReportType != 0 {
				all = append(all, n)
			}
		}
	}
	return all
}

// hears compares the notifications that a client was pushed with these lines, and gives them.
func hears(t *testing.T, c *Conn, lines ...string) []notice {
	t.Helper()
	var raw []json.RawMessage
	for _, p := range c.Pushes(t) {
		raw = append(raw, p.Raw)
	}
	all := notices(t, raw...)
	wantLines(t, c.UserID+" hears", linesOf(all), lines...)
	return all
}

func linesOf(all []notice) (lines []string) {
	for _, one := range all {
		lines = append(lines, one.lines()...)
	}
	return lines
}

// kept compares what a new device finds with these lines.
func kept(t *testing.T, c *Conn, lines ...string) {
	t.Helper()
	wantLines(t, c.UserID+" finds", linesOf(keptOf(t, c, "")), lines...)
}

func keptOf(t *testing.T, c *Conn, cookie string) []notice {
	t.Helper()
	var page struct {
		Events []json.RawMessage `json:"EventArray"`
	}
	c.MustCall(t, "openim.getmsg", M{"Cookie": cookie, "SyncFlag": 0}, &page)
	return notices(t, page.Events...)
}

func change(t *testing.T, s *Server, group, command string, more M) {
	t.Helper()
	s.MustREST(t, "group_open_http_svc/"+command, magpietest.With(M{"GroupId": group}, more), nil)
}

// Who decides on requests to join is told of each, also when he comes later, and can answer it by what he is told; who asked is told
// of the answer. Nobody else is.
func TestToldOfRequests(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		change(t, s, id, "modify_group_member_info", M{"Member_Account": "carol", "Role": "Admin"})
		s.MustREST(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": id, "InviteJoinOption": "NeedPermission"}, nil)
		alice, bob, dave := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "dave")
		asks := func() {
			t.Helper()
			dave.MustCall(t, "group_open_http_svc.apply_join_group", M{"GroupId": id, "ApplyMsg": "let me in"}, nil)
		}
		decides := func(n *notice, more M) {
			t.Helper()
			alice.MustCall(t, "group_open_http_svc.handle_apply_join_group", magpietest.With(M{
				"GroupId": id, "Applicant_Account": "dave", "MsgKey": n.Body.MsgKey, "Authentication": n.Body.Authentication,
			}, more), nil)
		}
		asks()
		asked := hears(t, alice, "notice 1 for alice by dave: let me in")
		carol := s.Login(t, "carol")
		kept(t, carol, "notice 7 for carol by administrator: ", "notice 9 for carol by administrator: ", "notice 1 for carol by dave: let me in")
		decides(&asked[0], M{"HandleMsg": "Reject", "ApprovalMsg": "no"})
		hears(t, dave, "notice 3 for dave by alice: no")
		asks()
		asked = hears(t, alice, "notice 1 for alice by dave: let me in")
		decides(&asked[0], M{"HandleMsg": "Agree", "ApprovalMsg": "yes"})
		if got := hears(t, dave, "notice 2 for dave by alice: yes"); got[0].Info.To != "dave" || got[0].Sequence == 0 {
			t.Errorf("told %+v", got[0])
		}
		hears(t, bob)
		s.Import(t, "erin")
		bob.MustCall(t, "group_open_http_svc.add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "erin"}}}, nil)
		asked = hears(t, alice, "notice 12 for alice by bob: [erin]")
		alice.MustCall(t, "group_open_http_svc.handle_invite_join_permission_group", M{
			"GroupId": id, "Applicant_Account": "bob", "Invited_Account": "erin", "HandleMsg": "Agree",
			"MsgKey": asked[0].Body.MsgKey, "Authentication": asked[0].Body.Authentication,
		}, nil)
		hears(t, bob, "notice 13 for bob by alice: ")
		kept(t, s.Login(t, "erin"), "notice 7 for erin by alice: ")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// Who is added, removed, made an administrator or leaves is told on all devices, and so are all members of a group that is
// destroyed; who does something himself is told on the others.
func TestToldOfOneself(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		bob, phone, dave := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(3)), s.Login(t, "dave")
		change(t, s, id, "add_group_member", M{"MemberList": []M{{"Member_Account": "dave"}}, "Silence": 1})
		change(t, s, id, "modify_group_member_info", M{"Member_Account": "dave", "Role": "Admin"})
		change(t, s, id, "modify_group_member_info", M{"Member_Account": "dave", "Role": "Member"})
		change(t, s, id, "delete_group_member", M{"MemberToDel_Account": []string{"dave"}, "Reason": "too loud"})
		hears(t, dave, "notice 7 for dave by administrator: ", "notice 9 for dave by administrator: ",
			"notice 10 for dave by administrator: ", "notice 4 for dave by administrator: too loud")
		bob.MustCall(t, "group_open_http_svc.modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "MsgFlag": "Discard"}, nil)
		bob.MustCall(t, "group_open_http_svc.quit_group", M{"GroupId": id}, nil)
		s.MustREST(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": id, "ApplyJoinOption": "FreeAccess"}, nil)
		bob.MustCall(t, "group_open_http_svc.apply_join_group", M{"GroupId": id}, nil)
		hears(t, phone, "notice 20 for bob by bob: Discard", "notice 8 for bob by bob: ", "notice 2 for bob by bob: ")
		hears(t, bob)
		other := create(t, s, "Public")
		hears(t, bob, "notice 7 for bob by administrator: ")
		change(t, s, id, "destroy_group", nil)
		change(t, s, other, "destroy_group", nil)
		hears(t, bob, "notice 5 for  by administrator: ", "notice 5 for  by administrator: ")
		kept(t, s.Login(t, "carol"), "notice 7 for carol by administrator: ", "notice 7 for carol by administrator: ",
			"notice 5 for carol by administrator: ", "notice 5 for carol by administrator: ")
		alice := s.Login(t, "alice")
		alice.MustCall(t, "group_open_http_svc.create_group", M{"Type": "Private", "Name": "new"}, nil)
		hears(t, alice, "notice 6 for alice by alice: ")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// What an account was told is kept for a week, the newest hundred, until a client has dealt with it. A device that comes back is
// told what came since.
func TestKept(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		again := func(from, to int) {
			for n := from; n < to; n++ {
				role := []string{"Admin", "Member"}[n%2]
				change(t, s, id, "modify_group_member_info", M{"Member_Account": "carol", "Role": role})
			}
		}
		carol := s.Login(t, "carol")
		kept(t, carol, "notice 7 for carol by administrator: ")
		s.Pass(t, 3*time.Second)
		carol.Pull(t, "")
		again(0, 2)
		if got := linesOf(keptOf(t, carol, carol.Cookie)); !slices.Equal(got, []string{
			"notice 9 for carol by administrator: ", "notice 10 for carol by administrator: ",
		}) {
			t.Errorf("behind the cookie is %q", got)
		}
		first := keptOf(t, carol, "")[0]
		carol.MustCall(t, "openim.deletemsg", M{"DelMsgList": []M{
			{"From_Account": "@TIM#SYSTEM", "MsgSeq": first.Sequence, "MsgRandom": 1}, {"From_Account": id, "MsgSeq": 3},
		}}, nil)
		kept(t, carol, "notice 9 for carol by administrator: ", "notice 10 for carol by administrator: ")
		again(2, 106)
		if got := keptOf(t, carol, ""); len(got) != 100 {
			t.Errorf("%d are kept, want 100", len(got))
		}
		if e := carol.Call(t, "openim.deletemsg", M{"DelMsgList": make([]M, 101)}, nil); e.ErrorCode != 90010 {
			t.Errorf("more than are kept: %+v", e)
		}
		s.Pass(t, 6*24*time.Hour)
		again(106, 107)
		s.Pass(t, 25*time.Hour)
		late := s.Login(t, "carol", magpietest.Platform(3))
		kept(t, late, "notice 9 for carol by administrator: ")
		kept(t, s.Login(t, "bob"), []string{}...)
	}, magpietest.Timed(), magpietest.Set(t, "commands-per-second", "0"))
}
