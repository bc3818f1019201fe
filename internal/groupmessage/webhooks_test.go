package groupmessage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	asksBefore = "Group.CallbackBeforeSendMsg"
	tellsSent  = "Group.CallbackAfterSendMsg"
	tellsBack  = "Group.CallbackAfterRecallMsg"
)

// told is what callbacks say of messages.
type told struct {
	GroupID  string `json:"GroupId"`
	Type     string
	From     string `json:"From_Account"`
	Operator string `json:"Operator_Account"`
	Sequence int    `json:"MsgSeq"`
	Online   int    `json:"OnlineOnlyFlag"`
	Body     []struct {
		Content struct{ Text string } `json:"MsgContent"`
	} `json:"MsgBody"`
	List []struct{ MsgSeq int } `json:"MsgSeqList"`
}

func read(t *testing.T, c *magpietest.Callback) (one told) {
	t.Helper()
	c.Into(t, &one)
	return one
}

// decide is a back end's answer to what it is asked about a message.
func decide(text string) string {
	switch text {
	case "refuse":
		return `{"ActionStatus":"OK","ErrorCode":10123,"ErrorInfo":"not here"}`
	case "drop":
		return `{"ActionStatus":"OK","ErrorCode":2,"ErrorInfo":""}`
	case "rewrite":
		return `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"rewritten"}}]}`
	}
	return magpietest.OK
}

// A back end decides on what is said in a group: it refuses with a code of its own, drops in silence, or rewrites; what was
// said, and what was taken back, it is told in order.
func TestCallbacks(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		back := s.BackEnd(t, strings.Join([]string{asksBefore, tellsSent, tellsBack}, ","))
		back.Answer(func(c *magpietest.Callback) (int, string) {
			if c.Command != asksBefore {
				return 200, magpietest.OK
			}
			return 200, decide(read(t, c).Body[0].Content.Text)
		})
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		if e := alice.Call(t, clientSend, says(id, "refuse", 1), nil); e.ErrorCode != 10123 || e.ErrorInfo != "not here" {
			t.Errorf("answered %+v", e)
		}
		if a := say(t, alice, says(id, "drop", 2)); a.Seq != 0 {
			t.Errorf("answered %+v", a)
		}
		say(t, alice, says(id, "rewrite", 3))
		say(t, alice, says(id, "pass", 4))
		say(t, alice, magpietest.With(says(id, "online", 5), M{"OnlineOnlyFlag": 1}))
		order(t, s, id, "unasked", M{"From_Account": "alice", "ForbidCallbackControl": []string{
			"ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback",
		}})
		alice.MustCall(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 2}}}, nil)
		bob.Sees(t, "1 alice: rewritten", "2 alice: pass", "0 alice: online", "3 alice: unasked", "alice recalled 2: ")
		for _, c := range back.Gets(t, asksBefore, 5) {
			if one := read(t, &c); one.GroupID != id || one.Type != "Public" || one.From != "alice" || one.Operator != "alice" {
				t.Errorf("asked %s", c.Body)
			}
		}
		var lines []string
		for _, c := range back.Gets(t, tellsSent, 3) {
			one := read(t, &c)
			lines = append(lines, fmt.Sprintf("%d %s: %s %d", one.Sequence, one.From, one.Body[0].Content.Text, one.Online))
		}
		wantLines(t, "told", lines, "1 alice: rewritten 0", "2 alice: pass 0", "0 alice: online 1")
		if one := read(t, &back.Gets(t, tellsBack, 1)[0]); one.GroupID != id || one.Operator != "alice" || fmt.Sprint(one.List) != "[{2}]" {
			t.Errorf("told %+v of a recall", one)
		}
	})
}

