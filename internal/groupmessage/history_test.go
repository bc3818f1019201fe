package groupmessage_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	clientHistory = "group_open_http_svc.group_msg_get"
	adminHistory  = "group_open_http_svc/group_msg_get_simple"
)

type page struct {
	Finished  int     `json:"IsFinished"`
	Next      int64   `json:"NextReqMsgSeq"`
	Messages  []item  `json:"RspMsgList"`
	Invisible []int64 `json:"InvisibleMsgSeq"`
}

func (p *page) lines() []string {
	lines := []string{}
	for _, one := range p.Messages {
		lines = append(lines, one.String())
	}
	return lines
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// A group's history is read by sequence, newest first, in pages that meet; a back end's pages say whether they are whole.
func TestHistory(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		for n := range 5 {
			order(t, s, id, fmt.Sprint(n+1), M{"From_Account": "bob", "Random": n, "MsgPriority": "High"})
		}
		carol, dave := s.Login(t, "carol"), s.Login(t, "dave")
		read := func(more M) (p page) {
			t.Helper()
			carol.MustCall(t, clientHistory, magpietest.With(M{"GroupId": id, "ReqMsgNumber": 3, "WithRecalledMsg": 1}, more), &p)
			return p
		}
		newest := read(nil)
		wantLines(t, "the newest page", newest.lines(), "5 bob: 5", "4 bob: 4", "3 bob: 3")
		if newest.Finished != 0 || newest.Next != 2 || newest.Messages[0].Priority != 1.0 {
			t.Errorf("the newest page is %+v", newest)
		}
		rest := read(M{"ReqMsgSeq": newest.Next})
		wantLines(t, "the rest", rest.lines(), "2 bob: 2", "1 bob: 1")
		if rest.Finished != 2 || rest.Next != 0 {
			t.Errorf("the rest is %+v", rest)
		}
		listed := read(M{"GetType": 3, "ReqMsgSeqList": []int64{4, 1, 99}})
		wantLines(t, "the list", listed.lines(), "4 bob: 4", "1 bob: 1")
		beyond := read(M{"ReqMsgSeq": 17, "ReqMsgNumber": 15})
		wantLines(t, "a page beyond the end", beyond.lines(), "5 bob: 5", "4 bob: 4", "3 bob: 3", "2 bob: 2", "1 bob: 1")
		if e := dave.Call(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 3}, nil); e.ErrorCode != 10007 {
			t.Errorf("who is no member is answered %+v", e)
		}
		var p page
		s.MustREST(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 2, "ReqMsgSeq": 4}, &p)
		wantLines(t, "the back end's page", p.lines(), "4 bob: 4", "3 bob: 3")
		if p.Finished != 1 {
			t.Errorf("the back end's page is %+v", p)
		}
		s.Refuses(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 0}, 10004)
		s.Refuses(t, adminHistory, M{"GroupId": "@TGS#2NOBODY", "ReqMsgNumber": 1}, 10010)
	})
}

// What was said before a member joined, he reads where the type of the group says so; a message for others he knows by its
// sequence alone.
func TestHistoryBeforeJoining(t *testing.T) {
	for kind, want := range map[string][]string{
		"Public":   {"3 : ", "2 alice: after"},
		"ChatRoom": {"2 alice: after", "1 alice: before"},
	} {
		t.Run(kind, func(t *testing.T) {
			story(t, kind, func(t *testing.T, s *Server, id string) {
				order(t, s, id, "before", M{"From_Account": "alice", "Random": 1})
				s.MustREST(t, "group_open_http_svc/add_group_member", M{
					"GroupId": id, "Silence": 1, "MemberList": []M{{"Member_Account": "dave"}},
				}, nil)
				order(t, s, id, "after", M{"From_Account": "alice", "Random": 2})
				invisible := []int64{}
				if kind == "Public" {
					order(t, s, id, "for bob", M{"From_Account": "alice", "Random": 3, "To_Account": []string{"bob"}})
					invisible = []int64{3}
				}
				var p page
				s.Login(t, "dave").MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &p)
				wantLines(t, "dave reads", p.lines(), want...)
				if p.Finished != 2 || !slices.Equal(p.Invisible, invisible) {
					t.Errorf("dave reads %+v", p)
				}
			})
		})
	}
}

