package message_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// A back end sends for alice to bob. This is the whole of what a message looks like.
func TestSend(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		began := time.Now().Unix()
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "hi 中文😀"), M{
			"MsgSeq": 4294967295, "MsgRandom": 4294967294, "CloudCustomData": "mine", "SupportMessageExtension": 1,
			"IsNeedReadReceipt": 1,
		})
		if sent.MsgTime < began || sent.MsgTime > time.Now().Unix() {
			t.Errorf("MsgTime is %d, want now", sent.MsgTime)
		}
		if want := fmt.Sprintf("4294967295_4294967294_%d", sent.MsgTime); sent.MsgKey != want {
			t.Errorf("MsgKey is %q, want %q", sent.MsgKey, want)
		}

		pushes := bob.Pushes(t)
		if len(pushes) != 1 || len(pushes[0].Messages) != 1 || pushes[0].Event != 9 || pushes[0].Servcmd != "im_open_push.msg_push" {
			t.Fatalf("bob was pushed %v, want one message", pushes)
		}
		got := pushes[0].Messages[0]
		want := WireMessage{
			From: "alice", To: "bob", Seq: 4294967295, Random: 4294967294, Time: sent.MsgTime, ClientTime: got.ClientTime,
			TinyID: alice.Session.TinyID, ClientSeq: 4294967295, Nick: "nick of alice",
			Body:            []byte(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi 中文😀"}}]`),
			CloudCustomData: "mine", NeedReceipt: 1, Extensible: 1,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("bob was pushed\n%+v, want\n%+v", got, want)
		}
		if got.ClientTime < began || got.ClientTime > sent.MsgTime {
			t.Errorf("MsgClientTime is %d, want %d: a back end has no clock of its own here", got.ClientTime, sent.MsgTime)
		}
		if id := fmt.Sprintf("%s-%d-%d", got.TinyID, got.ClientTime, got.Random); sent.MsgID != id {
			t.Errorf("MsgId is %q, and clients call the message %q", sent.MsgID, id)
		}

		want.MsgKey = sent.MsgKey
		for _, viewer := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
			if stored := history(t, s, viewer[0], viewer[1]); len(stored) != 1 || !reflect.DeepEqual(stored[0], want) {
				t.Errorf("%s reads\n%+v, want\n%+v", viewer[0], stored, want)
			}
		}
		alice.SeesNothing(t)
		carol.SeesNothing(t)
		wantUnread(t, s, "bob", 1)
		wantUnread(t, s, "alice", 0)
		wantConversations(t, s, "alice", "bob")
		wantConversations(t, s, "bob", "alice")
		wantConversations(t, s, "carol")
	})
}

// The same at the other door. All devices of the two follow, but the one that sent.
func TestSendFromClient(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const phone = 2
		alice, alicePhone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(phone))
		bob, bobPhone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(phone))
		request := fromClient("alice", "bob", "hi")
		request["MsgClientTime"] = 1795238798
		var sent magpietest.Sent
		alice.MustCall(t, "openim.sendmsg", request, &sent)
		if sent.MsgTime < time.Now().Unix()-2 {
			t.Errorf("MsgTime is %d, want the server's", sent.MsgTime)
		}
		for _, device := range []*magpietest.Conn{bob, bobPhone, alicePhone} {
			pushes := device.Pushes(t)
			if len(pushes) != 1 || pushes[0].String() != "alice → bob: hi" {
				t.Fatalf("%s was pushed %v", device.UserID, pushes)
			}
			// Clients build a message's id of these three, so they stay for ever.
			m := pushes[0].Messages[0]
			if m.TinyID != alice.Session.TinyID || m.ClientTime != 1795238798 || m.Random != int64(request["MsgRandom"].(uint32)) {
				t.Errorf("%s was pushed %+v", device.UserID, m)
			}
			if m.Time != sent.MsgTime {
				t.Errorf("%s was pushed %+v", device.UserID, m)
			}
		}
		alice.SeesNothing(t)
		wantHistory(t, s, "alice", "bob", "alice → bob: hi")
		wantUnread(t, s, "bob", 1)
	})
}

