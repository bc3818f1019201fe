package groupmessage_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// histories reads a group as a member and as a back end.
func histories(t *testing.T, s *Server, c *Conn, id string) (client, backEnd page) {
	t.Helper()
	c.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &client)
	s.MustREST(t, adminHistory, M{"GroupId": id, "ReqMsgNumber": 20}, &backEnd)
	return client, backEnd
}

// A back end clears the history of a group for its members, up to a sequence or wholly, and goes on reading it.
func TestClear(t *testing.T) {
	for kind, counted := range map[string]int64{"ChatRoom": 0, "Private": 1} { // meetings count nothing as unread
		story(t, kind, func(t *testing.T, s *Server, id string) {
			const command = "group_open_http_svc/clear_group_msg"
			s.MustREST(t, command, M{"GroupId": id}, nil) // nothing is there yet
			for n := range 4 {
				order(t, s, id, fmt.Sprint(n+1), M{"Random": n})
			}
			bob := s.Login(t, "bob")
			s.MustREST(t, command, M{"GroupId": id, "MsgSeq": 2}, nil)
			client, backEnd := histories(t, s, bob, id)
			wantLines(t, "a member reads", client.lines(), "4 administrator: 4", "3 administrator: 3")
			wantUnread(t, s, "bob", id, [2]int64{2 * counted, 2})
			if len(backEnd.Messages) != 4 {
				t.Errorf("the back end reads %q", backEnd.lines())
			}
			bob.MustCall(t, clientHistory, M{"GroupId": id, "GetType": 3, "ReqMsgSeqList": []int{1, 2, 3}}, &client)
			wantLines(t, "by sequences", client.lines(), "3 administrator: 3")
			s.MustREST(t, command, M{"GroupId": id, "MsgSeq": 1}, nil) // what is cleared stays cleared
			client, _ = histories(t, s, bob, id)
			wantLines(t, "a member reads", client.lines(), "4 administrator: 4", "3 administrator: 3")
			s.MustREST(t, command, M{"GroupId": id, "MsgSeq": 1000}, nil)
			order(t, s, id, "later", M{"Random": 9})
			client, _ = histories(t, s, bob, id)
			wantLines(t, "a member reads", client.lines(), "5 administrator: later")
			wantUnread(t, s, "bob", id, [2]int64{counted, 4})
			if e := bob.Call(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 4}}}, nil); e.ErrorCode != 0 {
				t.Errorf("a recall is refused whole: %+v", e)
			}
			s.Refuses(t, command, M{"GroupId": id, "MsgSeq": -1}, 10004)
			s.Refuses(t, command, M{"GroupId": "none"}, 10010)
		})
	}
}

// A back end recalls all that an account said; nobody is pushed it, and all read it.
func TestDeleteBySender(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		const command = "group_open_http_svc/delete_group_msg_by_sender"
		alice := s.Login(t, "alice")
		for n := range 105 {
			order(t, s, id, "spam", M{"Random": n, "From_Account": "bob"})
			if n%30 == 29 {
				s.NextSecond(t)
			}
		}
		s.NextSecond(t)
		order(t, s, id, "hello", M{"From_Account": "carol"})
		alice.Pushes(t)
		s.MustREST(t, command, M{"GroupId": id, "Sender_Account": "bob"}, nil)
		alice.SeesNothing(t)
		var p page
		alice.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 100}, &p)
		recalled := func(one item) bool { return one.Placeholder == 2 && one.text() == "" }
		if p.lines()[0] != "106 carol: hello" || p.Messages[0].Placeholder != 0 || slices.ContainsFunc(p.Messages[1:], func(one item) bool { return !recalled(one) }) {
			t.Errorf("alice reads %q", p.lines())
		}
		alice.MustCall(t, clientHistory, M{"GroupId": id, "ReqMsgNumber": 100, "ReqMsgSeq": p.Next}, &p)
		if len(p.Messages) != 6 || slices.ContainsFunc(p.Messages, func(one item) bool { return !recalled(one) }) {
			t.Errorf("alice reads %q", p.lines())
		}
		s.MustREST(t, command, M{"GroupId": id, "Sender_Account": "bob"}, nil)
		s.MustREST(t, command, M{"GroupId": id, "Sender_Account": "dave"}, nil)
		s.Refuses(t, command, M{"GroupId": id}, 10004)
		s.Refuses(t, command, M{"GroupId": id, "Sender_Account": "nobody"}, 10019)
		s.Refuses(t, command, M{"GroupId": "none", "Sender_Account": "bob"}, 10010)
	}, magpietest.Timed())
}
