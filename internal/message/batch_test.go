package message_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// batch is a request of batchsendmsg with what it cannot do without.
func batch(from string, text string, to ...string) M {
	return magpietest.With(magpietest.Message(from, "", text), M{"To_Account": to})
}

// batchReply is what batchsendmsg answers.
type batchReply struct {
	ActionStatus string
	ErrorCode    int
	MsgKey       string
	MsgID        string `json:"MsgId"`
	ErrorList    []struct {
		To   string `json:"To_Account"`
		Code int    `json:"ErrorCode"`
	}
}

// A back end sends the same to many. Each gets a copy, under one key.
func TestBatchSend(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		var reply batchReply
		s.MustREST(t, "openim/batchsendmsg", With(batch("alice", "hi all", "bob", "carol"), M{
			"MsgSeq": 5, "MsgRandom": 6, "CloudCustomData": "mine", "IsNeedReadReceipt": 1, "SupportMessageExtension": 1,
			"ForbidCallbackControl": []string{"ForbidAfterSendMsgCallback"}, "OfflinePushInfo": M{"PushFlag": 1},
		}), &reply)
		if reply.ActionStatus != "OK" || reply.ErrorList == nil || len(reply.ErrorList) != 0 || !strings.HasPrefix(reply.MsgKey, "5_6_") {
			t.Errorf("answered %+v", reply)
		}
		for _, device := range []*magpietest.Conn{bob, carol} {
			pushes := device.Pushes(t)
			if len(pushes) != 1 || pushes[0].String() != "alice → "+device.UserID+": hi all" {
				t.Fatalf("%s was pushed %v", device.UserID, pushes)
			}
			m := pushes[0].Messages[0]
			if m.Key() != reply.MsgKey || m.CloudCustomData != "mine" || m.NeedReceipt != 1 || m.Extensible != 1 {
				t.Errorf("%s was pushed %+v", device.UserID, m)
			}
			if id := fmt.Sprintf("%s-%d-%d", m.TinyID, m.ClientTime, m.Random); id != reply.MsgID {
				t.Errorf("%s calls the message %s, the back end was told %s", device.UserID, id, reply.MsgID)
			}
			wantHistory(t, s, device.UserID, "alice", "alice → "+device.UserID+": hi all")
			wantHistory(t, s, "alice", device.UserID, "alice → "+device.UserID+": hi all")
			wantUnread(t, s, device.UserID, 1)
		}
		alice.SeesNothing(t)
		// The shared key works for each of the copies.
		for _, peer := range []string{"bob", "carol"} {
			s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": peer, "MsgKey": reply.MsgKey}, nil)
			wantUnread(t, s, peer, 0)
		}
	})
}

// The fields that say who keeps a copy work as in sendmsg, for each receiver.
func TestBatchSendFields(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		send := func(text string, more M) {
			s.MustREST(t, "openim/batchsendmsg", With(batch("alice", text, "bob", "carol"), more), nil)
		}
		send("to my devices too", M{"SyncOtherMachine": 1})
		alice.Sees(t, "alice → bob: to my devices too", "alice → carol: to my devices too")
		send("not mine", M{"SyncOtherMachine": 2})
		send("typing", M{"OnlineOnlyFlag": 1})
		send("typing more", M{"MsgLifeTime": 0})
		send("not counted", M{"SendMsgControl": []string{"NoUnread"}})
		alice.SeesNothing(t)
		bob.Sees(t, "alice → bob: to my devices too", "alice → bob: not mine", "alice → bob: typing (online only)",
			"alice → bob: typing more (online only)", "alice → bob: not counted")
		wantHistory(t, s, "bob", "alice", "alice → bob: to my devices too", "alice → bob: not mine", "alice → bob: not counted")
		wantHistory(t, s, "alice", "bob", "alice → bob: to my devices too", "alice → bob: not counted")
		wantUnread(t, s, "bob", 2)
		send("from whom", M{"From_Account": nil})
		bob.Sees(t, "administrator → bob: from whom")
	})
}

