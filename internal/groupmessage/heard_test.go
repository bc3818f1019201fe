package groupmessage_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// Once a member has spoken, a further message of his takes one statement that looks at him and his group, in the transaction that
// stores it, beside those that store it.
func TestStatementsOfASend(t *testing.T) {
	faults := &dbtest.Faults{}
	s := magpietest.Start(t, magpietest.Faulty(faults), magpietest.Timed(), shapes())
	s.Import(t, "alice", "bob", "carol")
	id := create(t, s, "Public")
	bob := s.Login(t, "bob")
	bob.MustCall(t, clientSend, says(id, "first", 1), nil)
	faults.Seen()
	bob.MustCall(t, clientSend, says(id, "second", 2), nil)
	if n := faults.Seen("group_member", "chat_group"); n != 1 {
		t.Errorf("a message looks at its group and sender in %d statements, want 1", n)
	}
	bob.MustCall(t, clientSend, says(id, "third", 3), nil)
	if n := faults.Seen("SELECT", "INSERT", "UPDATE"); n != 3 {
		t.Errorf("a message takes %d statements, want 3: its sender, its chat, itself", n)
	}
	s.Pass(t, 10*time.Second) // and by then he is looked at before too
	faults.Seen()
	bob.MustCall(t, clientSend, says(id, "fourth", 4), nil)
	if n := faults.Seen("group_member", "chat_group"); n < 2 {
		t.Errorf("a member who was silent for ten seconds is looked at in %d statements", n)
	}
}

// Whoever has just been heard is refused all the same once he may not speak any more, as if he had not been, and of that the back end is
// not told; and may speak once he may again.
func TestHeardAndTakenBack(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		const notSent, wasSent = "Group.CallbackSendMsgException", "Group.CallbackAfterSendMsg"
		back := s.BackEnd(t, notSent+","+wasSent)
		s.Configure(t, "group.message_rate", "4")
		bob, number := s.Login(t, "bob"), 0
		speaks := func(want int) {
			t.Helper()
			number++
			if e := bob.Call(t, clientSend, says(id, "hi", number), nil); e.ErrorCode != want {
				t.Errorf("message %d: %d %s, want %d", number, e.ErrorCode, e.ErrorInfo, want)
			}
		}
		mute := func(seconds int) {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": seconds}, nil)
		}
		speaks(0)
		mute(60)
		speaks(10017)
		mute(0)
		speaks(0)
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob"}}, nil)
		for range 6 { // more than the group's rate, so that some are dropped
			speaks(10007)
		}
		s.MustREST(t, "group_open_http_svc/add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "bob"}}}, nil)
		s.Pass(t, time.Second)
		speaks(0)
		if back.Gets(t, wasSent, 3); len(back.Calls(notSent)) != 0 {
			t.Errorf("the back end is told of what was refused at once: %v", back.Calls(notSent))
		}
		s.MustREST(t, "group_open_http_svc/destroy_group", M{"GroupId": id}, nil)
		speaks(10010)
	}, magpietest.Timed())
}
