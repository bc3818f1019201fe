package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// recallLine is how Push.String tells of a recall.
func recallLine(from, to, key, by string) string {
	return fmt.Sprintf("%s → %s: %s recalled by %s", from, to, key, by)
}

func withdraw(from, to, key string) M {
	return M{"From_Account": from, "To_Account": to, "MsgKey": key}
}

// A back end takes a message back: everybody is told, history has it marked, and it is not unread any more.
func TestAdminRecall(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "oops"), M{"SyncOtherMachine": 1})
		alice.Pushes(t)
		bob.Pushes(t)
		wantUnread(t, s, "bob", 1)
		s.MustREST(t, "openim/admin_msgwithdraw", With(withdraw("alice", "bob", sent.MsgKey), M{"Reason": "typo"}), nil)
		line := recallLine("alice", "bob", sent.MsgKey, magpietest.Admin)
		bob.Sees(t, line)
		alice.Sees(t, line)
		carol.SeesNothing(t)
		wantUnread(t, s, "bob", 0)
		for _, viewer := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
			items := history(t, s, viewer[0], viewer[1])
			if len(items) != 1 || items[0].FlagBits != 8 || items[0].Revoker.Account != magpietest.Admin || items[0].Revoker.Reason != "typo" {
				t.Errorf("%s reads %+v", viewer[0], items)
			}
		}
		// Once is enough.
		s.Refuses(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", sent.MsgKey), 20023)
		bob.SeesNothing(t)
	})
}

// What a client looks the message up with is all in the notice.
func TestRecallNotice(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		request := With(fromClient("alice", "bob", "oops"), M{"MsgClientTime": 1795238798, "MsgRandom": 5, "MsgSeq": 6})
		var sent magpietest.Sent
		alice.MustCall(t, "openim.sendmsg", request, &sent)
		bob.Pushes(t)
		alice.MustCall(t, "openim.msgwithdraw", M{"MsgInfo": M{"From_Account": "alice", "To_Account": "bob",
			"MsgTimeStamp": sent.MsgTime, "MsgSeq": 6, "MsgRandom": 5}}, nil)
		pushes := bob.Pushes(t)
		want := fmt.Sprintf(`{"Event":10,"C2cNotifyMsgArray":[{"WithdrawC2cMsgNotify":{"C2cWithdrawInfoArray":[{`+
			`"From_Account":"alice","To_Account":"bob","MsgSeq":6,"MsgRandom":5,"MsgTimeStamp":%d,"MsgClientTime":1795238798,`+
			`"TinyId":"%s","RevokerInfo":{"Revoker_Account":"alice","Reason":""}}]}}]}`, sent.MsgTime, alice.Session.TinyID)
		if len(pushes) != 1 || string(pushes[0].Raw) != want {
			t.Errorf("bob was pushed %v, want\n%s", pushes, want)
		}
	})
}

// The author's other devices learn of his recall; the one that asked does by its answer.
func TestClientRecall(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
		request := fromClient("alice", "bob", "oops")
		var sent magpietest.Sent
		alice.MustCall(t, "openim.sendmsg", request, &sent)
		phone.Pushes(t)
		bob.Pushes(t)
		info := M{"From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": sent.MsgTime,
			"MsgSeq": request["MsgSeq"], "MsgRandom": request["MsgRandom"]}
		for _, row := range []struct {
			name string
			by   *magpietest.Conn
			info M
			code int
		}{
			{"somebody else's", bob, info, 90010},
			{"somebody else's under my name", bob, With(info, M{"From_Account": "bob", "To_Account": "alice"}), 20022},
			{"another sequence", alice, With(info, M{"MsgSeq": 1}), 20022},
			{"another random", alice, With(info, M{"MsgRandom": 1}), 20022},
			{"another time", alice, With(info, M{"MsgTimeStamp": sent.MsgTime - 1}), 20022},
			{"another receiver", alice, With(info, M{"To_Account": "carol"}), 20022},
			{"an unknown receiver", alice, With(info, M{"To_Account": "nobody"}), 20003},
			{"text for a number", alice, With(info, M{"MsgSeq": "x"}), 90010},
			{"nothing", alice, M{}, 90010},
		} {
			if e := row.by.Call(t, "openim.msgwithdraw", M{"MsgInfo": row.info}, nil); e.ErrorCode != row.code || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		bob.SeesNothing(t)
		wantUnread(t, s, "bob", 1)

		alice.MustCall(t, "openim.msgwithdraw", M{"MsgInfo": info}, nil)
		line := recallLine("alice", "bob", sent.MsgKey, "alice")
		bob.Sees(t, line)
		phone.Sees(t, line)
		alice.SeesNothing(t)
		wantUnread(t, s, "bob", 0)
		if e := alice.Call(t, "openim.msgwithdraw", M{"MsgInfo": info}, nil); e.ErrorCode != 20023 {
			t.Errorf("a second time: answered %+v, want 20023", e)
		}
	})
}

// The kits on the newer web client, lite-chat, wait for the event of a recall on the author's own connection as well.
func TestRecallByTheNewerClient(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for version, told := range map[string]bool{"4.2.1": true, "10.0.0": true, "3.6.6": false, "2.27.6": false, "x": false, "": false} {
			alice := s.Login(t, "alice", magpietest.SDKVersion(version))
			for _, to := range []string{"bob", "alice"} {
				request := fromClient("alice", to, "oops")
				var sent magpietest.Sent
				alice.MustCall(t, "openim.sendmsg", request, &sent)
				alice.MustCall(t, "openim.msgwithdraw", M{"MsgInfo": M{"From_Account": "alice", "To_Account": to,
					"MsgTimeStamp": sent.MsgTime, "MsgSeq": request["MsgSeq"], "MsgRandom": request["MsgRandom"]}}, nil)
				if told {
					alice.Sees(t, recallLine("alice", to, sent.MsgKey, "alice"))
				} else {
					alice.SeesNothing(t)
				}
			}
			alice.Close()
		}
	})
}

