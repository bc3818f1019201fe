package robot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// inGroup runs a scenario with a group of alice's, in which bob and the robot are.
func inGroup(t *testing.T, tell func(t *testing.T, s *magpietest.Server, id string)) {
	t.Helper()
	told(t, func(t *testing.T, s *magpietest.Server) {
		tell(t, s, teamOf(t, s))
	})
}

// teamOf makes the group.
func teamOf(t *testing.T, s *magpietest.Server) string {
	t.Helper()
	var made struct {
		ID string `json:"GroupId"`
	}
	s.MustREST(t, "group_open_http_svc/create_group", M{
		"Type": "Public", "Name": "team", "Owner_Account": "alice",
		"MemberList": []M{{"Member_Account": "bob"}, {"Member_Account": robot}},
	}, &made)
	return made.ID
}

func groupChunk(id, text, key string) M {
	return magpietest.With(chunk(text, key), M{"To_Account": nil, "GroupId": id})
}

// seenInGroup is what was pushed of the group's messages, in order.
func seenInGroup(t *testing.T, c *magpietest.Conn) (all []shown) {
	t.Helper()
	type message struct {
		From    string          `json:"From_Account"`
		Body    json.RawMessage `json:"MsgBody"`
		Version int             `json:"MsgVersion"`
	}
	for _, push := range c.Pushes(t) {
		var of struct {
			New    []message `json:"GroupMsgArray"`
			Edited []message `json:"GroupMsgModNotifys"`
		}
		if err := json.Unmarshal(push.Raw, &of); err != nil {
			t.Fatal(err)
		}
		for _, m := range append(of.New, of.Edited...) {
			if m.From != robot {
				t.Errorf("%s says %s", m.From, m.Body)
			}
			all = append(all, read(t, m.Body, m.Version))
		}
	}
	return all
}

// An answer in a group is one message there that grows, for all members.
func TestStreamInGroup(t *testing.T) {
	inGroup(t, func(t *testing.T, s *magpietest.Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		words := strings.SplitAfter(strings.Repeat("one two ", 5), " ")
		key, text := "", ""
		for _, word := range words {
			text += word
			key = say(t, s, groupChunk(id, word, key))
		}
		say(t, s, magpietest.With(groupChunk(id, "end", key), M{"Finish": 1}))
		if key != "1" {
			t.Errorf("the key is %q, want the sequence", key)
		}
		want := shown{text + "end", true, len(words)}
		for _, c := range []*magpietest.Conn{alice, bob} {
			states := seenInGroup(t, c)
			if len(states) < 2 || states[len(states)-1] != want || states[0].version != 0 {
				t.Errorf("%s saw %+v", c.UserID, states)
			}
		}
		var page struct {
			RspMsgList []struct {
				MsgBody    json.RawMessage
				MsgVersion int
			}
		}
		s.MustREST(t, "group_open_http_svc/group_msg_get_simple", M{"GroupId": id, "ReqMsgNumber": 5}, &page)
		if len(page.RspMsgList) != 1 || read(t, page.RspMsgList[0].MsgBody, page.RspMsgList[0].MsgVersion) != want {
			t.Errorf("stored is %+v", page)
		}
	})
}

func TestStreamInGroupRefuses(t *testing.T) {
	inGroup(t, func(t *testing.T, s *magpietest.Server, id string) {
		create(t, s, "@RBT#other", nil)
		key := say(t, s, groupChunk(id, "hi", ""))
		s.MustREST(t, "group_open_http_svc/send_group_msg", M{"GroupId": id, "From_Account": robot, "Random": 1, "MsgBody": magpietest.Text("x")}, nil)
		refuses := func(what string, body M, code int) {
			t.Helper()
			t.Run(what, func(t *testing.T) { s.Refuses(t, "openim_robot_http_svc/send_stream_msg", body, code) })
		}
		refuses("an account too", magpietest.With(groupChunk(id, "x", ""), M{"To_Account": "alice"}), 10004)
		refuses("an unknown group", groupChunk("nothing", "x", ""), 10010)
		refuses("a malformed key", groupChunk(id, "x", "1_2_3"), 10004)
		refuses("an unknown key", groupChunk(id, "x", "7"), 10030)
		refuses("another robot's answer", magpietest.With(groupChunk(id, "x", key), M{"From_Account": "@RBT#other"}), 10030)
		refuses("an ordinary message", groupChunk(id, "x", "2"), 10004)
		refuses("a long end", groupChunk(id, strings.Repeat("x", 12<<10), key), 93000)
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{robot}, "MuteTime": 60}, nil)
		refuses("a muted robot", groupChunk(id, "x", key), 10017)
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{robot}, "MuteTime": 0}, nil)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 1}}}, nil)
		refuses("a recalled one", groupChunk(id, "x", key), 10030)
	})
}

// A live room stores no messages, so there is nothing in it that could grow.
func TestStreamInLiveRoom(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		var made struct {
			ID string `json:"GroupId"`
		}
		s.MustREST(t, "group_open_http_svc/create_group", M{"Type": "AVChatRoom", "Name": "live", "Owner_Account": "alice"}, &made)
		s.Refuses(t, "openim_robot_http_svc/send_stream_msg", groupChunk(made.ID, "hi", ""), 10007)
		s.Refuses(t, toGroup, magpietest.With(part(1, "x", ""), M{"To_Account": nil, "GroupId": made.ID}), 10007)
	})
}

// A robot that is muted while a piece of its answer is under way says nothing more.
func TestStreamOfWhoIsMutedMeanwhile(t *testing.T) {
	for name, with := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return dbtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &dbtest.Faults{}
			s := magpietest.Start(t, magpietest.Database(with(t)), magpietest.Faulty(faults))
			s.Import(t, "alice", "bob")
			create(t, s, robot, M{"Nick": "Jarvis"})
			id := teamOf(t, s)
			key := say(t, s, groupChunk(id, "one ", ""))
			reached, release := faults.Stall("changed_at FROM group_member WHERE group_id = ")
			defer release()
			answer := make(chan magpietest.Envelope, 1)
			go func() { answer <- s.REST(t, "openim_robot_http_svc/send_stream_msg", groupChunk(id, "two", key), nil) }()
			select {
			case <-reached:
			case <-time.After(10 * time.Second):
				t.Fatal("the piece does not look at the robot's place in the group")
			}
			s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{robot}, "MuteTime": 60}, nil)
			release()
			if e := <-answer; e.ErrorCode != 10017 {
				t.Errorf("answered %+v", e)
			}
		})
	}
}
