package groupmessage_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// tip is what a tip says.
type tip struct {
	OpType, MemberNum, GroupJoinType int
	Operator                         string          `json:"Operator_Account"`
	Targets                          []string        `json:"List_Account"`
	OperatorInfo                     tipMember       `json:"MsgOperatorMemberExtraInfo"`
	TargetInfos                      []tipMember     `json:"MsgMemberExtraInfo"`
	Profile                          json.RawMessage `json:"MsgGroupNewInfo"`
	Changes                          []struct {
		Account string `json:"User_Account"`
		Mute    *int   `json:"ShutupTime"`
	} `json:"MsgMemberInfo"`
	Kick *struct{ Reason string } `json:"MemberExtraInfo"`
}

type tipMember struct {
	Account string  `json:"UserId"`
	Nick    string  `json:"NickName"`
	FaceURL string  `json:"ImageUrl"`
	Card    *string `json:"NameCard"`
	Role    int
}

// String tells it as stories do: "alice invited dave, 4".
func (p *tip) String() string {
	verb := []string{"", "joined", "quit", "kicked", "promoted", "demoted", "changed", "muted"}[p.OpType]
	if p.GroupJoinType == 2 {
		verb = "invited"
	}
	line := fmt.Sprintf("%s %s %s%s, %d", p.Operator, verb, strings.Join(p.Targets, "+"), p.Profile, p.MemberNum)
	for _, one := range p.Changes {
		if one.Mute != nil {
			line += fmt.Sprintf(" %s %ds", one.Account, *one.Mute)
		}
	}
	if p.Kick != nil {
		line += ": " + p.Kick.Reason
	}
	return line
}

// What changes in a group of one that keeps its tips, by either door.
func changeAll(t *testing.T, s *Server, id string, alice, dave *Conn) {
	t.Helper()
	do := func(c *Conn, command string, more M) {
		t.Helper()
		c.MustCall(t, "group_open_http_svc."+command, magpietest.With(M{"GroupId": id}, more), nil)
	}
	do(dave, "apply_join_group", nil)
	do(alice, "modify_group_member_info", M{"Member_Account": "dave", "Role": "Admin"})
	do(alice, "modify_group_member_info", M{"Member_Account": "dave", "Role": "Member"})
	do(alice, "modify_group_member_info", M{"Member_Account": "dave", "ShutUpTime": 60})
	do(alice, "modify_group_base_info", M{"Name": "band", "Notification": "hush", "ShutUpAllMember": "Off", "ApplyJoinOption": "FreeAccess"})
	do(dave, "quit_group", nil)
	rest := func(command string, more M) {
		t.Helper()
		s.MustREST(t, "group_open_http_svc/"+command, magpietest.With(M{"GroupId": id}, more), nil)
	}
	rest("add_group_member", M{"MemberList": []M{{"Member_Account": "dave"}}})
	rest("forbid_send_msg", M{"Members_Account": []string{"dave"}, "MuteTime": 0})
	rest("delete_group_member", M{"MemberToDel_Account": []string{"carol"}, "Reason": "too loud"})
	rest("change_group_owner", M{"NewOwner_Account": "bob"})
}

// changes are the tips of those, each with its sequence.
func changes() []string {
	return []string{
		"1 dave joined dave, 4", "2 alice promoted dave, 4", "3 alice demoted dave, 4", "4 alice muted dave, 4 dave 60s",
		`5 alice changed {"GroupName":"band","GroupNotification":"hush"}, 4`, "6 dave quit dave, 3", "7 administrator invited dave, 4",
		"8 administrator muted dave, 4 dave 0s", "9 administrator kicked carol, 3: too loud",
		`10 administrator changed {"Owner_Account":"bob"}, 3`,
	}
}