// A client sends as the one who is logged in, whatever it writes.
func TestClientSendsAsItself(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		s.MustREST(t, "profile/portrait_set", M{"From_Account": "alice", "ProfileItem": []M{
			{"Tag": "Tag_Profile_IM_Image", "Value": "http://x/alice.png"}}}, nil)
		bob := s.Login(t, "bob")
		alice.MustCall(t, "openim.sendmsg", With(fromClient("carol", "bob", "guess who"), M{"MsgClientTime": 1795238798000,
			"From_AccountNick": "Customer Service", "From_AccountHeadurl": "http://x/official.png", "TinyId": "1", "MsgTimeStamp": 1,
			"MsgTime": 1, "IsPeerRead": 1, "MsgVersion": 7, "MsgFlagBits": 8, "RevokerInfo": M{"Revoker_Account": "carol"},
		}), nil)
		wantHistory(t, s, "bob", "alice", "alice → bob: guess who")
		for _, m := range append(history(t, s, "bob", "alice"), bob.Pushes(t)[0].Messages[0]) {
			if m.From != "alice" || m.Nick != "nick of alice" || m.FaceURL != "http://x/alice.png" || m.TinyID != alice.Session.TinyID ||
				m.Time < time.Now().Unix()-60 || m.ClientTime < m.Time-60 || m.ClientTime > m.Time+60 || m.PeerRead != 0 || m.Version != 0 || m.FlagBits != 0 {
				t.Errorf("bob reads %+v", m)
			}
		}
		wantHistory(t, s, "bob", "carol")
	})
}

// What the optional fields do: who is pushed, who finds it in history, what is counted, whose list moves. Each row has a
// sender and a receiver of its own.
func TestSendFields(t *testing.T) {
	type outcome struct {
		sender, receiver           bool // pushed
		online                     bool // for online devices only
		senderReads, receiverReads bool
		unread                     int
		senderHas, receiverHas     bool // the conversation
	}
	usual := outcome{receiver: true, senderReads: true, receiverReads: true, unread: 1, senderHas: true, receiverHas: true}
	online := outcome{receiver: true, online: true}
	rows := []struct {
		name string
		more M
		want func(o *outcome)
	}{
		{"SyncOtherMachine absent", M{}, func(*outcome) {}},
		{"the zero values of a typed language", M{"SyncOtherMachine": 0, "MsgTimeStamp": 0, "SendMsgControl": []string{},
			"ForbidCallbackControl": []string{}, "CloudCustomData": "", "OnlineOnlyFlag": 0, "IsNeedReadReceipt": 0}, func(*outcome) {}},
		{"SyncOtherMachine 1", M{"SyncOtherMachine": 1}, func(o *outcome) { o.sender = true }},
		{"SyncOtherMachine 2", M{"SyncOtherMachine": 2}, func(o *outcome) { o.senderReads, o.senderHas = false, false }},
		{"OnlineOnlyFlag 0", M{"OnlineOnlyFlag": 0}, func(*outcome) {}},
		{"OnlineOnlyFlag 1", M{"OnlineOnlyFlag": 1}, func(o *outcome) { *o = online }},
		{"OnlineOnlyFlag 1, to the sender too", M{"OnlineOnlyFlag": 1, "SyncOtherMachine": 1}, func(o *outcome) {
			*o = online
			o.sender = true
		}},
		{"MsgLifeTime 0", M{"MsgLifeTime": 0}, func(o *outcome) { *o = online }},
		{"MsgLifeTime 1", M{"MsgLifeTime": 1}, func(*outcome) {}},
		{"MsgLifeTime seven days", M{"MsgLifeTime": 604800}, func(*outcome) {}},
		{"MsgLifeTime more, which is taken as seven days", M{"MsgLifeTime": 604801}, func(*outcome) {}},
		{"NoUnread", M{"SendMsgControl": []string{"NoUnread"}}, func(o *outcome) { o.unread = 0 }},
		{"NoLastMsg", M{"SendMsgControl": []string{"NoLastMsg"}}, func(o *outcome) { o.senderHas, o.receiverHas = false, false }},
		{"both controls", M{"SendMsgControl": []string{"NoLastMsg", "NoUnread"}}, func(o *outcome) {
			o.senderHas, o.receiverHas, o.unread = false, false, 0
		}},
		{"controls of what is not built", M{"SendMsgControl": []string{"WithMuteNotifications", "NoMsgCheck"}}, func(*outcome) {}},
		{"no controls", M{"SendMsgControl": []string{}}, func(*outcome) {}},
		{"ForbidCallbackControl", M{"ForbidCallbackControl": []string{"ForbidBeforeSendMsgCallback"}}, func(*outcome) {}},
		{"OfflinePushInfo", M{"OfflinePushInfo": M{"PushFlag": 0, "Title": "t", "Desc": "d", "Ext": "e",
			"AndroidInfo": M{"Sound": "a.mp3"}, "ApnsInfo": M{"BadgeMode": 1}}}, func(*outcome) {}},
		{"a field that nobody documents", M{"Whatever": M{"deep": []int{1}}}, func(*outcome) {}},
		{"null instead of what is optional", M{"MsgSeq": null, "CloudCustomData": null, "OfflinePushInfo": null,
			"SendMsgControl": null, "SyncOtherMachine": null, "MsgLifeTime": null, "OnlineOnlyFlag": null,
			"IsNeedReadReceipt": null}, func(*outcome) {}},
		{"MsgTimeStamp of now", M{"MsgTimeStamp": time.Now().Unix()}, func(*outcome) {}},
	}
	story(t, func(t *testing.T, s *Server) {
		for n, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				sender, receiver := fmt.Sprint("sender", n), fmt.Sprint("receiver", n)
				s.Import(t, sender, receiver)
				from, to := s.Login(t, sender), s.Login(t, receiver)
				want := usual
				row.want(&want)
				s.SendWith(t, magpietest.Message(sender, receiver, "hi"), row.more)
				line := sender + " → " + receiver + ": hi"
				pushed := line
				if want.online {
					pushed += " (online only)"
				}
				from.Sees(t, only(want.sender, pushed)...)
				to.Sees(t, only(want.receiver, pushed)...)
				wantHistory(t, s, sender, receiver, only(want.senderReads, line)...)
				wantHistory(t, s, receiver, sender, only(want.receiverReads, line)...)
				wantUnread(t, s, receiver, want.unread)
				wantUnread(t, s, sender, 0)
				wantConversations(t, s, sender, only(want.senderHas, receiver)...)
				wantConversations(t, s, receiver, only(want.receiverHas, sender)...)
			})
		}
	})
}

