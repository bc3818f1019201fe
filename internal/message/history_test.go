package message_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// past imports messages 0 … n-1 of a chat, three in each second from 1500000000 on, alternately from either side.
func past(t *testing.T, s *Server, n int) {
	t.Helper()
	for i := range n {
		from, to := "alice", "bob"
		if i%2 == 1 {
			from, to = to, from
		}
		s.MustREST(t, "openim/importmsg", With(imported(from, to, fmt.Sprint(i), 1500000000+int64(i/3), 2), M{"MsgSeq": i}), nil)
	}
}

func texts(items []WireMessage) []string {
	got := []string{}
	for i := range items {
		got = append(got, items[i].Text())
	}
	return got
}

func numbers(from, to int) []string {
	want := []string{}
	for n := from; n <= to; n++ {
		want = append(want, fmt.Sprint(n))
	}
	return want
}

// A back end reads from the newest page to the oldest, each in rising order, and gets every message once.
func TestHistoryPages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const messages = 25
		past(t, s, messages)
		for _, size := range []int{1, 2, 3, 7, 24, 25, 26, 100, 100_000} {
			var all []string
			next := M{"MaxCnt": size}
			for {
				p, items := pageOf(t, s, "bob", "alice", next)
				if len(items) > size || len(items) == 0 {
					t.Fatalf("pages of %d: one of %d", size, len(items))
				}
				if oldest := items[0]; p.LastMsgKey != oldest.Key() || p.LastMsgTime != oldest.Time {
					t.Errorf("the cursor is %s at %d, and the page's oldest is %s", p.LastMsgKey, p.LastMsgTime, oldest.Key())
				}
				all = append(texts(items), all...)
				if p.Complete == 1 {
					break
				}
				next = M{"MaxCnt": size, "MaxTime": p.LastMsgTime, "LastMsgKey": p.LastMsgKey}
			}
			if !slices.Equal(all, numbers(0, messages-1)) {
				t.Errorf("pages of %d bring %v", size, all)
			}
		}
	})
}

// MinTime and MaxTime belong to what is wanted.
func TestHistoryByTime(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		past(t, s, 12) // seconds 0 to 3, three each
		at := func(second int64) int64 { return 1500000000 + second }
		for _, row := range []struct {
			min, max int64
			want     []string
		}{
			{at(1), at(2), numbers(3, 8)},
			{at(2), at(2), numbers(6, 8)},
			{0, at(0), numbers(0, 2)},
			{at(3), forever, numbers(9, 11)},
			{at(4), forever, []string{}},
			{0, at(-1), []string{}},
		} {
			p, items := pageOf(t, s, "alice", "bob", M{"MinTime": row.min, "MaxTime": row.max})
			if got := texts(items); !slices.Equal(got, row.want) || p.Complete != 1 {
				t.Errorf("from %d to %d: %v, complete %d, want %v", row.min, row.max, got, p.Complete, row.want)
			}
		}
		// A bounded stretch is paged like any other.
		p, items := pageOf(t, s, "alice", "bob", M{"MinTime": at(1), "MaxTime": at(2), "MaxCnt": 4})
		if got := texts(items); !slices.Equal(got, numbers(5, 8)) || p.Complete != 0 {
			t.Errorf("the newest four: %v, complete %d", got, p.Complete)
		}
		p, items = pageOf(t, s, "alice", "bob", M{"MinTime": at(1), "MaxTime": p.LastMsgTime, "LastMsgKey": p.LastMsgKey, "MaxCnt": 4})
		if got := texts(items); !slices.Equal(got, numbers(3, 4)) || p.Complete != 1 {
			t.Errorf("the rest: %v, complete %d", got, p.Complete)
		}
	})
}

// The older pages of the documentation call the two accounts by other names.
func TestHistoryOldNames(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.SendWith(t, magpietest.Message("alice", "bob", "hi"), M{"SyncOtherMachine": 2})
		_, items := pageOf(t, s, "", "", M{"Operator_Account": nil, "Peer_Account": nil, "From_Account": "bob", "To_Account": "alice"})
		if len(items) != 1 {
			t.Errorf("bob reads %v by the old names", items)
		}
		_, items = pageOf(t, s, "", "", M{"Operator_Account": nil, "Peer_Account": nil, "From_Account": "alice", "To_Account": "bob"})
		if len(items) != 0 {
			t.Errorf("alice reads %v by the old names, which she has no copy of", items)
		}
	})
}

