package message_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// readRequest is what a client sends that has shown a conversation.
func readRequest(peer string, until int64) M {
	return M{"C2CMsgReaded": M{"Cookie": "", "C2CMsgReadedItem": []M{{"To_Account": peer, "LastedMsgTime": until, "Receipt": 1}}}}
}

// A back end marks a conversation read for bob: his count is gone, his devices and alice are told.
func TestAdminSetRead(t *testing.T) {
	for _, row := range []struct {
		name string
		time func(sent int64) any
	}{
		{"now", func(int64) any { return nil }},
		{"at the message's second", func(sent int64) any { return sent }},
		{"as text", func(sent int64) any { return strconv.FormatInt(sent, 10) }},
		{"zero, which is now", func(int64) any { return 0 }},
		{"in the future, which is now", func(sent int64) any { return sent + 1000 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
				sent := s.Send(t, "alice", "bob", "hi")
				bob.Pushes(t)
				wantUnread(t, s, "bob", 1)
				s.MustREST(t, "openim/admin_set_msg_read", With(M{"Report_Account": "bob", "Peer_Account": "alice"},
					M{"MsgReadTime": row.time(sent.MsgTime)}), nil)
				wantUnread(t, s, "bob", 0)
				mark := peerReadTime(t, alice, "bob")
				if mark < sent.MsgTime || mark > time.Now().Unix() {
					t.Errorf("bob has read up to %d, want %d or now", mark, sent.MsgTime)
				}
				alice.Sees(t, fmt.Sprintf("bob has read up to %d", mark))
				bob.Sees(t, fmt.Sprintf("read alice up to %d elsewhere", mark))
				carol.SeesNothing(t)
			})
		})
	}
}

// peerReadTime asks up to when a peer has read.
func peerReadTime(t *testing.T, c *magpietest.Conn, peers ...string) int64 {
	t.Helper()
	var reply struct{ ReadTime []int64 }
	c.MustCall(t, "openim.get_peer_read_time", M{"To_Account": peers}, &reply)
	if len(reply.ReadTime) != len(peers) {
		t.Fatalf("%d times for %d peers", len(reply.ReadTime), len(peers))
	}
	return reply.ReadTime[0]
}

// Bob's client marks what it has shown. His other device follows, alice sees it, and what came later stays unread.
func TestClientRead(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		first := s.Send(t, "alice", "bob", "one")
		s.NextSecond(t)
		second := s.Send(t, "alice", "bob", "two")
		bob.Pushes(t)
		phone.Pushes(t)

		bob.MustCall(t, "openim.msgreaded", readRequest("alice", first.MsgTime), nil)
		wantUnread(t, s, "bob", 1)
		alice.Sees(t, fmt.Sprintf("bob has read up to %d", first.MsgTime))
		phone.Sees(t, fmt.Sprintf("read alice up to %d elsewhere", first.MsgTime))
		bob.SeesNothing(t)
		if items := history(t, s, "alice", "bob"); items[0].PeerRead != 1 || items[1].PeerRead != 0 {
			t.Errorf("alice reads %v, want the first one read by bob", items)
		}

		bob.MustCall(t, "openim.msgreaded", readRequest("alice", second.MsgTime), nil)
		wantUnread(t, s, "bob", 0)
		alice.Sees(t, fmt.Sprintf("bob has read up to %d", second.MsgTime))
		phone.Pushes(t)

		// A mark does not go back, and one that says nothing new is not told.
		bob.MustCall(t, "openim.msgreaded", readRequest("alice", first.MsgTime), nil)
		bob.MustCall(t, "openim.msgreaded", readRequest("alice", second.MsgTime), nil)
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": first.MsgTime}, nil)
		alice.SeesNothing(t)
		phone.SeesNothing(t)
		if mark := peerReadTime(t, alice, "bob"); mark != second.MsgTime {
			t.Errorf("bob has read up to %d, want %d", mark, second.MsgTime)
		}
	})
}

// A message whose sender wants a receipt of its own is not read by the reading of the conversation.
func TestReadIsNoReceipt(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.SendWith(t, magpietest.Message("alice", "bob", "important"), M{"IsNeedReadReceipt": 1})
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		if items := history(t, s, "alice", "bob"); items[0].PeerRead != 0 || items[0].NeedReceipt != 1 {
			t.Errorf("alice reads %+v, want a message without its receipt", items[0])
		}
	})
}

// A mark in the future must not swallow what is still to come.
func TestReadInTheFuture(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.Send(t, "alice", "bob", "one")
		bob.MustCall(t, "openim.msgreaded", readRequest("alice", time.Now().Unix()+100_000), nil)
		wantUnread(t, s, "bob", 0)
		s.NextSecond(t)
		s.Send(t, "alice", "bob", "two")
		wantUnread(t, s, "bob", 1)
		bob.MustCall(t, "openim.msgreaded", readRequest("alice", s.Now().Unix()), nil)
		wantUnread(t, s, "bob", 0)
	})
}

