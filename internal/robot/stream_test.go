package robot_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// told runs a scenario with alice and a robot.
func told(t *testing.T, tell func(t *testing.T, s *magpietest.Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		create(t, s, robot, M{"Nick": "Jarvis"})
		tell(t, s)
	})
}

func chunk(text, key string) M {
	request := M{"From_Account": robot, "To_Account": "alice", "Chunk": text}
	if key != "" {
		request["MsgKey"] = key
	}
	return request
}

// say streams a piece and returns the message's key.
func say(t *testing.T, s *magpietest.Server, request M) string {
	t.Helper()
	var reply struct{ MsgKey string }
	s.MustREST(t, "openim_robot_http_svc/send_stream_msg", request, &reply)
	if key := request["MsgKey"]; key != nil && key != reply.MsgKey {
		t.Errorf("the key changed from %v to %s", key, reply.MsgKey)
	}
	return reply.MsgKey
}

// shown is what a reader has of a streamed message: its text, whether it is finished, and its version.
type shown struct {
	text     string
	finished bool
	version  int
}

func read(t *testing.T, body json.RawMessage, version int) shown {
	t.Helper()
	var elements []struct {
		MsgType    string
		MsgContent struct{ Data string }
	}
	var answer struct {
		Plugin     int `json:"chatbotPlugin"`
		Source     int `json:"src"`
		Chunks     []string
		IsFinished int
	}
	err := json.Unmarshal(body, &elements)
	if err == nil && len(elements) == 1 {
		err = json.Unmarshal([]byte(elements[0].MsgContent.Data), &answer)
	}
	if err != nil || len(elements) != 1 || elements[0].MsgType != "TIMCustomElem" || answer.Plugin != 1 || answer.Source != 2 {
		t.Fatalf("no streamed message: %s (%v)", body, err)
	}
	return shown{strings.Join(answer.Chunks, ""), answer.IsFinished == 1, version}
}

// stored is the newest message between alice and the robot.
func stored(t *testing.T, s *magpietest.Server) shown {
	t.Helper()
	var page struct{ MsgList []json.RawMessage }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": "alice", "Peer_Account": robot, "MaxCnt": 1, "MinTime": 0,
		"MaxTime": 4_000_000_000}, &page)
	item := magpietest.ReadItem(t, page.MsgList[0])
	return read(t, item.Body, item.Version)
}

// seen is what was pushed, in order.
func seen(t *testing.T, c *magpietest.Conn) (all []shown) {
	t.Helper()
	for _, push := range c.Pushes(t) {
		var edits struct {
			List []struct {
				MsgBody    json.RawMessage
				MsgVersion int
			} `json:"C2cMsgModNotifys"`
		}
		if err := json.Unmarshal(push.Raw, &edits); err != nil {
			t.Fatal(err)
		}
		for _, item := range push.Messages {
			all = append(all, read(t, item.Body, item.Version))
		}
		for _, edit := range edits.List {
			all = append(all, read(t, edit.MsgBody, edit.MsgVersion))
		}
	}
	return all
}

// An answer is one message that grows. Every piece is stored when it is acknowledged; the reader is shown fewer states
// than there were pieces, each longer than the one before, and the last one at once.
func TestStream(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		words := strings.SplitAfter(strings.Repeat("one two three ", 30), " ")
		key, text := "", ""
		began := time.Now()
		for n, word := range words {
			text += word
			key = say(t, s, chunk(word, key))
			if got := stored(t, s); got != (shown{text, false, n}) {
				t.Fatalf("after piece %d: stored %+v, want %q", n, got, text)
			}
		}
		say(t, s, magpietest.With(chunk("end", key), M{"Finish": 1}))
		paces := int(time.Since(began)/(150*time.Millisecond)) + 1
		states := seen(t, alice)
		last := states[len(states)-1]
		if last != (shown{text + "end", true, len(words)}) || len(states) > paces+2 || len(states) < 2 {
			t.Errorf("alice saw %d states in %d paces, the last %+v", len(states), paces, last)
		}
		for n := 1; n < len(states); n++ {
			if !strings.HasPrefix(states[n].text, states[n-1].text) || states[n].version <= states[n-1].version {
				t.Errorf("state %d is %+v after %+v", n, states[n], states[n-1])
			}
		}
		alice.SeesNothing(t)
	})
}