// Some receivers do not exist: the others get theirs, and the reply says whom it did not reach.
func TestBatchSendSomeError(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		var reply batchReply
		s.MustREST(t, "openim/batchsendmsg", batch("alice", "hi", "nobody", "bob", "nobody else"), &reply)
		if reply.ActionStatus != "SomeError" || reply.ErrorCode != 0 || reply.MsgKey == "" {
			t.Errorf("answered %+v, want SomeError with a key", reply)
		}
		if got := fmt.Sprint(reply.ErrorList); got != "[{nobody 70107} {nobody else 70107}]" {
			t.Errorf("ErrorList is %s", got)
		}
		bob.Sees(t, "alice → bob: hi")
	})
}

// A receiver who is named twice gets one copy; so does the sender, who may write to himself among others.
func TestBatchSendRepeated(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.MustREST(t, "openim/batchsendmsg", batch("alice", "hi", "bob", "bob", "alice", "bob"), nil)
		bob.Sees(t, "alice → bob: hi")
		wantHistory(t, s, "bob", "alice", "alice → bob: hi")
		wantHistory(t, s, "alice", "alice", "alice → alice: hi")
		wantUnread(t, s, "bob", 1)
		wantUnread(t, s, "alice", 0)
	})
}

// The same batch again within the second is the same batch.
func TestBatchSendTwice(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		var first, second batchReply
		oneSecond(t, func() {
			request := With(batch("alice", "hi", "bob", "carol"), M{"MsgSeq": 5})
			s.MustREST(t, "openim/batchsendmsg", request, &first)
			s.MustREST(t, "openim/batchsendmsg", request, &second)
			if pushes := bob.Pushes(t); len(pushes) != 1 && first.MsgKey == second.MsgKey {
				t.Errorf("bob was pushed %v", pushes)
			}
		})
		if !reflect.DeepEqual(first, second) {
			t.Errorf("answered %+v and then %+v, want the same", first, second)
		}
	})
}

// Five hundred receivers at once are the most.
func TestBatchSendToMany(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const most = 500
		names := make([]string, most)
		for i := range names {
			names[i] = fmt.Sprintf("user%03d", i)
		}
		for i := 0; i < most; i += 100 {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": names[i : i+100]}, nil)
		}
		last := s.Login(t, names[most-1])
		var reply batchReply
		s.MustREST(t, "openim/batchsendmsg", batch("alice", "hi", names...), &reply)
		if reply.ActionStatus != "OK" {
			t.Errorf("answered %+v", reply)
		}
		last.Sees(t, "alice → user499: hi")
		for _, name := range []string{names[0], names[250], names[most-1]} {
			wantHistory(t, s, name, "alice", "alice → "+name+": hi")
		}
		s.Refuses(t, "openim/batchsendmsg", batch("alice", "hi", append(names, "bob")...), 90011)
		wantHistory(t, s, "bob", "alice")
	})
}

func TestBatchSendRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for _, row := range []struct {
			name string
			more M
			code int
		}{
			{"nobody named", M{"To_Account": nil}, 90003},
			{"an empty list", M{"To_Account": []string{}}, 90003},
			{"one name instead of a list", M{"To_Account": "bob"}, 90003},
			{"numbers", M{"To_Account": []int{1}}, 90003},
			{"all unknown", M{"To_Account": []string{"nobody", ""}}, 90012},
			{"From_Account unknown", M{"From_Account": "nobody"}, 90008},
			{"MsgRandom missing", M{"MsgRandom": nil}, 90005},
			{"MsgRandom text", M{"MsgRandom": "7"}, 90005},
			{"MsgBody missing", M{"MsgBody": nil}, 90007},
			{"MsgBody empty", M{"MsgBody": []M{}}, 90002},
			{"Text missing", M{"MsgBody": []M{{"MsgType": "TIMTextElem", "MsgContent": M{}}}}, 90010},
			{"too long", M{"MsgBody": magpietest.Text(strings.Repeat("x", 12<<10))}, 90055},
			{"SyncOtherMachine 3", M{"SyncOtherMachine": 3}, 90031},
			{"MsgLifeTime negative", M{"MsgLifeTime": -1}, 90026},
			{"OfflinePushInfo text", M{"OfflinePushInfo": "push"}, 90043},
		} {
			if e := s.REST(t, "openim/batchsendmsg", With(batch("alice", row.name, "bob", "carol"), row.more), nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want FAIL and %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "openim/batchsendmsg", `{`, 90001)
		bob.SeesNothing(t)
		wantHistory(t, s, "bob", "alice")
	})
}
