package message_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// forget deletes an account.
func forget(t *testing.T, s *Server, userID string) {
	t.Helper()
	s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": userID}}}, nil)
}

// An account's own view of a chat needs nobody else: with a peer who was deleted it is read, marked, listed and removed as
// before, at both doors. Only writing to him is refused.
func TestChatWithADeletedPeer(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, early := s.Login(t, "alice"), s.Send(t, "bob", "alice", "early")
		s.Send(t, "alice", "bob", "my own")
		s.Send(t, "bob", "alice", "hello")
		alice.Pushes(t)
		forget(t, s, "bob")
		wantHistory(t, s, "alice", "bob", "bob → alice: early", "alice → bob: my own", "bob → alice: hello")
		var page struct{ MsgCnt int }
		alice.MustCall(t, "openim.getroammsg", M{"Peer_Account": "bob", "MaxCnt": 15, "LastMsgTime": 0, "MsgKey": ""}, &page)
		if page.MsgCnt != 3 {
			t.Errorf("alice's client reads %d messages", page.MsgCnt)
		}
		var profiles struct {
			Users []struct {
				To    string            `json:"To_Account"`
				Items []json.RawMessage `json:"ProfileItem"`
			} `json:"UserProfileItem"`
		}
		alice.MustCall(t, "profile.portrait_get_all", M{"UserItem": []M{{"To_Account": "bob"}, {"To_Account": "nobody"}}}, &profiles)
		if len(profiles.Users) != 1 || profiles.Users[0].To != "bob" || profiles.Users[0].Items == nil || len(profiles.Users[0].Items) != 0 {
			t.Errorf("alice's client reads the profiles %+v", profiles.Users)
		}
		var times struct{ ReadTime []int64 }
		alice.MustCall(t, "openim.get_peer_read_time", M{"To_Account": []string{"bob"}}, &times)
		var counts struct {
			List []struct {
				Count int `json:"C2CUnreadMsgNum"`
			} `json:"C2CUnreadMsgNumList"`
		}
		s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "alice", "Peer_Account": []string{"bob"}}, &counts)
		if len(counts.List) != 1 || counts.List[0].Count != 2 {
			t.Errorf("bob's unread messages are %+v", counts.List)
		}
		alice.MustCall(t, "openim.msgreaded", M{"C2CMsgReaded": M{"C2CMsgReadedItem": []M{
			{"To_Account": "bob", "LastedMsgTime": s.Now().Unix()}}}}, nil)
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "alice", "Peer_Account": "bob"}, nil)
		wantUnread(t, s, "alice", 0)
		s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "are you there?"), 90012)

		// What stands there is still recalled and edited, by its author and by a back end.
		s.MustREST(t, "openim/modify_c2c_msg", With(withdraw("bob", "alice", early.MsgKey), M{"MsgBody": magpietest.Text("cleaned")}), nil)
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("bob", "alice", early.MsgKey), nil)
		item := history(t, s, "alice", "bob")[1]
		alice.MustCall(t, "openim.modify_c2c_msg", M{"From_Account": "alice", "To_Account": "bob", "MsgSeq": item.Seq,
			"MsgRandom": item.Random, "MsgTime": item.Time, "MsgVersion": 0, "MsgBody": magpietest.Text("better")}, nil)
		alice.MustCall(t, "openim.msgwithdraw", M{"MsgInfo": M{"From_Account": "alice", "To_Account": "bob",
			"MsgTimeStamp": item.Time, "MsgSeq": item.Seq, "MsgRandom": item.Random}}, nil)
		wantHistory(t, s, "alice", "bob", "bob → alice: cleaned (recalled by administrator)",
			"alice → bob: better (recalled by alice)", "bob → alice: hello")

		wantConversations(t, s, "alice", "bob")
		alice.MustCall(t, "recentcontact.batch_delete", M{"ContactItem": []M{{"Type": 1, "To_Account": "bob"}}, "ClearRamble": 1}, nil)
		wantConversations(t, s, "alice")
		s.MustREST(t, "recentcontact/delete", M{"From_Account": "alice", "Type": 1, "To_Account": "bob"}, nil)
		wantHistory(t, s, "alice", "bob")
		s.Refuses(t, "recentcontact/delete", M{"From_Account": "alice", "Type": 1, "To_Account": "nobody"}, 50001)
		s.Refuses(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, 90008)
	})
}