// An answer that stops growing is shown to its end, also if nobody finishes it.
func TestStreamThatPauses(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		key := say(t, s, chunk("a", ""))
		say(t, s, chunk("b", key))
		say(t, s, chunk("c", key))
		var last shown
		magpietest.Eventually(t, "alice is shown all of it", func() bool {
			for _, state := range seen(t, alice) {
				last = state
			}
			return last.text == "abc"
		})
		say(t, s, magpietest.With(chunk("", key), M{"Finish": 1}))
		if states := seen(t, alice); len(states) != 1 || states[0] != (shown{"abc", true, 3}) {
			t.Errorf("after the end alice sees %+v", states)
		}
	})
}

// One call makes a whole answer.
func TestStreamAtOnce(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		key := say(t, s, magpietest.With(chunk("all", ""), M{"Finish": 1}))
		if states := seen(t, alice); len(states) != 1 || states[0] != (shown{"all", true, 0}) {
			t.Errorf("alice sees %+v", states)
		}
		s.Refuses(t, "openim_robot_http_svc/send_stream_msg", chunk("more", key), 10004)
	})
}

func TestStreamRefuses(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		text := s.Send(t, robot, "alice", "an ordinary message")
		foreign := s.SendWith(t, magpietest.Message(robot, "alice", ""), M{"MsgBody": []M{
			{"MsgType": "TIMCustomElem", "MsgContent": M{"Data": "{}"}}}})
		key := say(t, s, chunk("hi", ""))
		long := strings.Repeat("x", 12<<10)
		for _, row := range []struct {
			name string
			body M
			code int
		}{
			{"no robot", magpietest.With(chunk("x", ""), M{"From_Account": "bob"}), 10004},
			{"an unknown robot", magpietest.With(chunk("x", ""), M{"From_Account": "@RBT#no"}), 10004},
			{"an unknown receiver", magpietest.With(chunk("x", ""), M{"To_Account": "nobody"}), 10004},
			{"no receiver", magpietest.With(chunk("x", ""), M{"To_Account": nil}), 10004},
			{"no chunk", magpietest.With(chunk("x", ""), M{"Chunk": nil}), 10004},
			{"a chunk that is no text", magpietest.With(chunk("x", ""), M{"Chunk": 7}), 10004},
			{"a malformed key", chunk("x", "no key"), 10004},
			{"an unknown key", chunk("x", "1_2_3"), 20022},
			{"somebody else's message", magpietest.With(chunk("x", key), M{"To_Account": "bob"}), 20022},
			{"an ordinary message", chunk("x", text.MsgKey), 10004},
			{"another custom message", chunk("x", foreign.MsgKey), 10004},
			{"a long beginning", chunk(long, ""), 93000},
			{"a long end", chunk(long, key), 93000},
		} {
			t.Run(row.name, func(t *testing.T) { s.Refuses(t, "openim_robot_http_svc/send_stream_msg", row.body, row.code) })
		}
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": robot, "To_Account": "alice", "MsgKey": key}, nil)
		s.Refuses(t, "openim_robot_http_svc/send_stream_msg", chunk("x", key), 20023)
	})
}