// Several conversations in one call, and one that does not exist yet.
func TestClientReadsSeveral(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		s.Send(t, "alice", "bob", "hi")
		s.Send(t, "carol", "bob", "hello")
		until := time.Now().Unix()
		bob.Pushes(t)
		bob.MustCall(t, "openim.msgreaded", M{"C2CMsgReaded": M{"C2CMsgReadedItem": []M{
			{"To_Account": "alice", "LastedMsgTime": until}, {"To_Account": "administrator", "LastedMsgTime": until},
			{"To_Account": "carol", "LastedMsgTime": until},
		}}}, nil)
		alice.Sees(t, fmt.Sprintf("bob has read up to %d", until))
		carol.Sees(t, fmt.Sprintf("bob has read up to %d", until))
		wantUnread(t, s, "bob", 0)
	})
}

// Peers' read times come in the order of the question, 0 where there is none.
func TestPeerReadTimes(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		s.Send(t, "alice", "bob", "hi")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		var reply struct{ ReadTime []int64 }
		alice.MustCall(t, "openim.get_peer_read_time", M{"To_Account": []string{"carol", "bob", "nobody", "bob"}}, &reply)
		if got := reply.ReadTime; len(got) != 4 || got[0] != 0 || got[1] == 0 || got[2] != 0 || got[3] != got[1] {
			t.Errorf("read times %v", got)
		}
		alice.MustCall(t, "openim.get_peer_read_time", M{"To_Account": []string{}}, &reply)
		many := slices.Repeat([]string{"bob"}, 1001)
		if e := alice.Call(t, "openim.get_peer_read_time", M{"To_Account": many}, nil); e.ErrorCode != 90018 {
			t.Errorf("1001 peers: answered %+v, want 90018", e)
		}
	})
}

func TestReadRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.Send(t, "alice", "bob", "hi")
		bob.Pushes(t)
		for _, row := range []struct {
			name string
			more M
			code int
		}{
			{"Report_Account missing", M{"Report_Account": nil}, 90008},
			{"Report_Account unknown", M{"Report_Account": "nobody"}, 90008},
			{"Peer_Account missing", M{"Peer_Account": nil}, 90003},
			{"Peer_Account unknown", M{"Peer_Account": "nobody"}, 90003},
			{"MsgReadTime garbage", M{"MsgReadTime": "soon"}, 90010},
			{"MsgReadTime negative", M{"MsgReadTime": -1}, 90010},
		} {
			e := s.REST(t, "openim/admin_set_msg_read", With(M{"Report_Account": "bob", "Peer_Account": "alice"}, row.more), nil)
			if e.ErrorCode != row.code || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "openim/admin_set_msg_read", `{`, 90001)
		for _, row := range []struct {
			name string
			body M
			code int
		}{
			{"an unknown peer", readRequest("nobody", 1), 20003},
			{"no peer", readRequest("", 1), 90003},
			{"a list of numbers", M{"C2CMsgReaded": M{"C2CMsgReadedItem": []int{1}}}, 90010},
			{"too many", M{"C2CMsgReaded": M{"C2CMsgReadedItem": slices.Repeat([]M{{"To_Account": "alice"}}, 101)}}, 90018},
		} {
			if e := bob.Call(t, "openim.msgreaded", row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		wantUnread(t, s, "bob", 1)
		alice.SeesNothing(t)
		bob.SeesNothing(t)
	})
}

// The counts that a back end asks for: one total, or one number for each peer.
func TestUnreadCounts(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		type reply struct {
			AllC2CUnreadMsgNum  *int
			C2CUnreadMsgNumList []struct {
				Peer  string `json:"Peer_Account"`
				Count int    `json:"C2CUnreadMsgNum"`
			}
			ErrorList []struct {
				Peer string `json:"Peer_Account"`
				Code int    `json:"ErrorCode"`
			}
		}
		s.Send(t, "alice", "bob", "one")
		s.Send(t, "alice", "bob", "two")
		s.Send(t, "carol", "bob", "three")
		s.Send(t, "bob", "carol", "answer")
		var got reply
		s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "bob"}, &got)
		if got.AllC2CUnreadMsgNum == nil || *got.AllC2CUnreadMsgNum != 3 || got.C2CUnreadMsgNumList != nil || got.ErrorList != nil {
			t.Errorf("in all: %+v", got)
		}
		got = reply{}
		s.MustREST(t, "openim/get_c2c_unread_msg_num",
			M{"To_Account": "bob", "Peer_Account": []string{"carol", "nobody", "alice", "administrator"}}, &got)
		if list := fmt.Sprint(got.C2CUnreadMsgNumList); list != "[{carol 1} {alice 2} {administrator 0}]" || got.AllC2CUnreadMsgNum != nil {
			t.Errorf("by peer: %+v", got)
		}
		if list := fmt.Sprint(got.ErrorList); list != "[{nobody 70107}]" {
			t.Errorf("ErrorList is %s", list)
		}
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"To_Account missing", M{}, 90003},
			{"To_Account unknown", M{"To_Account": "nobody"}, 90003},
			{"To_Account a number", M{"To_Account": 7}, 90003},
			{"too many peers", M{"To_Account": "bob", "Peer_Account": slices.Repeat([]string{"alice"}, 11)}, 90018},
			{"Peer_Account text", M{"To_Account": "bob", "Peer_Account": "alice"}, 90010},
			{"not JSON", `{`, 90001},
		} {
			if e := s.REST(t, "openim/get_c2c_unread_msg_num", row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
	})
}
