package groupmessage_test

import (
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// unreadOf is what the list of a member's groups says of one: how many messages are unread, and the read mark.
func unreadOf(t *testing.T, s *Server, member, id string) [2]int64 {
	t.Helper()
	var list struct {
		Groups []struct {
			GroupID string `json:"GroupId"`
			Self    struct {
				MsgSeq int64
				Unread int64 `json:"UnreadMsgNum"`
			} `json:"SelfInfo"`
		} `json:"GroupIdList"`
	}
	s.MustREST(t, "group_open_http_svc/get_joined_group_list", M{
		"Member_Account": member, "ResponseFilter": M{"GroupBaseInfoFilter": []string{}, "SelfInfoFilter": []string{"MsgSeq", "UnreadMsgNum"}},
	}, &list)
	for _, one := range list.Groups {
		if one.GroupID == id {
			return [2]int64{one.Self.Unread, one.Self.MsgSeq}
		}
	}
	t.Fatalf("%s is not in %s", member, id)
	return [2]int64{}
}

func wantUnread(t *testing.T, s *Server, member, id string, want [2]int64) {
	t.Helper()
	if got := unreadOf(t, s, member, id); got != want {
		t.Errorf("%s has unread messages and a read mark %v, want %v", member, got, want)
	}
}

func reads(t *testing.T, c *Conn, id string, sequence int64) {
	t.Helper()
	c.MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": id, "MsgReadedSeq": sequence}, nil)
}

// Behind a member's read mark those messages count that others sent, that are to count, and that nobody has recalled.
func TestUnread(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		order(t, s, id, "1", M{"From_Account": "bob", "Random": 1})
		order(t, s, id, "2", M{"From_Account": "alice", "Random": 2})
		order(t, s, id, "3", M{"From_Account": "alice", "Random": 3, "SendMsgControl": []string{"NoUnread"}})
		order(t, s, id, "4", M{"From_Account": "alice", "Random": 4, "To_Account": []string{"bob"}})
		order(t, s, id, "5", M{"From_Account": "bob", "Random": 5})
		order(t, s, id, "6", M{"From_Account": "carol", "Random": 6})
		wantUnread(t, s, "bob", id, [2]int64{2, 0})
		wantUnread(t, s, "carol", id, [2]int64{3, 0})
		recall := func(sequence int) {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": sequence}}}, nil)
		}
		recall(2) // counts for bob and carol
		recall(1) // bob's own
		recall(3) // counts for nobody
		wantUnread(t, s, "bob", id, [2]int64{1, 0})
		wantUnread(t, s, "carol", id, [2]int64{1, 0})
		bob := s.Login(t, "bob")
		reads(t, bob, id, 4)
		wantUnread(t, s, "bob", id, [2]int64{1, 4})
		reads(t, bob, id, 2)
		wantUnread(t, s, "bob", id, [2]int64{1, 4})
		recall(6)
		wantUnread(t, s, "bob", id, [2]int64{0, 4})
		wantUnread(t, s, "carol", id, [2]int64{1, 0})
		order(t, s, id, "7", M{"From_Account": "carol", "Random": 7})
		reads(t, bob, id, 1_000_000)
		wantUnread(t, s, "bob", id, [2]int64{0, 7})
		order(t, s, id, "8", M{"From_Account": "carol", "Random": 8})
		wantUnread(t, s, "bob", id, [2]int64{1, 7})
		reads(t, bob, id, 8)
		recall(8) // it is read already
		order(t, s, id, "9", M{"From_Account": "carol", "Random": 9})
		wantUnread(t, s, "bob", id, [2]int64{1, 8})
	})
}

// What came before a member joined is not unread, neither the first time nor when it comes back.
func TestUnreadBeginsWithTheJoin(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		join := func() {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "dave"}}}, nil)
		}
		order(t, s, id, "1", M{"From_Account": "bob", "Random": 1})
		join()
		newest := unreadOf(t, s, "dave", id)[1]
		wantUnread(t, s, "dave", id, [2]int64{0, newest})
		order(t, s, id, "2", M{"From_Account": "bob", "Random": 2})
		if got := unreadOf(t, s, "dave", id)[0]; got != 1 {
			t.Errorf("dave has %d unread messages, want one", got)
		}
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"dave"}}, nil)
		order(t, s, id, "3", M{"From_Account": "bob", "Random": 3})
		join()
		if got := unreadOf(t, s, "dave", id)[0]; got != 0 {
			t.Errorf("dave has %d unread messages when he is back", got)
		}
	})
}

// A back end says how many messages are unread; what is recalled and read after that counts down from there.
func TestSetUnread(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		set := func(member string, unread int) M {
			return M{"GroupId": id, "Member_Account": member, "UnreadMsgNum": unread}
		}
		const command = "group_open_http_svc/set_unread_msg_num"
		for i, from := range []string{"bob", "alice", "bob", "alice"} {
			order(t, s, id, from, M{"From_Account": from, "Random": i})
		}
		s.MustREST(t, command, set("bob", 3), nil)
		wantUnread(t, s, "bob", id, [2]int64{3, 1})
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 4}}}, nil)
		wantUnread(t, s, "bob", id, [2]int64{2, 1})
		s.MustREST(t, command, set("bob", 3), nil)
		wantUnread(t, s, "bob", id, [2]int64{3, 1})
		s.MustREST(t, command, set("bob", 0), nil)
		wantUnread(t, s, "bob", id, [2]int64{0, 4})
		s.MustREST(t, command, set("carol", 99), nil)
		wantUnread(t, s, "carol", id, [2]int64{4, 0})
		reads(t, s.Login(t, "carol"), id, 3)
		wantUnread(t, s, "carol", id, [2]int64{0, 3})
		for name, row := range map[string]struct {
			body M
			code int
		}{
			"nobody's":         {set("nobody", 1), 10019},
			"no member's":      {set("dave", 1), 10007},
			"below 0":          {set("bob", -1), 10004},
			"no number":        {magpietest.With(set("bob", 1), M{"UnreadMsgNum": nil}), 10004},
			"an unknown group": {magpietest.With(set("bob", 1), M{"GroupId": "nowhere"}), 10010},
		} {
			if e := s.REST(t, command, row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%s: %+v, want %d", name, e, row.code)
			}
		}
	})
}

// A type of groups that counts nothing has nothing unread.
func TestUnreadOfMeetings(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		order(t, s, id, "1", M{"From_Account": "bob"})
		if got := unreadOf(t, s, "carol", id)[0]; got != 0 {
			t.Errorf("carol has %d unread messages", got)
		}
		s.MustREST(t, "group_open_http_svc/set_unread_msg_num", M{"GroupId": id, "Member_Account": "carol", "UnreadMsgNum": 1}, nil)
	})
}