// The two sides need not see the same.
func TestHistoryViewsDiffer(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "for both")
		s.SendWith(t, magpietest.Message("alice", "bob", "for bob only"), M{"SyncOtherMachine": 2})
		wantHistory(t, s, "alice", "bob", "alice → bob: for both")
		wantHistory(t, s, "bob", "alice", "alice → bob: for both", "alice → bob: for bob only")
		// Bob clears his side; alice keeps hers. What comes after is there again.
		s.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 1, "To_Account": "alice", "ClearRamble": 1}, nil)
		wantHistory(t, s, "bob", "alice")
		wantHistory(t, s, "alice", "bob", "alice → bob: for both")
		s.Send(t, "alice", "bob", "afterwards")
		wantHistory(t, s, "bob", "alice", "alice → bob: afterwards")
		wantHistory(t, s, "alice", "bob", "alice → bob: for both", "alice → bob: afterwards")
	})
}

// A page ends early when its reply would grow beyond some 13 KB; nothing is left out.
func TestHistoryReplyIsBounded(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const messages = 12
		for i := range messages {
			s.Send(t, "alice", "bob", fmt.Sprint(i, strings.Repeat(" ", 4000)))
		}
		var all []string
		next := M{}
		for pages := 0; ; pages++ {
			var reply json.RawMessage
			s.MustREST(t, "openim/admin_getroammsg", With(M{
				"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 100, "MinTime": 0, "MaxTime": forever,
			}, next), &reply)
			if len(reply) > 16<<10 {
				t.Errorf("a reply of %d bytes", len(reply))
			}
			p, items := pageOf(t, s, "bob", "alice", next)
			var some []string
			for _, text := range texts(items) {
				some = append(some, strings.TrimSpace(text))
			}
			all = append(some, all...)
			if p.Complete == 1 {
				break
			}
			if pages > messages {
				t.Fatal("it never ends")
			}
			next = M{"MaxTime": p.LastMsgTime, "LastMsgKey": p.LastMsgKey}
		}
		if !slices.Equal(all, numbers(0, messages-1)) {
			t.Errorf("the pages bring %v", all)
		}
		// One message alone may be larger than the bound.
		s.Configure(t, "message.max_bytes", "20000")
		s.Send(t, "alice", "bob", strings.Repeat("x", 19000))
		if _, items := pageOf(t, s, "bob", "alice", nil); len(items) != 1 || len(items[0].Text()) != 19000 {
			t.Errorf("the large message comes as %d messages", len(items))
		}
	})
}

// Recalled messages stay in history, marked.
func TestHistoryHasRecalled(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "one")
		sent := s.Send(t, "alice", "bob", "two")
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)
		wantHistory(t, s, "bob", "alice", "alice → bob: one", "alice → bob: two (recalled by administrator)")
		wantHistory(t, s, "alice", "bob", "alice → bob: one", "alice → bob: two (recalled by administrator)")
	})
}

// Two who never wrote to each other have an empty history, and a page after the end is empty too.
func TestHistoryOfNothing(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		p, items := pageOf(t, s, "alice", "bob", nil)
		if len(items) != 0 || p.Complete != 1 || p.MsgList == nil {
			t.Errorf("nothing is answered as %+v", p)
		}
		p, items = pageOf(t, s, "alice", "bob", M{"MaxTime": 1500000000, "LastMsgKey": "1_2_1500000000"})
		if len(items) != 0 || p.Complete != 1 {
			t.Errorf("a cursor into nothing is answered as %+v", p)
		}
	})
}

func TestHistoryRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		usual := M{"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 10, "MinTime": 0, "MaxTime": forever}
		for _, row := range []struct {
			name string
			more M
			code int
		}{
			{"Operator_Account missing", M{"Operator_Account": nil}, 90008},
			{"Operator_Account unknown", M{"Operator_Account": "nobody"}, 90008},
			{"Peer_Account missing", M{"Peer_Account": nil}, 90003},
			{"Peer_Account unknown", M{"Peer_Account": "nobody"}, 90003},
			{"MaxCnt missing", M{"MaxCnt": nil}, 90010},
			{"MaxCnt 0", M{"MaxCnt": 0}, 90010},
			{"MaxCnt negative", M{"MaxCnt": -1}, 90010},
			{"MaxCnt text", M{"MaxCnt": "10"}, 90010},
			{"MinTime negative", M{"MinTime": -1}, 90010},
			{"MaxTime missing", M{"MaxTime": nil}, 90010},
			{"MinTime after MaxTime", M{"MinTime": 20, "MaxTime": 10}, 90010},
			{"LastMsgKey garbage", M{"LastMsgKey": "garbage"}, 90054},
			{"LastMsgKey a number", M{"LastMsgKey": 7}, 90010},
		} {
			e := s.REST(t, "openim/admin_getroammsg", With(usual, row.more), nil)
			if e.ErrorCode != row.code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want FAIL and %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "openim/admin_getroammsg", `{"MaxCnt"`, 90001)
	})
}