// What is taken back while the back end is asked about a message keeps it out: the sender's membership, his right to speak,
// everybody's, and the group itself.
func TestTakenBackWhileAsked(t *testing.T) {
	for name, row := range map[string]struct {
		command string
		body    M
		code    int
		tips    int64
	}{
		"removed":   {"delete_group_member", M{"Silence": 1, "MemberToDel_Account": []string{"bob"}}, 10007, 0},
		"muted":     {"forbid_send_msg", M{"Members_Account": []string{"bob"}, "MuteTime": 60}, 10017, 1},
		"all muted": {"modify_group_base_info", M{"MuteAllMember": "On"}, 10017, 0},
		"destroyed": {"destroy_group", nil, 10010, 0},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, "Public", func(t *testing.T, s *Server, id string) {
				back := s.BackEnd(t, asksBefore)
				back.Answer(func(*magpietest.Callback) (int, string) {
					s.MustREST(t, "group_open_http_svc/"+row.command, magpietest.With(M{"GroupId": id}, row.body), nil)
					return 200, magpietest.OK
				})
				if e := s.Login(t, "bob").Call(t, clientSend, says(id, "too late", 1), nil); e.ErrorCode != row.code {
					t.Errorf("answered %+v, want %d", e, row.code)
				}
				s.Configure(t, "webhook.commands", "")
				if row.code == 10010 {
					return
				}
				if a := order(t, s, id, "first", nil); a.Seq != 1+row.tips {
					t.Errorf("answered %+v", a)
				}
			})
		})
	}
}

// A member who is removed while the back end is asked does not get what is for him by name: a message for some members, or
// the news that he is mentioned. A message that is left without readers is refused, as it would be for all else.
func TestReaderRemovedWhileAsked(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		back := s.BackEnd(t, asksBefore)
		back.Answer(func(*magpietest.Callback) (int, string) {
			s.MustREST(t, "group_open_http_svc/delete_group_member", M{
				"GroupId": id, "Silence": 1, "MemberToDel_Account": []string{"bob"},
			}, nil)
			return 200, magpietest.OK
		})
		rejoin := func() {
			s.MustREST(t, "group_open_http_svc/add_group_member", M{
				"GroupId": id, "Silence": 1, "MemberList": []M{{"Member_Account": "bob"}},
			}, nil)
		}
		say(t, alice, magpietest.With(says(id, "for two", 1), M{"To_Account": []string{"bob", "carol"}}))
		rejoin()
		if e := alice.Call(t, clientSend, magpietest.With(says(id, "for bob", 2), M{"To_Account": []string{"bob"}}), nil); e.ErrorCode != 10004 {
			t.Errorf("without readers: answered %+v", e)
		}
		rejoin()
		say(t, alice, magpietest.With(says(id, "for all", 3), M{"GroupAtInfo": []M{{"GroupAt_Account": "bob"}}}))
		removed, added := "notice 4 for bob by administrator: ", "notice 7 for bob by administrator: "
		bob.Sees(t, removed, added, removed, added, removed)
		carol.Sees(t, "1 alice: for two", "2 alice: for all")
	})
}

