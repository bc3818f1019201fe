package group_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// pending is the reply to get_pendency.
type pending struct {
	Next int64 `json:"NextStartTime"`
	List []struct {
		From    string `json:"From_Account"`
		To      string `json:"To_Account"`
		GroupID string `json:"GroupId"`
		Time    int64
		Proof   string `json:"Authentication"`
		Text    string `json:"ApplyInviteMsg"`
		Kind    int    `json:"PendencyType"`
	} `json:"PendencyList"`
}

// open lists the requests that somebody may decide on, in pages of one.
func open(t *testing.T, call caller) (all pending, lines []string) {
	t.Helper()
	for next := int64(0); ; {
		var page pending
		call.must(t, "get_pendency", M{"StartTime": next, "Limit": 1, "Handle_Account": "me"}, &page)
		for _, one := range page.List {
			lines = append(lines, fmt.Sprintf("%s → %s: %q, %d", one.From, one.To, one.Text, one.Kind))
		}
		all.List = append(all.List, page.List...)
		if next = page.Next; next == 0 {
			return all, lines
		}
	}
}

func apply(t *testing.T, call caller, id, text, want string) {
	t.Helper()
	var reply struct{ JoinedStatus string }
	call.must(t, "apply_join_group", M{"GroupId": id, "ApplyMsg": text}, &reply)
	if reply.JoinedStatus != want {
		t.Errorf("applied: %q, want %q", reply.JoinedStatus, want)
	}
}

// Somebody asks to join; whoever decides sees it also when he logs in later, the first decision counts, and a newer request
// takes the older one's place.
func TestAskToJoin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		dave, bob := by(s.Login(t, "dave")), by(s.Login(t, "bob"))
		apply(t, dave, id, "please", "WaitAdminApproval")
		apply(t, dave, id, "pretty please", "WaitAdminApproval")
		want(t, s, id, "Public the group of alice, 3: alice=Owner bob=Member carol=Admin")

		carol, alice := by(s.Login(t, "carol")), by(s.Login(t, "alice"))
		list, lines := open(t, carol)
		if !slices.Equal(lines, []string{`dave → carol: "pretty please", 0`}) {
			t.Fatalf("carol decides on %q", lines)
		}
		if _, lines := open(t, bob); lines != nil {
			t.Errorf("bob decides on %q", lines)
		}
		one := M{"GroupId": id, "Applicant_Account": "dave", "HandleMsg": "Agree", "MsgKey": list.List[0].Time, "Authentication": list.List[0].Proof}
		bob.refuses(t, "handle_apply_join_group", one, 10007)
		dave.refuses(t, "handle_apply_join_group", one, 10007)
		carol.refuses(t, "handle_apply_join_group", magpietest.With(one, M{"MsgKey": 5}), 10024)
		carol.refuses(t, "handle_apply_join_group", magpietest.With(one, M{"HandleMsg": "Perhaps"}), 10004)
		carol.refuses(t, "handle_apply_join_group", magpietest.With(one, M{"Applicant_Account": "bob"}), 10024)
		carol.must(t, "handle_apply_join_group", one, nil)
		want(t, s, id, "Public the group of alice, 4: alice=Owner bob=Member carol=Admin dave=Member")
		alice.refuses(t, "handle_apply_join_group", magpietest.With(one, M{"HandleMsg": "Reject"}), 10024)
		dave.refuses(t, "apply_join_group", M{"GroupId": id}, 10013)

		imported := create(t, s, "Public", nil)
		apply(t, dave, imported, "again", "WaitAdminApproval")
		s.MustREST(t, rest+"import_group_member", M{"GroupId": imported, "MemberList": named("dave")}, nil)
		if _, lines := open(t, alice); lines != nil {
			t.Errorf("still open: %q", lines)
		}

		dave.must(t, "quit_group", M{"GroupId": id}, nil)
		apply(t, dave, id, "again", "WaitAdminApproval")
		list, _ = open(t, alice)
		no := M{"GroupId": id, "Applicant_Account": "dave", "HandleMsg": "Reject", "MsgKey": list.List[0].Time}
		alice.must(t, "handle_apply_join_group", no, nil)
		carol.refuses(t, "handle_apply_join_group", no, 10024)
		want(t, s, id, "Public the group of alice, 3: alice=Owner bob=Member carol=Admin")

		apply(t, dave, id, "once more", "WaitAdminApproval")
		s.MustREST(t, rest+"add_group_member", M{"GroupId": id, "MemberList": named("dave")}, nil)
		if _, lines := open(t, alice); lines != nil {
			t.Errorf("a member's request is still open: %q", lines)
		}
	})
}

// Where administrators have to agree, a member asks for others, and an administrator adds them at once.
func TestInvitationNeedsAdmin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Import(t, "erin")
		for _, kind := range []string{"Public", "Work"} {
			id := create(t, s, kind, M{"InviteJoinOption": "NeedPermission"})
			alice, bob := by(s.Login(t, "alice")), by(s.Login(t, "bob"))
			var got added
			bob.must(t, "add_group_member", M{"GroupId": id, "MemberList": named("dave", "alice", "erin")}, &got)
			if got.String() != "dave=3 alice=2 erin=3" {
				t.Errorf("%s: added: %s", kind, got.String())
			}
			list, lines := open(t, alice)
			slices.Sort(lines)
			if !slices.Equal(lines, []string{`bob → dave: "", 2`, `bob → erin: "", 2`}) {
				t.Fatalf("%s: alice decides on %q", kind, lines)
			}
			for i, decision := range []string{"Agree", "Reject"} {
				alice.must(t, "handle_invite_join_permission_group", M{"GroupId": id, "Applicant_Account": "bob",
					"Invited_Account": list.List[i].To, "HandleMsg": decision, "Authentication": list.List[i].Proof}, nil)
			}
			if group := read(t, s, id); *group.MemberNum != 4 {
				t.Errorf("%s: %s", kind, group.String())
			}
			if _, lines := open(t, alice); lines != nil {
				t.Errorf("%s: still open: %q", kind, lines)
			}
			s.MustREST(t, rest+"destroy_group", M{"GroupId": id}, nil)
		}
	})
}

// One account has a bounded number of open requests; the oldest gives way.
func TestMostRequests(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		dave := by(s.Login(t, "dave"))
		for i := range 53 {
			apply(t, dave, create(t, s, "Public", M{"GroupId": fmt.Sprintf("many%d", i)}), "", "WaitAdminApproval")
		}
		if list, _ := open(t, by(s.Login(t, "alice"))); len(list.List) != 50 || list.List[0].GroupID != "many3" {
			t.Errorf("%d requests are open, of %s the first", len(list.List), list.List[0].GroupID)
		}
	})
}
