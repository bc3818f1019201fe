package robot_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// part is a call of send_c2c_stream_msg from alice to bob; the first one has no id.
func part(index int, text, id string) M {
	content := M{"Chunks": []M{{"EventType": "data", "Index": index, "Markdown": text, "IsLast": false}}, "CompatibleText": "an answer"}
	if id != "" {
		content["StreamMsgID"] = id
	}
	return M{"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "CloudCustomData": "mine",
		"MsgBody": []M{{"MsgType": "TIMStreamElem", "MsgContent": content}}}
}

// last makes a call the last one.
func last(call M) M {
	call["MsgBody"].([]M)[0]["MsgContent"].(M)["Chunks"].([]M)[0]["IsLast"] = true
	return call
}

const (
	toAccount = "stream_msg/send_c2c_stream_msg"
	toGroup   = "stream_msg/send_group_stream_msg"
)

// brings sends a piece and gives the message's id.
func brings(t *testing.T, s *magpietest.Server, command string, call M) string {
	t.Helper()
	var reply struct {
		ID string `json:"StreamMsgID"`
	}
	s.MustREST(t, command, call, &reply)
	if reply.ID == "" {
		t.Fatal("there is no StreamMsgID")
	}
	return reply.ID
}

// An account's answer of elements grows in one message, which says in older clients what it is, and ends with its last piece.
func TestStreamElement(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		id := brings(t, s, toAccount, part(1, "To be ", ""))
		if again := brings(t, s, toAccount, part(2, "or ", id)); again != id {
			t.Errorf("the id changed from %s to %s", id, again)
		}
		brings(t, s, toAccount, part(5, "not ", id))
		brings(t, s, toAccount, last(part(6, "to be", id)))
		const whole = "To be or not to be"
		states := seen(t, bob)
		if end := states[len(states)-1]; end != (shown{whole, true, 3}) {
			t.Errorf("bob is shown %+v", states)
		}
		for _, state := range states {
			if _, is := strings.CutPrefix(whole, state.text); !is {
				t.Errorf("bob is shown %q", state.text)
			}
		}
		var page struct {
			MsgList []struct {
				CloudCustomData string
				MsgBody         []struct{ MsgContent struct{ Desc string } }
			}
		}
		s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 10, "MinTime": 0,
			"MaxTime": 4_000_000_000}, &page)
		if len(page.MsgList) != 1 || page.MsgList[0].CloudCustomData != "mine" || page.MsgList[0].MsgBody[0].MsgContent.Desc != "an answer" {
			t.Errorf("stored is %+v", page)
		}
		s.Refuses(t, toAccount, part(7, "again", id), 10004)
		alice.Pushes(t)
	})
}

// What is no piece, or comes at the wrong place, is refused and changes nothing.
func TestStreamElementRefuses(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		id := brings(t, s, toAccount, part(1, "one", ""))
		brings(t, s, toAccount, part(2, "two", id))
		robots := say(t, s, chunk("robot", ""))
		for _, row := range []struct {
			name string
			call M
			code int
		}{
			{"the same piece", part(2, "x", id), 10004},
			{"an earlier piece", part(1, "x", id), 10004},
			{"no first piece", part(2, "x", ""), 10004},
			{"another message", part(3, "x", "1_2_3"), 20022},
			{"a robot's answer", magpietest.With(part(3, "x", robots), M{"From_Account": robot, "To_Account": "alice"}), 10004},
			{"another element", magpietest.With(part(3, "x", id), M{"MsgBody": magpietest.Text("x")}), 10004},
			{"nobody", magpietest.With(part(1, "x", ""), M{"To_Account": "nobody"}), 10004},
			{"somebody who is not there", magpietest.With(part(1, "x", ""), M{"From_Account": "nobody"}), 10004},
			{"too much", part(3, strings.Repeat("x", 20_000), id), 93000},
			{"a wrong SyncOtherMachine", magpietest.With(part(1, "x", ""), M{"SyncOtherMachine": 3}), 10004},
		} {
			t.Run(row.name, func(t *testing.T) { s.Refuses(t, toAccount, row.call, row.code) })
		}
		s.Refuses(t, "openim_robot_http_svc/send_stream_msg", magpietest.With(chunk("x", id), M{"From_Account": robot}), 20022)
		brings(t, s, toAccount, last(part(3, "three", id)))
	})
}

// A message of which no piece comes for too long has ended by itself.
func TestStreamElementEndsByItself(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		id := brings(t, s, toAccount, part(1, "one", ""))
		s.Pass(t, 15*time.Second)
		brings(t, s, toAccount, part(2, "two", id))
		bob := s.Login(t, "bob")
		s.Pass(t, 16*time.Second)
		magpietest.Eventually(t, "bob is shown the end", func() bool {
			return slices.Contains(seen(t, bob), shown{"onetwo", true, 2})
		})
		s.Refuses(t, toAccount, part(3, "three", id), 10004)
	}, magpietest.Timed())
}

// An answer in a group ends by itself also if its sender may not speak there any more: nothing more is said by it.
func TestStreamElementOfWhoIsMutedEndsByItself(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		create(t, s, robot, M{"Nick": "Jarvis"})
		group := teamOf(t, s)
		brings(t, s, toGroup, magpietest.With(part(1, "one", ""), M{"From_Account": robot, "To_Account": nil, "GroupId": group}))
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": group, "Members_Account": []string{robot}, "MuteTime": 600}, nil)
		bob := s.Login(t, "bob")
		s.Pass(t, 16*time.Second)
		magpietest.Eventually(t, "bob is shown the end", func() bool {
			return slices.Contains(seenInGroup(t, bob), shown{"one", true, 1})
		})
	}, magpietest.Timed())
}

// A repeat of the first piece, which is answered as the first was, does not keep the answer from ending.
func TestStreamElementEndsAfterARepeat(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		id := brings(t, s, toAccount, part(1, "one", ""))
		brings(t, s, toAccount, part(2, "two", id))
		if again := brings(t, s, toAccount, part(1, "one", "")); again != id {
			t.Fatalf("the repeat is answered %s, want %s", again, id)
		}
		bob := s.Login(t, "bob")
		s.Pass(t, 16*time.Second)
		magpietest.Eventually(t, "bob is shown the end", func() bool {
			return slices.Contains(seen(t, bob), shown{"onetwo", true, 2})
		})
	}, magpietest.Timed())
}

// In a group the members are shown the same, and a muted sender is refused.
func TestStreamElementInAGroup(t *testing.T) {
	inGroup(t, func(t *testing.T, s *magpietest.Server, group string) {
		bob := s.Login(t, "bob")
		to := func(call M) M {
			return magpietest.With(call, M{"From_Account": robot, "To_Account": nil, "GroupId": group})
		}
		id := brings(t, s, toGroup, to(part(1, "To be ", "")))
		brings(t, s, toGroup, to(last(part(2, "or not", id))))
		states := seenInGroup(t, bob)
		if end := states[len(states)-1]; end.text != "To be or not" || !end.finished {
			t.Errorf("bob is shown %+v", states)
		}
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": group, "Members_Account": []string{robot}, "MuteTime": 60}, nil)
		s.Refuses(t, toGroup, to(part(1, "x", "")), 10017)
		s.Refuses(t, toGroup, magpietest.With(to(part(1, "x", "")), M{"GroupId": "nowhere"}), 10010)
	})
}