// All that changes in a group is told its members, who did it among them, and stands in its history, as messages that nobody counts.
// Who joins sees that he did; who leaves or is removed does not.
func TestTips(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.MustREST(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": id, "ApplyJoinOption": "FreeAccess"}, nil)
		alice, carol, dave := s.Login(t, "alice"), s.Login(t, "carol"), s.Login(t, "dave")
		changeAll(t, s, id, alice, dave)
		var pushed, read []string
		for _, line := range changes() {
			pushed, read = append(pushed, "4:"+line), append(read, strings.Replace(line, " ", " @TIM#SYSTEM: ", 1))
		}
		sawTips(t, alice, pushed...)
		sawTips(t, carol, pushed[:8]...)
		sawTips(t, dave, append(pushed[:5:5], pushed[6:]...)...)
		var byREST, byClient page
		s.MustREST(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &byREST)
		dave.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &byClient)
		for i, line := range byREST.lines() {
			if want := read[len(read)-1-i]; line != want {
				t.Errorf("the history has %q, want %q", line, want)
			}
		}
		for _, one := range byREST.Messages {
			if one.Event != 4 || one.System != 1 || one.Body.tip == nil {
				t.Errorf("in the history is %+v", one)
			}
		}
		wantLines(t, "what dave reads", byClient.lines(), byREST.lines()[:4]...)
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// Types of groups have tips of their own, and a back end may leave some out: then nobody sees any, and no sequence is taken.
func TestNoTips(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, meeting string) {
		s.Import(t, "erin")
		alice := s.Login(t, "alice")
		work, public := create(t, s, "Private"), create(t, s, "Public")
		change := func(group, command string, more M) {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/"+command, magpietest.With(M{"GroupId": group}, more), nil)
		}
		dave := M{"MemberList": []M{{"Member_Account": "dave"}}}
		change(meeting, "add_group_member", dave)
		change(work, "add_group_member", dave) // nobody has said anything there, so it sleeps
		change(public, "add_group_member", magpietest.With(dave, M{"Silence": 1}))
		change(public, "delete_group_member", M{"Silence": 1, "MemberToDel_Account": []string{"dave"}})
		change(public, "modify_group_base_info", M{"ShutUpAllMember": "On"})
		change(public, "modify_group_member_info", M{"Member_Account": "bob", "NameCard": "Bobby"})
		sawTips(t, alice)
		for _, id := range []string{meeting, work, public} {
			if a := order(t, s, id, "first", M{"From_Account": "alice"}); a.Seq != 1 {
				t.Errorf("the first message of %s has the sequence %d", id, a.Seq)
			}
		}
		change(meeting, "modify_group_base_info", M{"Name": "now"})
		change(work, "add_group_member", M{"MemberList": []M{{"Member_Account": "erin"}}})
		sawTips(t, alice, `4:2 administrator changed {"GroupName":"now"}, 4`, "4:2 administrator invited erin, 5")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// An application chooses for a type which changes have tips, and whether they are stored: one that is not takes no sequence and is
// in no history.
func TestTipsAreChosen(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, meeting string) {
		public := create(t, s, "Public")
		s.Configure(t, "group.meeting.tips.member", "pushed", "group.public.tips.mute_all", "pushed+stored", "group.public.tips.profile", "none")
		alice, dave := s.Login(t, "alice"), s.Login(t, "dave")
		order(t, s, meeting, "first", M{"From_Account": "alice"})
		change(t, s, meeting, "add_group_member", M{"MemberList": []M{{"Member_Account": "dave"}}})
		change(t, s, meeting, "delete_group_member", M{"MemberToDel_Account": []string{"dave"}})
		change(t, s, public, "modify_group_base_info", M{"Name": "quiet", "MuteAllMember": "On"})
		sawTips(t, alice, "6:1 administrator invited dave, 4", "6:1 administrator kicked dave, 3", `4:1 administrator changed {"ShutupAll":1}, 3`)
		sawTips(t, dave, "6:1 administrator invited dave, 4")
		if a := order(t, s, meeting, "second", M{"From_Account": "alice"}); a.Seq != 2 {
			t.Errorf("a tip that is not stored took a sequence: %+v", a)
		}
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A tip says who did it and to whom as they are then, and nobody takes it back or makes it say something else.
func TestTipStands(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.MustREST(t, "im_open_login_svc/account_import", M{"UserID": "dave", "Nick": "Dave", "FaceUrl": "http://x/dave.png"}, nil)
		alice := s.Login(t, "alice")
		alice.MustCall(t, "group_open_http_svc.modify_group_member_info", M{"GroupId": id, "Member_Account": "alice", "NameCard": "Boss"}, nil)
		s.MustREST(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": id, "InviteJoinOption": "FreeAccess"}, nil)
		alice.MustCall(t, "group_open_http_svc.add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "dave"}}}, nil)
		var recalled struct {
			List []struct{ RetCode int } `json:"RecallRetList"`
		}
		alice.MustCall(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 1}}}, &recalled)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 1}}}, &recalled)
		if len(recalled.List) != 1 || recalled.List[0].RetCode != 10032 {
			t.Errorf("a recall answers %+v", recalled)
		}
		s.Refuses(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 1, "MsgBody": magpietest.Text("x")}, 10007)
		var read page
		s.MustREST(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 1}, &read)
		says := read.Messages[0].Body.tip
		if who := says.OperatorInfo; who.Account != "alice" || who.Card == nil || *who.Card != "Boss" || who.Role != 400 {
			t.Errorf("the one who did it is %+v", who)
		}
		if len(says.TargetInfos) != 1 || says.TargetInfos[0] != (tipMember{Account: "dave", Nick: "Dave", FaceURL: "http://x/dave.png"}) {
			t.Errorf("the one who was invited is %+v", says.TargetInfos)
		}
		if a := read.Messages[0]; a.Placeholder != 0 || a.From != "@TIM#SYSTEM" {
			t.Errorf("the tip is %+v", a)
		}
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// sawTips compares the tips that a client was pushed with these lines.
func sawTips(t *testing.T, c *Conn, lines ...string) {
	t.Helper()
	var got []string
	for _, p := range c.Pushes(t) {
		var all struct{ GroupTips []notice }
		if err := json.Unmarshal(p.Raw, &all); err != nil {
			t.Fatal(err)
		}
		for _, one := range all.GroupTips {
			if one.Body.OpType != 0 {
				got = append(got, one.lines()...)
			}
		}
	}
	wantLines(t, c.UserID+" saw", got, lines...)
}

// What is so of few messages is said of those alone: a push of an ordinary one has no room for it.
func TestPushSaysNoMore(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		bob := s.Login(t, "bob")
		order(t, s, id, "plain", M{"From_Account": "alice"})
		order(t, s, id, "passing", M{"From_Account": "alice", "OnlineOnlyFlag": 1})
		change(t, s, id, "modify_group_base_info", M{"Name": "band"})
		few := []string{"OnlineOnlyFlag", "IsSystemMsg", "RevokerInfo", "SendMsgControl", "GroupJoinType"}
		for i, p := range bob.Pushes(t) {
			var has []string
			for _, field := range few {
				if strings.Contains(string(p.Raw), `"`+field+`":`) {
					has = append(has, field)
				}
			}
			if want := [][]string{nil, {"OnlineOnlyFlag"}, {"IsSystemMsg"}}[i]; !slices.Equal(has, want) {
				t.Errorf("push %d has %v, want %v: %s", i, has, want, p.Raw)
			}
		}
	})
}