// An author has a while to take a message back; an administrator has no such bound.
func TestRecallWindow(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		at := time.Now().Unix() - 121
		s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", "old", at, 5), M{"MsgSeq": 1, "MsgRandom": 2}), nil)
		alice.Pushes(t)
		bob.Pushes(t)
		info := M{"MsgInfo": M{"From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": at, "MsgSeq": 1, "MsgRandom": 2}}
		if e := alice.Call(t, "openim.msgwithdraw", info, nil); e.ErrorCode != 20016 {
			t.Errorf("after two minutes: answered %+v, want 20016", e)
		}
		bob.SeesNothing(t)
		s.Configure(t, "message.recall_seconds", "600")
		alice.MustCall(t, "openim.msgwithdraw", info, nil)
		key := fmt.Sprintf("1_2_%d", at)
		bob.Sees(t, recallLine("alice", "bob", key, "alice"))

		s.MustREST(t, "openim/importmsg", With(imported("alice", "bob", "ancient", 1500000000, 2), M{"MsgSeq": 1, "MsgRandom": 2}), nil)
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", "1_2_1500000000"), nil)
		bob.Sees(t, recallLine("alice", "bob", "1_2_1500000000", magpietest.Admin))
	})
}

// Only what was counted and is still unread is taken out of the count.
func TestRecallLowersUnread(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		recall := func(key string) {
			t.Helper()
			s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", key), nil)
		}
		quiet := s.SendWith(t, magpietest.Message("alice", "bob", "quiet"), M{"SendMsgControl": []string{"NoUnread"}})
		read := s.Send(t, "alice", "bob", "read")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		s.NextSecond(t)
		counted := s.Send(t, "alice", "bob", "counted")
		s.Send(t, "alice", "bob", "stays")
		wantUnread(t, s, "bob", 2)
		recall(quiet.MsgKey)
		wantUnread(t, s, "bob", 2)
		recall(read.MsgKey)
		wantUnread(t, s, "bob", 2)
		recall(counted.MsgKey)
		wantUnread(t, s, "bob", 1)
		// Bob's own message never counted for him.
		own := s.Send(t, "bob", "alice", "mine")
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("bob", "alice", own.MsgKey), nil)
		wantUnread(t, s, "bob", 1)
		wantUnread(t, s, "alice", 0)
	})
}

// Bob removed the conversation, and with it what was unread. A recall of one of those must not lower what came since.
func TestRecallAfterRemoval(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		for _, clear := range []int{0, 1} {
			old := s.Send(t, "alice", "bob", "old")
			s.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 1, "To_Account": "alice", "ClearRamble": clear}, nil)
			wantUnread(t, s, "bob", 0)
			s.Send(t, "alice", "bob", "new")
			wantUnread(t, s, "bob", 1)
			s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", old.MsgKey), nil)
			if got := unread(t, s, "bob"); got != 1 {
				t.Errorf("ClearRamble %d: %d unread messages after the recall of a removed one, want the new one", clear, got)
			}
			s.NextSecond(t)
			s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		}
	})
}

func TestAdminRecallRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		sent := s.Send(t, "alice", "bob", "hi")
		bob.Pushes(t)
		for _, row := range []struct {
			name string
			more M
			code int
		}{
			{"From_Account missing", M{"From_Account": nil}, 90008},
			{"From_Account unknown", M{"From_Account": "nobody"}, 90008},
			{"From_Account a number", M{"From_Account": 1}, 90008},
			{"To_Account missing", M{"To_Account": nil}, 90003},
			{"To_Account unknown", M{"To_Account": "nobody"}, 90003},
			{"To_Account a number", M{"To_Account": 1}, 90003},
			{"MsgKey missing", M{"MsgKey": nil}, 90054},
			{"MsgKey garbage", M{"MsgKey": "garbage"}, 90054},
			{"MsgKey of two numbers", M{"MsgKey": "1_2"}, 90054},
			{"MsgKey of four numbers", M{"MsgKey": "1_2_3_4"}, 90054},
			{"MsgKey negative", M{"MsgKey": "-1_2_3"}, 90054},
			{"MsgKey beyond all bounds", M{"MsgKey": "99999999999999999999_2_3"}, 90054},
			{"MsgKey with blanks", M{"MsgKey": " " + sent.MsgKey}, 90054},
			{"MsgKey of 60 bytes", M{"MsgKey": strings.Repeat("0", 55) + "1_2_3"}, 90054},
			{"MsgKey of no message", M{"MsgKey": "1_2_3"}, 20022},
			{"the other way round", M{"From_Account": "bob", "To_Account": "alice"}, 20022},
			{"another chat", M{"To_Account": "carol"}, 20022},
		} {
			e := s.REST(t, "openim/admin_msgwithdraw", With(withdraw("alice", "bob", sent.MsgKey), row.more), nil)
			if e.ErrorCode != row.code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want FAIL and %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "openim/admin_msgwithdraw", `{`, 90001)
		bob.SeesNothing(t)
		alice.SeesNothing(t)
		wantHistory(t, s, "bob", "alice", "alice → bob: hi")
		wantUnread(t, s, "bob", 1)
	})
}

// A message for online devices only is not kept, so there is nothing to take back.
func TestRecallOfWhatIsNotStored(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "typing"), M{"OnlineOnlyFlag": 1})
		s.Refuses(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", sent.MsgKey), 20022)
	})
}
