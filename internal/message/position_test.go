package message_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// sameSecond tries until what it does happens in one second. done returns the seconds of both messages.
func sameSecond(t *testing.T, done func(try int) (first, second int64)) {
	t.Helper()
	for try := range 20 {
		if first, second := done(try); first == second {
			return
		}
	}
	t.Fatal("no two messages were sent in one second")
}

// What comes after bob has read is unread, also in the second up to which he has read, and its recall takes it out of the
// count.
func TestReadMarkAndTheSameSecond(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		peers := []string{"alice", "carol", "alice", "carol"}
		sameSecond(t, func(try int) (int64, int64) {
			peer := peers[try%len(peers)]
			read := M{"Report_Account": "bob", "Peer_Account": peer}
			first := s.Send(t, peer, "bob", "one")
			s.MustREST(t, "openim/admin_set_msg_read", read, nil)
			second := s.Send(t, peer, "bob", "two")
			if first.MsgTime == second.MsgTime {
				wantUnread(t, s, "bob", 1)
				items := history(t, s, peer, "bob")
				if n := len(items); items[n-2].PeerRead != 1 || items[n-1].PeerRead != 0 {
					t.Errorf("%s reads %+v, want the last one not read", peer, items[n-2:])
				}
				s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": peer, "To_Account": "bob", "MsgKey": second.MsgKey}, nil)
			} else {
				s.MustREST(t, "openim/admin_set_msg_read", read, nil)
			}
			wantUnread(t, s, "bob", 0)
			return first.MsgTime, second.MsgTime
		})
	})
}

// A live import that is older than the read mark counts as unread until it is read or recalled.
func TestReadMarkAndImports(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		now := time.Now().Unix()
		read := M{"Report_Account": "bob", "Peer_Account": "alice"}
		s.Send(t, "alice", "bob", "hi")
		s.MustREST(t, "openim/admin_set_msg_read", read, nil)
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "late", now-100, 5), nil)
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "later", now-90, 5), nil)
		wantUnread(t, s, "bob", 2)
		items := history(t, s, "alice", "bob")
		if items[0].Text() != "late" || items[0].PeerRead != 0 || items[2].PeerRead != 1 {
			t.Errorf("alice reads %+v, want the imports first and unread", items)
		}
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": items[0].MsgKey}, nil)
		wantUnread(t, s, "bob", 1)
		s.MustREST(t, "openim/admin_set_msg_read", read, nil)
		wantUnread(t, s, "bob", 0)
	})
}

// A mark in the middle of what is unread leaves the rest, what was imported behind it included.
func TestReadMarkInTheMiddle(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		start := time.Now().Unix() - 1000
		for i, text := range []string{"one", "two", "three", "four"} {
			s.MustREST(t, "openim/importmsg", imported("alice", "bob", text, start+10*int64(i), 5), nil)
		}
		mark := func(second int64) {
			s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": second}, nil)
		}
		mark(start + 15)
		wantUnread(t, s, "bob", 2)
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "between", start+5, 5), nil)
		wantUnread(t, s, "bob", 3)
		mark(start + 20)
		wantUnread(t, s, "bob", 2) // "four", and "between", which came behind it
		mark(start + 12)           // a mark does not go back
		wantUnread(t, s, "bob", 2)
		mark(start + 30)
		wantUnread(t, s, "bob", 0)
	})
}

// A time that lies in the future, as one in milliseconds does, is refused: the message would stand behind all to come.
func TestImportOfTheFuture(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		now := time.Now()
		for _, at := range []int64{now.UnixMilli(), now.Unix() + 86400, 1 << 62} {
			s.Refuses(t, "openim/importmsg", imported("alice", "bob", "hi", at, 5), 90006)
		}
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "a clock that is a little ahead", now.Unix()+5, 5), nil)
		wantHistory(t, s, "bob", "alice", "alice → bob: a clock that is a little ahead")
	})
}

// Both sides may use the same numbers in the same second: the sender tells their messages apart.
func TestSameKeyFromBothSides(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		sameSecond(t, func(try int) (int64, int64) {
			// Each try has numbers of its own: the second message of one try may lie in the second of the next.
			send := func(from, to string) magpietest.Sent {
				return s.SendWith(t, magpietest.Message(from, to, "from "+from), M{"MsgSeq": 1, "MsgRandom": 2 + try})
			}
			first, second := send("alice", "bob"), send("bob", "alice")
			if first.MsgTime != second.MsgTime {
				return 0, 1
			}
			s.MustREST(t, "openim/modify_c2c_msg", M{
				"From_Account": "bob", "To_Account": "alice", "MsgKey": second.MsgKey, "MsgBody": magpietest.Text("edited"),
			}, nil)
			s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": first.MsgKey}, nil)
			items := history(t, s, "alice", "bob")
			n := len(items)
			if items[n-2].FlagBits != 8 || items[n-1].FlagBits != 0 || items[n-1].Text() != "edited" {
				t.Errorf("the history ends with %s and %s", items[n-2].String(), items[n-1].String())
			}
			return 0, 0
		})
	})
}