// Who mentions a robot that is a member has its back end told, of messages for whoever is online too; robots do not set each other off,
// and one that is no member, or is removed while the back end is asked, is not told of.
func TestRobotIsMentioned(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		for _, robot := range []string{"@RBT#one", "@RBT#two", "@RBT#away"} {
			s.MustREST(t, "openim_robot_http_svc/create_robot", M{"UserID": robot}, nil)
		}
		change(t, s, id, "add_group_member", M{"Silence": 1, "MemberList": []M{
			{"Member_Account": "@RBT#one"}, {"Member_Account": "@RBT#two"},
		}})
		const mentioned = "Bot.OnGroupMessage"
		back := s.BackEnd(t, mentioned+","+asksBefore)
		back.Answer(func(c *magpietest.Callback) (int, string) {
			if c.Command == asksBefore && read(t, c).Body[0].Content.Text == "too late" {
				change(t, s, id, "delete_group_member", M{"Silence": 1, "MemberToDel_Account": []string{"@RBT#two"}})
			}
			return 200, magpietest.OK
		})
		mentions := func(names ...string) M {
			all := []M{}
			for _, name := range names {
				all = append(all, M{"GroupAt_Account": name})
			}
			return M{"GroupAtInfo": all}
		}
		bob := s.Login(t, "bob")
		say(t, bob, magpietest.With(says(id, "you two", 1), mentions("@RBT#one", "@RBT#two", "@RBT#away", "alice")))
		say(t, bob, magpietest.With(says(id, "you are away", 2), mentions("@RBT#away")))
		say(t, bob, says(id, "nobody", 3))
		say(t, bob, magpietest.With(magpietest.With(says(id, "online", 4), M{"OnlineOnlyFlag": 1}), mentions("@RBT#one")))
		order(t, s, id, "one of us", magpietest.With(M{"From_Account": "@RBT#one"}, mentions("@RBT#two")))
		say(t, bob, magpietest.With(says(id, "too late", 5), mentions("@RBT#two", "@RBT#one")))
		say(t, bob, magpietest.With(says(id, "last", 6), mentions("@RBT#one")))
		var lines []string
		for _, c := range back.Gets(t, mentioned, 4) {
			var more struct {
				Robots []string `json:"AtRobots_Account"`
				Time   int64    `json:"MsgTime"`
			}
			c.Into(t, &more)
			one := read(t, &c)
			if one.GroupID != id || one.Type != "Public" || one.Operator != "bob" || more.Time == 0 {
				t.Errorf("told %+v", one)
			}
			lines = append(lines, fmt.Sprintf("%d %s: %s %d %v", one.Sequence, one.From, one.Body[0].Content.Text, one.Online, more.Robots))
		}
		wantLines(t, "told", lines, "1 bob: you two 0 [@RBT#one @RBT#two]", "0 bob: online 1 [@RBT#one]", "5 bob: too late 0 [@RBT#one]",
			"6 bob: last 0 [@RBT#one]")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A back end is told of messages that were not sent after all, though they had passed the checks: it did not answer, and the policy is
// to refuse, or what they rest on was taken back while it was asked. What it refused itself, and what was refused at once, it is not told.
func TestExceptions(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		const notSent = "Group.CallbackSendMsgException"
		back := s.BackEnd(t, asksBefore+","+notSent)
		s.Configure(t, "webhook.on_timeout", "refuse")
		back.Answer(func(c *magpietest.Callback) (int, string) {
			if c.Command != asksBefore {
				return 200, magpietest.OK
			}
			switch text := read(t, c).Body[0].Content.Text; text {
			case "unanswered":
				return 500, ""
			case "too late":
				change(t, s, id, "delete_group_member", M{"Silence": 1, "MemberToDel_Account": []string{"bob"}})
				return 200, magpietest.OK
			default:
				return 200, decide(text)
			}
		})
		bob := s.Login(t, "bob")
		for n, row := range []struct {
			text string
			code int
		}{{"refuse", 10123}, {"unanswered", 80003}, {"too late", 10007}, {"at once", 10007}} {
			if e := bob.Call(t, clientSend, says(id, row.text, n), nil); e.ErrorCode != row.code {
				t.Errorf("%s: answered %+v, want %d", row.text, e, row.code)
			}
		}
		say(t, s.Login(t, "carol"), says(id, "passes", 9))
		var lines []string
		for _, c := range back.Gets(t, notSent, 2) {
			var why struct {
				ErrorCode int
				ErrorInfo string
				EventTime int64
			}
			c.Into(t, &why)
			one := read(t, &c)
			if one.GroupID != id || one.Type != "Public" || one.Operator != "bob" || why.ErrorInfo == "" || why.EventTime == 0 {
				t.Errorf("told %+v %+v", one, why)
			}
			lines = append(lines, fmt.Sprintf("%s: %s %d", one.From, one.Body[0].Content.Text, why.ErrorCode))
		}
		wantLines(t, "told", lines, "bob: unanswered 80003", "bob: too late 10007")
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A back end is told who edited a message and what it says now, whoever did; of an edit that is refused it is not told.
func TestEditIsTold(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		const edited = "Group.CallbackAfterModifyMsg"
		back := s.BackEnd(t, edited)
		alice := s.Login(t, "alice")
		say(t, alice, says(id, "first", 1))
		body := M{"GroupId": id, "MsgSeq": 1, "MsgVersion": 0, "MsgBody": magpietest.Text("second")}
		alice.MustCall(t, "openim.modify_group_msg", body, nil)
		if e := alice.Call(t, "openim.modify_group_msg", body, nil); e.ErrorCode == 0 {
			t.Error("an edit of an older version was taken")
		}
		s.MustREST(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 1, "MsgBody": magpietest.Text("third")}, nil)
		var lines []string
		for _, c := range back.Gets(t, edited, 2) {
			one := read(t, &c)
			lines = append(lines, fmt.Sprintf("%s %d %s: %s", one.GroupID, one.Sequence, one.Operator, one.Body[0].Content.Text))
		}
		wantLines(t, "told", lines, id+" 1 alice: second", id+" 1 administrator: third")
	})
}