// Who said something takes it back within the window, an administrator of the group what others said, a back end anything;
// who could read it is told, and history says that it was there.
func TestRecall(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		for n := range 3 {
			say(t, bob, says(id, fmt.Sprint(n+1), n))
		}
		order(t, s, id, "for bob", M{"From_Account": "alice", "To_Account": []string{"bob"}})
		type reply struct {
			RecallRetList []struct{ MsgSeq, RetCode int }
		}
		recall := func(c *Conn, sequences ...int) string {
			t.Helper()
			var list []M
			for _, one := range sequences {
				list = append(list, M{"MsgSeq": one})
			}
			var r reply
			c.MustCall(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "TopicId": "", "MsgSeqList": list, "Reason": "why"}, &r)
			return fmt.Sprint(r.RecallRetList)
		}
		for c, want := range map[*Conn]string{
			carol: "[{1 10032} {4 10030} {9 10030}]",
		} {
			if got := recall(c, 1, 4, 9); got != want {
				t.Errorf("%s: %s, want %s", c.UserID, got, want)
			}
		}
		if got := recall(bob, 1, 1); got != "[{1 0} {1 10030}]" {
			t.Errorf("bob: %s", got)
		}
		if got := recall(alice, 2); got != "[{2 0}]" {
			t.Errorf("alice: %s", got)
		}
		s.Pass(t, 3*time.Minute)
		if got := recall(bob, 3); got != "[{3 10031}]" {
			t.Errorf("bob, late: %s", got)
		}
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 3}}}, nil)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 4}}}, nil)
		carol.Sees(t, "1 bob: 1", "2 bob: 2", "3 bob: 3", "bob recalled 1: why", "alice recalled 2: why", "administrator recalled 3: ")
		bob.Sees(t, "4 alice: for bob", "alice recalled 2: why", "administrator recalled 3: ", "administrator recalled 4: ")
		var p page
		carol.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &p)
		wantLines(t, "carol reads", p.lines(), "4 : ", "3 bob: ", "2 bob: ", "1 bob: ")
		for i, want := range []int{1, 2, 2, 2} {
			if p.Messages[i].Placeholder != want {
				t.Errorf("message %d is of kind %d, want %d", i, p.Messages[i].Placeholder, want)
			}
		}
		s.MustREST(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 1, "ReqMsgSeq": 3, "WithRecalledMsg": 1}, &p)
		wantLines(t, "the back end reads", p.lines(), "3 bob: 3")
		s.Refuses(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{}}, 10004)
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "1h"))
}

// An edit is seen by all members; one that was made without knowing of another is refused with what the message says now.
func TestModify(t *testing.T) {
	story(t, "Private", func(t *testing.T, s *Server, id string) {
		alice, bob, dave := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "dave")
		say(t, alice, says(id, "first", 1))
		body := M{"GroupId": id, "MsgSeq": 1, "MsgVersion": 0, "MsgBody": magpietest.Text("second")}
		var answer struct {
			MsgVersion int
			MsgBody    json.RawMessage
		}
		bob.MustCall(t, "openim.modify_group_msg", body, &answer)
		if answer.MsgVersion != 1 {
			t.Errorf("answered %+v", answer)
		}
		if e := alice.Call(t, "openim.modify_group_msg", body, &answer); e.ErrorCode != 20027 || answer.MsgVersion != 1 {
			t.Errorf("the late edit is answered %+v %+v", e, answer)
		}
		if e := dave.Call(t, "openim.modify_group_msg", body, nil); e.ErrorCode != 10007 {
			t.Errorf("who is no member is answered %+v", e)
		}
		s.MustREST(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 1, "MsgBody": magpietest.Text("third")}, nil)
		s.Refuses(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 7, "MsgBody": magpietest.Text("x")}, 10030)
		s.Refuses(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 1}, 10004)
		alice.Sees(t, "1 alice edited 1: second", "1 alice edited 2: third")
		bob.Sees(t, "notice 7 for bob by alice: ", "1 alice: first", "1 alice edited 2: third")
	})
}

// A member's read mark goes forward, not beyond what is there, and his other devices are told.
func TestReadMark(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		order(t, s, id, "one", M{"Random": 1})
		order(t, s, id, "two", M{"Random": 2})
		bob, pad := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(3))
		report := func(sequence int) {
			bob.MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": id, "MsgReadedSeq": sequence}, nil)
		}
		report(1)
		report(1)
		report(99)
		report(0)
		pad.Sees(t, "read up to 1", "read up to 2")
		bob.SeesNothing(t)
		var info struct {
			GroupInfo []struct{ MemberList []struct{ MsgSeq int } }
		}
		bob.MustCall(t, "group_open_http_svc.get_group_self_member_info", M{"GroupIdList": []string{id}}, &info)
		if got := fmt.Sprint(info); got != "{[{[{2}]}]}" {
			t.Errorf("bob's mark: %s", got)
		}
	})
}