// only is a list of one line, or of none.
func only(there bool, line string) []string {
	if there {
		return []string{line}
	}
	return nil
}

// The controls are told to the receiver, whose client counts by itself.
func TestSendControlIsPushed(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.SendWith(t, magpietest.Message("alice", "bob", "hi"), M{"SendMsgControl": []string{"NoUnread"}})
		m := bob.Pushes(t)[0].Messages[0]
		if m.Control == nil || m.Control.NoUnread != 1 || m.Control.NoLastMsg != 0 {
			t.Errorf("SendMsgControl is %+v, want NoUnread", m.Control)
		}
		s.SendWith(t, magpietest.Message("alice", "bob", "hi"), nil)
		if m := bob.Pushes(t)[0].Messages[0]; m.Control != nil {
			t.Errorf("SendMsgControl is %+v, want none", m.Control)
		}
	})
}

// A message without a sender comes from the administrator who calls.
func TestSendAsAdministrator(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.SendWith(t, magpietest.Message("", "bob", "news"), M{"From_Account": nil})
		s.SendWith(t, magpietest.Message("", "bob", "more news"), nil)
		bob.Sees(t, "administrator → bob: news", "administrator → bob: more news")
	})
}

// MsgSeq may be left out: the server draws one, and it stays the message's.
func TestSendDrawsSeq(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		drawn := map[int64]bool{}
		for range 5 {
			sent := s.SendWith(t, magpietest.Message("alice", "bob", "hi"), nil)
			m := bob.Pushes(t)[0].Messages[0]
			if m.Key() != sent.MsgKey || drawn[m.Seq] || m.Seq < 0 || m.Seq > 4294967295 {
				t.Errorf("MsgSeq %d, key %s, want a fresh one that is in the key", m.Seq, sent.MsgKey)
			}
			drawn[m.Seq] = true
		}
	})
}

// The server's time is the message's, also when the back end copied the example of some documentation.
func TestMsgTimeStampIsNotTheTime(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for i, stamp := range []int64{1557387418, time.Now().Unix() - 5, time.Now().Unix() + 3600, 0} {
			text := fmt.Sprint("message ", i)
			sent := s.SendWith(t, magpietest.Message("alice", "bob", text), M{"MsgTimeStamp": stamp, "MsgSeq": 1, "MsgRandom": i})
			if now := time.Now().Unix(); sent.MsgTime < now-2 || sent.MsgTime > now {
				t.Errorf("MsgTimeStamp %d gives MsgTime %d, want now, %d", stamp, sent.MsgTime, now)
			}
		}
		wantHistory(t, s, "bob", "alice", "alice → bob: message 0", "alice → bob: message 1", "alice → bob: message 2",
			"alice → bob: message 3")
	})
}