// A device that comes back finds what a peer wrote who was deleted meanwhile.
func TestPullFromADeletedPeer(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		alice.Close()
		s.Send(t, "bob", "alice", "good bye")
		forget(t, s, "bob")
		for _, cookie := range []string{"", alice.Cookie} {
			wantPulled(t, connectAs(t, s, "alice").Pull(t, cookie), map[string]int{"bob": 1}, "bob → alice: good bye")
		}
	})
}

// Both sides of a chat may use the same sequence and random in one second. Paging, recall and edit still find each.
func TestTwoMessagesOfOneKey(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		constant := M{"MsgSeq": 1, "MsgRandom": 1}
		for range 3 {
			s.SendWith(t, magpietest.Message("alice", "bob", "a"), constant)
			s.SendWith(t, magpietest.Message("carol", "bob", "elsewhere"), constant)
			s.SendWith(t, magpietest.Message("bob", "alice", "b"), constant)
			s.NextSecond(t)
		}
		alice := s.Login(t, "alice")
		for _, direction := range []int{0, 1} {
			var lines []string
			at := M{"LastMsgTime": 0, "MsgKey": ""}
			if direction == 1 {
				oldest := history(t, s, "alice", "bob")[0]
				at, lines = M{"LastMsgTime": oldest.Time, "MsgKey": oldest.Key()}, []string{"alice → bob: a"}
			}
			for range 10 {
				var page struct {
					Complete, LastMsgTime int64
					MsgKey                string
					MsgList               []json.RawMessage
				}
				alice.MustCall(t, "openim.getroammsg", With(at, M{"Peer_Account": "bob", "MaxCnt": 1, "GetDirection": direction}), &page)
				for _, raw := range page.MsgList {
					item := magpietest.ReadItem(t, raw)
					lines = append(lines, item.String())
				}
				if page.Complete == 1 {
					break
				}
				at = M{"LastMsgTime": page.LastMsgTime, "MsgKey": page.MsgKey}
			}
			a, b := "alice → bob: a", "bob → alice: b"
			want := []string{b, a, b, a, b, a}
			if direction == 1 {
				want = []string{a, b, a, b, a, b}
			}
			wantLines(t, lines, want)
		}
		wantPaged(t, s, 6)
		for _, from := range []string{"alice", "bob"} {
			to := map[string]string{"alice": "bob", "bob": "alice"}[from]
			key := WireMessage{Seq: 1, Random: 1, Time: history(t, s, "alice", "bob")[0].Time}
			s.MustREST(t, "openim/modify_c2c_msg", With(withdraw(from, to, key.Key()), M{"MsgBody": magpietest.Text("by " + from)}), nil)
			s.MustREST(t, "openim/admin_msgwithdraw", withdraw(from, to, key.Key()), nil)
		}
		got := history(t, s, "alice", "bob")
		wantLines(t, []string{got[0].String(), got[1].String()},
			[]string{"alice → bob: by alice (recalled by administrator)", "bob → alice: by bob (recalled by administrator)"})
	})
}

// wantPaged reads the history of alice and bob one message at a time by REST.
func wantPaged(t *testing.T, s *Server, want int) {
	t.Helper()
	at, n := M{}, 0
	for range 2 * want {
		p, items := pageOf(t, s, "alice", "bob", With(M{"MaxCnt": 1}, at))
		n += len(items)
		if p.Complete == 1 {
			break
		}
		at = M{"MaxTime": p.LastMsgTime, "LastMsgKey": p.LastMsgKey}
	}
	if n != want {
		t.Errorf("a back end pages through %d messages, want %d", n, want)
	}
}

func wantLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}
