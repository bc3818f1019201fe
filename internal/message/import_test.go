package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// imported is a request of importmsg with what it cannot do without.
func imported(from, to, text string, at int64, mode int) M {
	return With(magpietest.Message(from, to, text), M{"SyncFromOldSystem": mode, "MsgTimeStamp": at})
}

// History of another system comes in under its own time: it is read, and neither counted nor pushed.
func TestImportHistory(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", "long ago", 1500000000, 2), M{
			"MsgSeq": 4294967295, "MsgRandom": 7, "CloudCustomData": "old",
		}), nil)
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		items := history(t, s, "bob", "alice")
		if len(items) != 1 || items[0].MsgKey != "4294967295_7_1500000000" || items[0].Time != 1500000000 ||
			items[0].ClientTime != 1500000000 || items[0].CloudCustomData != "old" || items[0].TinyID != alice.Session.TinyID {
			t.Errorf("bob reads %+v", items)
		}
		wantHistory(t, s, "alice", "bob", "alice → bob: long ago")
		wantUnread(t, s, "bob", 0)
		wantConversations(t, s, "bob", "alice")
		wantConversations(t, s, "alice", "bob")
	})
}

// Messages of now, moved from another system while it still runs, are counted and pushed. Two numbers say so.
func TestImportLive(t *testing.T) {
	for _, mode := range []int{1, 5} {
		t.Run(fmt.Sprint("mode ", mode), func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
				at := time.Now().Unix() - 30
				s.MustREST(t, "openim/importmsg", imported("alice", "bob", "just now", at, mode), nil)
				pushes := bob.Pushes(t)
				if len(pushes) != 1 || pushes[0].String() != "alice → bob: just now" || pushes[0].Messages[0].Time != at {
					t.Errorf("bob was pushed %v", pushes)
				}
				alice.Sees(t, "alice → bob: just now")
				wantUnread(t, s, "bob", 1)
				wantConversations(t, s, "bob", "alice")
			})
		})
	}
}

// The same sequence, random and time is the same message, whatever it says, also with the two sides swapped. The first
// import wins.
func TestImportTwice(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		numbers := M{"MsgSeq": 1, "MsgRandom": 2}
		for _, request := range []M{
			imported("alice", "bob", "first", 1500000000, 2),
			imported("alice", "bob", "second", 1500000000, 2),
			imported("bob", "alice", "swapped", 1500000000, 2),
			imported("alice", "bob", "live", 1500000000, 5),
		} {
			s.MustREST(t, "openim/importmsg", With(request, numbers), nil)
		}
		bob.SeesNothing(t)
		wantUnread(t, s, "bob", 0)
		wantHistory(t, s, "bob", "alice", "alice → bob: first")
		// Another second, another random, another chat: another message.
		s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", "later", 1500000001, 2), numbers), nil)
		s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", "other", 1500000000, 2), M{"MsgSeq": 1, "MsgRandom": 3}), nil)
		s.MustREST(t, "openim/importmsg", With(imported("alice", "carol", "hers", 1500000000, 2), numbers), nil)
		wantHistory(t, s, "bob", "alice", "alice → bob: first", "alice → bob: other", "alice → bob: later")
		wantHistory(t, s, "carol", "alice", "alice → carol: hers")
	})
}

// Whatever the order of import, history is in the order of time, and new messages come after old ones.
func TestImportIsOrderedByTime(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "bob", "alice", "today")
		for _, at := range []int64{1500000030, 1500000010, 1500000020} {
			s.MustREST(t, "openim/importmsg", imported("alice", "bob", fmt.Sprint(at), at, 2), nil)
		}
		s.Send(t, "bob", "alice", "still today")
		wantHistory(t, s, "bob", "alice", "alice → bob: 1500000010", "alice → bob: 1500000020", "alice → bob: 1500000030",
			"bob → alice: today", "bob → alice: still today")
		// Old messages do not become the conversation's last one.
		s.Send(t, "carol", "bob", "hello")
		s.MustREST(t, "openim/importmsg", imported("alice", "bob", "very old", 1400000000, 2), nil)
		wantConversations(t, s, "bob", "carol", "alice")
	})
}

func TestImportRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for _, row := range []struct {
			name string
			more M
			code int
		}{
			{"SyncFromOldSystem missing", M{"SyncFromOldSystem": nil}, 90030},
			{"SyncFromOldSystem text", M{"SyncFromOldSystem": "2"}, 90030},
			{"SyncFromOldSystem 0", M{"SyncFromOldSystem": 0}, 90030},
			{"SyncFromOldSystem 3", M{"SyncFromOldSystem": 3}, 90030},
			{"From_Account missing", M{"From_Account": nil}, 90008},
			{"From_Account unknown", M{"From_Account": "nobody"}, 90008},
			{"To_Account missing", M{"To_Account": nil}, 90003},
			{"To_Account a number", M{"To_Account": 1}, 90003},
			{"To_Account unknown", M{"To_Account": "nobody"}, 90012},
			{"MsgRandom missing", M{"MsgRandom": nil}, 90005},
			{"MsgRandom text", M{"MsgRandom": "2"}, 90005},
			{"MsgTimeStamp missing", M{"MsgTimeStamp": nil}, 90006},
			{"MsgTimeStamp text", M{"MsgTimeStamp": "then"}, 90006},
			{"MsgTimeStamp negative", M{"MsgTimeStamp": -5}, 90006},
			{"MsgBody missing", M{"MsgBody": nil}, 90007},
			{"MsgBody empty", M{"MsgBody": []M{}}, 90002},
			{"Text missing", M{"MsgBody": []M{{"MsgType": "TIMTextElem", "MsgContent": M{}}}}, 90010},
			{"too long", M{"MsgBody": magpietest.Text(strings.Repeat("x", 12<<10))}, 93000},
			{"CloudCustomData a number", M{"CloudCustomData": 5}, 90010},
		} {
			e := s.REST(t, "openim/importmsg", With(imported("alice", "bob", row.name, 1500000000, 5), row.more), nil)
			if e.ErrorCode != row.code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want FAIL and %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "openim/importmsg", `{`, 90001)
		bob.SeesNothing(t)
		wantHistory(t, s, "bob", "alice")
	})
}
