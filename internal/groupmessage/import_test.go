package groupmessage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

const importCommand = "group_open_http_svc/import_group_msg"

// imports builds a request's list of messages: a sender, a second and a text each.
func imports(all ...string) (list []M) {
	for n, one := range all {
		fields := strings.SplitN(one, " ", 3)
		var second int64
		_, _ = fmt.Sscan(fields[1], &second)
		list = append(list, M{"From_Account": fields[0], "SendTime": second, "Random": n, "MsgBody": magpietest.Text(fields[2])})
	}
	return list
}

type importedReply struct {
	Results []struct{ MsgSeq, MsgTime, Result int } `json:"ImportMsgResult"`
}

// results tell what became of messages: "1/0" is the sequence 1 and no refusal.
func (r *importedReply) results() (all []string) {
	for _, one := range r.Results {
		all = append(all, fmt.Sprintf("%d/%d", one.MsgSeq, one.Result))
	}
	return all
}

// foreign imports a group that is a day old.
func foreign(t *testing.T, s *Server) (id string, created int64) {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
	}
	created = s.Now().Unix() - 86_400
	s.MustREST(t, "group_open_http_svc/import_group", M{"Type": "ChatRoom", "Name": "old", "Owner_Account": "alice", "CreateTime": created}, &made)
	return made.GroupID, created
}

// A group's messages are taken over in the order of their times, and only behind what is there; nobody is told, and nothing is
// unread afterwards.
func TestImportMessages(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, _ string) {
		back := s.BackEnd(t, "Group.CallbackBeforeSendMsg,Group.CallbackAfterSendMsg")
		id, from := foreign(t, s)
		s.MustREST(t, "group_open_http_svc/import_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "bob"}}}, nil)
		bob := s.Login(t, "bob")
		var reply importedReply
		at := func(second int64) string { return fmt.Sprint(from + second) }
		s.MustREST(t, importCommand, M{"GroupId": id, "MsgList": imports("alice "+at(0)+" one", "dave "+at(60)+" two", "bob "+at(60)+" three",
			"bob "+at(59)+" too old", "alice "+at(90_000)+" too new")}, &reply)
		wantLines(t, "the results", reply.results(), "1/0", "2/0", "3/0", "0/10004", "0/10004")
		s.MustREST(t, importCommand, M{"GroupId": id, "RecentContactFlag": 1, "MsgList": imports("alice "+at(50)+" older", "alice "+at(70)+" four")}, &reply)
		wantLines(t, "the results of the second call", reply.results(), "0/10004", "4/0")
		var p page
		bob.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 10}, &p)
		wantLines(t, "the history", p.lines(), "4 alice: four", "3 bob: three", "2 dave: two", "1 alice: one")
		if first := p.Messages[3]; first.Time != from {
			t.Errorf("the first message is of %d, want %d", first.Time, from)
		}
		bob.SeesNothing(t)
		if got := order(t, s, id, "live", nil); got.Seq != 5 {
			t.Errorf("the next message has the sequence %d", got.Seq)
		}
		back.Gets(t, "Group.CallbackAfterSendMsg", 1)
		if calls := len(back.Calls("")); calls != 2 {
			t.Errorf("the back end was called %d times, want for the last message alone", calls)
		}
	}, magpietest.Timed())
}

// A repeated call takes nothing twice.
func TestImportAgain(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, _ string) {
		id, from := foreign(t, s)
		list := imports(fmt.Sprintf("alice %d one", from), fmt.Sprintf("alice %d two", from))
		for range 2 {
			var reply importedReply
			s.MustREST(t, importCommand, M{"GroupId": id, "MsgList": list}, &reply)
			wantLines(t, "the results", reply.results(), "1/0", "2/0")
		}
	}, magpietest.Timed())
}

func TestImportRefuses(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, _ string) {
		id, from := foreign(t, s)
		one := imports(fmt.Sprintf("alice %d one", from))[0]
		for _, row := range []struct {
			list []M
			code int
		}{
			{nil, 10004},
			{make([]M, 21), 10004},
			{[]M{magpietest.With(one, M{"From_Account": "nobody"})}, 10019},
			{[]M{magpietest.With(one, M{"MsgBody": "text"})}, 10004},
			{[]M{magpietest.With(one, M{"MsgBody": []M{}})}, 10004},
		} {
			s.Refuses(t, importCommand, M{"GroupId": id, "MsgList": row.list}, row.code)
		}
		s.Refuses(t, importCommand, M{"GroupId": "none", "MsgList": []M{one}}, 10010)
		var reply importedReply
		long := magpietest.With(one, M{"MsgBody": magpietest.Text(strings.Repeat("x", 12_289))})
		s.MustREST(t, importCommand, M{"GroupId": id, "MsgList": []M{long, one}}, &reply)
		wantLines(t, "the results", reply.results(), "0/80002", "1/0")
	}, magpietest.Timed())
}

// Whoever had not read something has read it after an import.
func TestImportLeavesNothingUnread(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		order(t, s, id, "unread", nil)
		wantUnread(t, s, "bob", id, [2]int64{1, 0})
		s.Pass(t, time.Second)
		s.MustREST(t, importCommand, M{"GroupId": id, "MsgList": imports(fmt.Sprintf("alice %d one", s.Now().Unix()))}, nil)
		wantUnread(t, s, "bob", id, [2]int64{0, 2})
		order(t, s, id, "news", nil)
		wantUnread(t, s, "bob", id, [2]int64{1, 2})
	}, magpietest.Timed())
}