// A restart loses nothing of an answer, and the back end just goes on.
func TestStreamOverARestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Import(t, "alice", "bob")
		create(t, s, robot, M{"Nick": "Jarvis"})
		key := say(t, s, chunk("before ", ""))
		say(t, s, chunk("and ", key))
		s.Restart(t)
		alice := s.Login(t, "alice")
		say(t, s, magpietest.With(chunk("after", key), M{"Finish": 1}))
		want := shown{"before and after", true, 2}
		if states := seen(t, alice); len(states) != 1 || states[0] != want || stored(t, s) != want {
			t.Errorf("alice sees %+v, stored is %+v", states, stored(t, s))
		}
	})
}

// Pieces that come to different nodes are one answer, in the order in which the back end sent them.
func TestStreamOnTwoNodes(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	var nodes []*magpietest.Server
	for range 2 {
		nodes = append(nodes, magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL())))
	}
	nodes[0].Import(t, "alice")
	create(t, nodes[0], robot, nil)
	alice := nodes[1].Login(t, "alice")
	key, text := "", ""
	for n := range 40 {
		word := fmt.Sprint(n, " ")
		text += word
		key = say(t, nodes[n%2], chunk(word, key))
	}
	say(t, nodes[0], magpietest.With(chunk("end", key), M{"Finish": 1}))
	if got := stored(t, nodes[1]); got != (shown{text + "end", true, 40}) {
		t.Errorf("stored %+v", got)
	}
	// The nodes' announcements may overtake each other; a device keeps the newest version.
	magpietest.Eventually(t, "alice is shown the end", func() bool {
		return slices.ContainsFunc(seen(t, alice), func(s shown) bool { return s == shown{text + "end", true, 40} })
	})
}

// A back end may stream by itself, with sendmsg and modify_c2c_msg.
func TestStreamByEditing(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		sent := s.Send(t, robot, "alice", "hello")
		for _, text := range []string{"hello, ", "hello, world"} {
			s.MustREST(t, "openim/modify_c2c_msg", M{"From_Account": robot, "To_Account": "alice", "MsgKey": sent.MsgKey,
				"MsgBody": magpietest.Text(text)}, nil)
		}
		line := robot + " → alice: " + sent.MsgKey + " is now "
		alice.Sees(t, robot+" → alice: hello", line+"hello, , version 1", line+"hello, world, version 2")
	})
}

// A back end that cuts its text by UTF-16 units, as JavaScript does, may cut a character in two: the reader gets it whole,
// whatever the pieces. A half that stays alone is U+FFFD.
func TestStreamOfHalves(t *testing.T) {
	told(t, func(t *testing.T, s *magpietest.Server) {
		for _, row := range []struct {
			pieces []string
			want   string
		}{
			{[]string{`so \ud83d`, `\ude00 far`}, "so 😀 far"},
			{[]string{`\ud83d`, `\ude00`}, "😀"},
			{[]string{`\ud83d`, ``, `\ude00`}, "😀"},
			{[]string{`\ud83d\ude00\ud83d`, `\ude01\ud83d`, `\ude02`}, "😀😁😂"},
			{[]string{`a\ud83d`, `b`}, "a\uFFFDb"},
			{[]string{`a\ud83d`, `\ud83d`, `\ude00`}, "a\uFFFD😀"},
			{[]string{`\ude00a`, `b\ud83d`}, "\uFFFDab\uFFFD"},
			{[]string{`a\\ud83d`, `\\ude00`}, `a\ud83d\ude00`},
		} {
			key := ""
			for n, piece := range row.pieces {
				finish := 0
				if n == len(row.pieces)-1 {
					finish = 1
				}
				var reply struct{ MsgKey string }
				s.MustREST(t, "openim_robot_http_svc/send_stream_msg", fmt.Sprintf(
					`{"From_Account":%q,"To_Account":"alice","Chunk":"%s","MsgKey":%q,"Finish":%d}`, robot, piece, key, finish), &reply)
				key = reply.MsgKey
			}
			if got := stored(t, s); got.text != row.want || !got.finished {
				t.Errorf("%q: stored %+v, want %q", row.pieces, got, row.want)
			}
		}
	})
}
