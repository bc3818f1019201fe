package message_test

import (
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// What is refused, with the code that the documentation has for it; nobody is told, and nothing is stored.
func TestSendRefuses(t *testing.T) {
	long := func(n int) []M { return magpietest.Text(strings.Repeat("x", n)) }
	many := func(n int) []M {
		var body []M
		for range n {
			body = append(body, magpietest.Text("x")...)
		}
		return body
	}
	custom := M{"MsgType": "TIMCustomElem", "MsgContent": M{"Data": "x"}}
	rows := []struct {
		name   string
		more   M
		rest   int
		client int // 0: the client's door does not know this
	}{
		{"To_Account missing", M{"To_Account": nil}, 90003, 90003},
		{"To_Account empty", M{"To_Account": ""}, 90003, 90003},
		{"To_Account a number", M{"To_Account": 7}, 90003, 90003},
		{"To_Account a list", M{"To_Account": []string{"bob"}}, 90003, 90003},
		{"To_Account unknown", M{"To_Account": "nobody"}, 90012, 20003},
		{"To_Account too long to exist", M{"To_Account": strings.Repeat("x", 4000)}, 90012, 20003},
		{"To_Account with a NUL", M{"To_Account": "bob\x00"}, 90012, 20003},
		{"From_Account unknown", M{"From_Account": "nobody"}, 90008, 0},
		{"From_Account a number", M{"From_Account": 7}, 90008, 90008},
		{"MsgRandom missing", M{"MsgRandom": nil}, 90005, 90005},
		{"MsgRandom text", M{"MsgRandom": "7"}, 90005, 90005},
		{"MsgRandom a fraction", M{"MsgRandom": 1.5}, 90005, 90005},
		{"MsgRandom negative", M{"MsgRandom": -1}, 90005, 90005},
		{"MsgRandom beyond 32 bits", M{"MsgRandom": 4294967296}, 90005, 90005},
		{"MsgSeq text", M{"MsgSeq": "7"}, 90010, 90010},
		{"MsgSeq beyond 32 bits", M{"MsgSeq": 4294967296}, 90010, 90010},
		{"MsgTimeStamp text", M{"MsgTimeStamp": "now"}, 90006, 0},
		{"MsgTimeStamp negative", M{"MsgTimeStamp": -1}, 90006, 0},
		{"SyncOtherMachine -1", M{"SyncOtherMachine": -1}, 90031, 0},
		{"SyncOtherMachine 3", M{"SyncOtherMachine": 3}, 90031, 0},
		{"SyncOtherMachine text", M{"SyncOtherMachine": "1"}, 90031, 0},
		{"MsgLifeTime text", M{"MsgLifeTime": "60"}, 90044, 90044},
		{"MsgLifeTime negative", M{"MsgLifeTime": -1}, 90026, 90026},
		{"MsgBody missing", M{"MsgBody": nil}, 90007, 90007},
		{"MsgBody an object", M{"MsgBody": magpietest.Text("x")[0]}, 90007, 90007},
		{"MsgBody text", M{"MsgBody": "x"}, 90007, 90007},
		{"MsgBody empty", M{"MsgBody": []M{}}, 90002, 90002},
		{"MsgBody of numbers", M{"MsgBody": []int{1}}, 90002, 90002},
		{"MsgType unknown", M{"MsgBody": []M{{"MsgType": "TIMNoElem", "MsgContent": M{}}}}, 90002, 90002},
		{"MsgType missing", M{"MsgBody": []M{{"MsgContent": M{}}}}, 90002, 90002},
		{"MsgContent missing", M{"MsgBody": []M{{"MsgType": "TIMTextElem"}}}, 90002, 90002},
		{"Text missing", M{"MsgBody": []M{{"MsgType": "TIMTextElem", "MsgContent": M{}}}}, 90010, 90010},
		{"Text a number", M{"MsgBody": []M{{"MsgType": "TIMTextElem", "MsgContent": M{"Text": 1}}}}, 90010, 90010},
		{"two custom elements", M{"MsgBody": []M{custom, custom}}, 90002, 90002},
		{"too many elements", M{"MsgBody": many(101)}, 90002, 90002},
		{"too long", M{"MsgBody": long(12 << 10)}, 93000, 80002},
		{"too long with CloudCustomData", M{"MsgBody": long(6 << 10), "CloudCustomData": strings.Repeat("x", 6<<10)}, 93000, 80002},
		{"CloudCustomData too long alone", M{"CloudCustomData": strings.Repeat("x", 13<<10)}, 93000, 80002},
		{"CloudCustomData an object", M{"CloudCustomData": M{}}, 90010, 90010},
		{"OfflinePushInfo text", M{"OfflinePushInfo": "push"}, 90043, 90043},
		{"OfflinePushInfo a list", M{"OfflinePushInfo": []int{}}, 90043, 90043},
		{"PushFlag text", M{"OfflinePushInfo": M{"PushFlag": "1"}}, 90043, 90043},
		{"Title a number", M{"OfflinePushInfo": M{"Title": 1}}, 90043, 90043},
		{"SendMsgControl text", M{"SendMsgControl": "NoUnread"}, 90010, 90010},
		{"OnlineOnlyFlag text", M{"OnlineOnlyFlag": "yes"}, 90010, 90010},
		{"IsNeedReadReceipt text", M{"IsNeedReadReceipt": "yes"}, 90010, 90010},
		{"SupportMessageExtension a list", M{"SupportMessageExtension": []int{}}, 90010, 90010},
		{"ForbidCallbackControl a number", M{"ForbidCallbackControl": 1}, 90010, 90010},
	}
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		for _, row := range rows {
			s.Refuses(t, "openim/sendmsg", magpietest.With(magpietest.Message("alice", "bob", row.name), row.more), row.rest)
			if row.client != 0 {
				e := alice.Call(t, "openim.sendmsg", magpietest.With(fromClient("alice", "bob", row.name), row.more), nil)
				if e.ErrorCode != row.client || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
					t.Errorf("%s: the client is answered %+v, want %d", row.name, e, row.client)
				}
			}
			if t.Failed() {
				t.Fatalf("in the row %q", row.name)
			}
		}
		for _, body := range []string{`[]`, `7`, `"text"`, `{"To_Account"`, `{"MsgRandom":1,"MsgRandom":2}`} {
			s.Refuses(t, "openim/sendmsg", body, map[bool]int{true: 90001, false: 90010}[body[0] == '{'])
		}
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		wantHistory(t, s, "bob", "alice")
		wantConversations(t, s, "bob")
		wantUnread(t, s, "bob", 0)
	})
}

// The longest message that is taken: elements and CloudCustomData together as large as the application allows.
func TestSendLongest(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		frame := len(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}]`)
		const custom = 1000
		text := strings.Repeat("x", 12<<10-frame-custom)
		s.SendWith(t, magpietest.Message("alice", "bob", text), M{"CloudCustomData": strings.Repeat("y", custom)})
		bob.Sees(t, "alice → bob: "+text)
		s.Refuses(t, "openim/sendmsg", magpietest.With(magpietest.Message("alice", "bob", text+"x"),
			M{"CloudCustomData": strings.Repeat("y", custom)}), 93000)
	})
}