// clientPage asks for a page as the web SDK does.
func clientPage(t *testing.T, c *magpietest.Conn, peer string, more M) (texts []string, complete int, next M) {
	t.Helper()
	var reply struct {
		Complete, MsgCnt int
		MsgList          []json.RawMessage
		LastMsgTime      int64
		MsgKey           string
	}
	c.MustCall(t, "openim.getroammsg", With(M{
		"Peer_Account": peer, "MaxCnt": 15, "LastMsgTime": 0, "MsgKey": "", "WithRecalledMsg": 1, "GetDirection": 0,
	}, more), &reply)
	if reply.MsgList == nil || reply.MsgCnt != len(reply.MsgList) {
		t.Errorf("MsgCnt is %d for %v", reply.MsgCnt, reply.MsgList)
	}
	for _, raw := range reply.MsgList {
		item := magpietest.ReadItem(t, raw)
		texts = append(texts, item.Text())
	}
	return texts, reply.Complete, M{"LastMsgTime": reply.LastMsgTime, "MsgKey": reply.MsgKey}
}

// A client scrolls back from the newest message, and fills a gap forwards from a message that it has.
func TestClientHistory(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		past(t, s, 40)
		bob := s.Login(t, "bob")
		var all []string
		next := M{}
		for {
			texts, complete, cursor := clientPage(t, bob, "alice", next)
			all = append(texts, all...)
			if complete == 1 {
				break
			}
			next = cursor
		}
		if !slices.Equal(all, numbers(0, 39)) {
			t.Errorf("backwards it reads %v", all)
		}

		// From the second of message 30 on, that second included: clients drop what they have.
		all = nil
		next = M{"LastMsgTime": 1500000010, "GetDirection": 1, "MaxCnt": 4}
		for {
			texts, complete, cursor := clientPage(t, bob, "alice", next)
			all = append(all, texts...)
			if complete == 1 {
				break
			}
			next = With(cursor, M{"GetDirection": 1, "MaxCnt": 4})
		}
		if !slices.Equal(all, numbers(30, 39)) {
			t.Errorf("forwards it reads %v", all)
		}

		// Hopping to a moment includes the messages of that second.
		if texts, _, _ := clientPage(t, bob, "alice", M{"LastMsgTime": 1500000001, "MaxCnt": 2}); !slices.Equal(texts, numbers(4, 5)) {
			t.Errorf("hopping to second 1 reads %v", texts)
		}
	})
}

// A client that fills a gap goes on by the second of the newest message that it has, never by a key. So a page does not end
// inside a second, or the client would ask for the same again and again.
func TestClientHistoryForwardsBySeconds(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for i := range 60 { // twenty in each second
			s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", fmt.Sprint(i), 1500000000+int64(i/20), 2), M{"MsgSeq": i}), nil)
		}
		bob := s.Login(t, "bob")
		seen, last := map[string]bool{}, int64(1500000000)
		for pages := 0; ; pages++ {
			texts, complete, cursor := clientPage(t, bob, "alice", M{"LastMsgTime": last, "GetDirection": 1, "MaxCnt": 16})
			for _, text := range texts {
				seen[text] = true
			}
			if complete == 1 {
				break
			}
			if last = cursor["LastMsgTime"].(int64); pages > 10 {
				t.Fatal("it never ends")
			}
		}
		if len(seen) != 60 {
			t.Errorf("%d messages came, want 60", len(seen))
		}
	})
}

// Without WithRecalledMsg the recalled ones are left out, and the reader's cursor goes on behind them.
func TestClientHistoryWithoutRecalled(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "one")
		sent := s.Send(t, "alice", "bob", "two")
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)
		bob := s.Login(t, "bob")
		if texts, _, _ := clientPage(t, bob, "alice", nil); !slices.Equal(texts, []string{"one", "two"}) {
			t.Errorf("with recalled messages bob reads %v", texts)
		}
		texts, _, next := clientPage(t, bob, "alice", M{"WithRecalledMsg": 0, "MaxCnt": 1})
		more, complete, _ := clientPage(t, bob, "alice", With(next, M{"WithRecalledMsg": 0, "MaxCnt": 1}))
		if len(texts) != 0 || !slices.Equal(more, []string{"one"}) || complete != 1 {
			t.Errorf("without them bob reads %v and then %v, complete %d", texts, more, complete)
		}
	})
}

func TestClientHistoryRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"Peer_Account missing", M{"MaxCnt": 15}, 90003},
			{"Peer_Account unknown", M{"Peer_Account": "nobody", "MaxCnt": 15}, 20003},
			{"MsgKey garbage", M{"Peer_Account": "alice", "MaxCnt": 15, "MsgKey": "garbage"}, 90054},
			{"MaxCnt text", M{"Peer_Account": "alice", "MaxCnt": "15"}, 90010},
		} {
			if e := bob.Call(t, "openim.getroammsg", row.body, nil); e.ErrorCode != row.code || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
	})
}