// Who is mentioned is told so beside the message.
func TestMentions(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		say(t, alice, magpietest.With(says(id, "@bob", 1), M{"GroupAtInfo": []M{
			{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": 0, "GroupAt_Account": "dave"},
		}}))
		say(t, alice, magpietest.With(says(id, "@all", 2), M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}}))
		bob.Sees(t, "1 alice: @bob", "mentioned in 1: [1]", "2 alice: @all", "mentioned in 2: [2]")
		carol.Sees(t, "1 alice: @bob", "2 alice: @all", "mentioned in 2: [2]")
		alice.SeesNothing(t)
	})
}

// What was said before a member joined he reads where the setting of the type, or the group itself, says so.
func TestHistoryBeforeJoiningIsChosen(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.Configure(t, "group.public.tips.member", "none")
		order(t, s, id, "before", M{"From_Account": "alice"})
		change(t, s, id, "add_group_member", M{"MemberList": []M{{"Member_Account": "dave"}}})
		order(t, s, id, "after", M{"From_Account": "alice"})
		dave := s.Login(t, "dave")
		reads := func(what string, lines ...string) {
			t.Helper()
			var p page
			dave.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 10}, &p)
			wantLines(t, what, p.lines(), lines...)
		}
		reads("by default", "2 alice: after")
		s.Configure(t, "group.public.history_before_join", "on")
		reads("by the setting", "2 alice: after", "1 alice: before")
		change(t, s, id, "modify_group_base_info", M{"HistoryMsgBeforeJoin": "Off"})
		reads("by the group", "2 alice: after")
		s.Configure(t, "group.public.history_before_join", "off")
		change(t, s, id, "modify_group_base_info", M{"HistoryMsgBeforeJoin": "On"})
		reads("by the group again", "2 alice: after", "1 alice: before")
		refused := M{"GroupId": id, "HistoryMsgBeforeJoin": "on"}
		s.Refuses(t, "group_open_http_svc/modify_group_base_info", refused, 10004)
		refused["HistoryMsgBeforeJoin"] = "On"
		if e := s.Login(t, "alice").Call(t, "group_open_http_svc.modify_group_base_info", refused, nil); e.ErrorCode != 10007 {
			t.Errorf("the owner chooses what new members read: %+v", e)
		}
		community := create(t, s, "Community")
		s.Refuses(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": community, "HistoryMsgBeforeJoin": "On"}, 10004)
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A device that logs in is told which messages mention its account that it has not read, and one that comes back which of them came
// while it was away.
func TestMentionsAreKept(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		mentioning := func(number int, who ...M) {
			t.Helper()
			order(t, s, id, fmt.Sprint(number), M{"From_Account": "alice", "Random": number, "GroupAtInfo": who})
		}
		you, all := M{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}, M{"GroupAtAllFlag": 1}
		kept := func(cookie string) (next, lines string) {
			t.Helper()
			c := s.Connect(t)
			c.TryLogin(t, "bob", s.UserSig(t, "bob"))
			var page struct {
				Cookie string
				Events []struct {
					Event int
					Tips  []notice `json:"GroupTips"`
				} `json:"EventArray"`
			}
			c.MustCall(t, "openim.getmsg", M{"Cookie": cookie, "SyncFlag": 0}, &page)
			for _, one := range page.Events {
				if one.Event == 12 {
					lines += fmt.Sprint(one.Tips[0].lines())
				}
			}
			c.Close()
			return page.Cookie, lines
		}
		mentioning(1, you)
		mentioning(2, M{"GroupAtAllFlag": 0, "GroupAt_Account": "carol"})
		mentioning(3, all, you)
		mentioning(4, all)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 4}}}, nil)
		s.Pass(t, 5*time.Second)
		cookie, lines := kept("")
		if lines != "[mentioned in 1: [1]][mentioned in 3: [2 1]]" {
			t.Errorf("bob is told %s", lines)
		}
		s.Pass(t, 15*time.Second)
		mentioning(5, you)
		if _, lines = kept(cookie); lines != "[mentioned in 5: [1]]" {
			t.Errorf("bob comes back and is told %s", lines)
		}
		reads(t, s.Login(t, "bob"), id, 3)
		if _, lines = kept(""); lines != "[mentioned in 5: [1]]" {
			t.Errorf("bob has read and is told %s", lines)
		}
		reads(t, s.Login(t, "bob"), id, 5)
		if _, lines = kept(""); lines != "" {
			t.Errorf("bob has read everything and is told %s", lines)
		}
	}, magpietest.Timed())
}