// Every kind of element that a client makes, alone and together, is stored in one normal form and pushed in the same.
func TestSendBodies(t *testing.T) {
	rows := []struct{ name, body, want string }{
		{"text", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a\"b\\c/\u4e2d\n"}}]`,
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a\"b\\c/中\n"}}]`},
		{"custom", `[ {"MsgType":"TIMCustomElem", "MsgContent":{"Data":"{\"k\":1}","Desc":"d","Ext":"e","Sound":"s"}} ]`,
			`[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"k\":1}","Desc":"d","Ext":"e","Sound":"s"}}]`},
		{"face", `[{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"x"}}]`, ""},
		{"location", `[{"MsgType":"TIMLocationElem","MsgContent":{"Desc":"here","Latitude":29.34,"Longitude":-116.5}}]`, ""},
		{"several", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}},{"MsgType":"TIMFaceElem","MsgContent":{"Index":6,"Data":""}},` +
			`{"MsgType":"TIMTextElem","MsgContent":{"Text":"b"}}]`, ""},
		{"the two members the other way round", `[{"MsgContent":{"Text":"a"},"MsgType":"TIMTextElem"}]`,
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]`},
		{"unknown members", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a","New":{"x":[1]}},"Also":2}]`, ""},
		{"half an emoji", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a\ud83d"}}]`,
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a` + "\uFFFD" + `"}}]`},
		{"a NUL", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a\u0000b"}}]`,
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a\u0000b"}}]`},
	}
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for _, row := range rows {
			want := row.want
			if want == "" {
				want = row.body
			}
			s.MustREST(t, "openim/sendmsg", `{"From_Account":"alice","To_Account":"bob","MsgRandom":7,"MsgBody":`+row.body+`}`, nil)
			all := history(t, s, "bob", "alice")
			for what, m := range map[string]WireMessage{"bob was pushed": bob.Pushes(t)[0].Messages[0], "bob reads": all[len(all)-1]} {
				if string(m.Body) != want {
					t.Errorf("%s: %s %s, want %s", row.name, what, m.Body, want)
				}
			}
		}
	})
}

// CloudCustomData is text beside the message, of any content.
func TestCloudCustomData(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		for _, data := range []string{"", "plain", `{"nested":{"json":[1,2]}}`, "中文😀\n\t", strings.Repeat("x", 8000)} {
			s.SendWith(t, magpietest.Message("alice", "bob", "hi"), M{"CloudCustomData": data})
			if got := bob.Pushes(t)[0].Messages[0].CloudCustomData; got != data {
				t.Errorf("CloudCustomData %.40q arrived as %.40q", data, got)
			}
		}
	})
}

// Alice writes to herself: one copy in history, on her other device, and nothing to read.
func TestSendToOneself(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, phone := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2))
		alice.MustCall(t, "openim.sendmsg", fromClient("alice", "alice", "note"), nil)
		phone.Sees(t, "alice → alice: note")
		alice.SeesNothing(t)
		wantHistory(t, s, "alice", "alice", "alice → alice: note")
		wantConversations(t, s, "alice", "alice")
		wantUnread(t, s, "alice", 0)
		s.SendWith(t, magpietest.Message("alice", "alice", "from the office"), M{"SyncOtherMachine": 1})
		alice.Sees(t, "alice → alice: from the office")
		phone.Sees(t, "alice → alice: from the office")
	})
}

// One connection's messages are stored and delivered in the order in which they were sent, also without waiting for
// answers.
func TestSendKeepsOrder(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		const messages = 90
		var want []string
		for n := range messages {
			request := With(fromClient("alice", "bob", fmt.Sprint(n)), M{"MsgSeq": n})
			alice.Write(t, alice.Request(t, M{"a2": alice.Session.A2Key, "seq": 1_000_000_000 + n}, "openim.sendmsg", request))
			want = append(want, "alice → bob: "+fmt.Sprint(n))
		}
		for n := range messages {
			alice.Answer(t, "openim.sendmsg", int64(1_000_000_000+n))
		}
		bob.Sees(t, want...)
		wantHistory(t, s, "bob", "alice", want...)
		wantUnread(t, s, "bob", messages)
	})
}

// Many send to one at once, through both doors: all is there, once.
func TestSendAtOnce(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const senders, each = 8, 10
		bob := s.Login(t, "bob")
		var all sync.WaitGroup
		for n := range senders {
			name := fmt.Sprint("sender", n)
			s.Import(t, name)
			conn := s.Login(t, name)
			all.Go(func() {
				for i := range each {
					request := With(fromClient(name, "bob", fmt.Sprint(i)), M{"MsgSeq": i})
					if i%2 == 0 {
						conn.MustCall(t, "openim.sendmsg", request, nil)
					} else {
						s.SendWith(t, magpietest.Message(name, "bob", fmt.Sprint(i)), nil)
					}
				}
			})
		}
		all.Wait()
		if got := len(bob.Pushes(t)); got != senders*each {
			t.Errorf("bob was pushed %d messages, want %d", got, senders*each)
		}
		for n := range senders {
			items := history(t, s, "bob", fmt.Sprint("sender", n))
			for i := range items {
				if items[i].Text() != fmt.Sprint(i) {
					t.Errorf("sender %d: message %d says %s", n, i, items[i].Text())
				}
			}
			if len(items) != each {
				t.Errorf("sender %d: %d messages, want %d", n, len(items), each)
			}
		}
		wantUnread(t, s, "bob", senders*each)
	})
}

// null is a member that is there and says nothing.
var null = json.RawMessage("null")
