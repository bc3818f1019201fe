package message_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const sendCommand = "openim.sendmsg"

// codesOf takes the answers to requests that were asked one after the other. Sends into one chat, which is named, are
// answered in that order.
func codesOf(t *testing.T, c *magpietest.Conn, asked []int64, chats map[int64]string) map[int64]int {
	t.Helper()
	codes := map[int64]int{}
	last := map[string]int64{}
	for range asked {
		f := c.Next(t, "a send is answered", func(f *magpietest.Frame) bool { return f.Servcmd == sendCommand })
		var seq int64
		var body struct{ ErrorCode int }
		if _, err := fmt.Sscan(f.Seq, &seq); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(f.Body, &body); err != nil {
			t.Fatal(err)
		}
		codes[seq] = body.ErrorCode
		chat := chats[seq]
		if body.ErrorCode == 0 && seq < last[chat] {
			t.Errorf("send %d is answered after send %d", seq, last[chat])
		} else if body.ErrorCode == 0 {
			last[chat] = seq
		}
	}
	return codes
}

// A client that does not wait for its answers has its messages stored, pushed and answered in the order in which it sent
// them, whatever stands between them: refusals, repeats, sends to others. What it asks next sees them all.
func TestSendsOfAConnectionOverlap(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		const sends = 300
		var (
			asked          []int64
			stored, others []string
			refused, chats = map[int64]bool{}, map[int64]string{}
			first          = fromClient("alice", "bob", "first")
		)
		for n := range sends {
			message := fromClient("alice", "bob", fmt.Sprint(n))
			switch n % 10 {
			case 3:
				delete(message, "MsgRandom")
			case 5:
				message["To_Account"] = "carol"
				others = append(others, fmt.Sprintf("alice → carol: %d", n))
			case 7:
				message = first
			}
			if n == 0 {
				message = first
				stored = append(stored, "alice → bob: first")
			}
			asked = append(asked, alice.Ask(t, sendCommand, message))
			chats[asked[n]] = message["To_Account"].(string)
			if n%10 == 3 {
				refused[asked[n]] = true
			} else if n > 0 && n%10 != 5 && n%10 != 7 {
				stored = append(stored, fmt.Sprintf("alice → bob: %d", n))
			}
		}
		var page struct {
			MsgList []json.RawMessage
		}
		alice.MustCall(t, "openim.getroammsg", M{"Peer_Account": "bob", "MaxCnt": 5, "LastMsgTime": 0, "MsgKey": "", "Direction": 0,
			"WithRecalledMsg": 1}, &page)
		if len(page.MsgList) == 0 || !strings.Contains(string(page.MsgList[len(page.MsgList)-1]), fmt.Sprint(sends-1)) {
			t.Errorf("the next call reads %s, want the newest message last", page.MsgList)
		}
		for seq, code := range codesOf(t, alice, asked, chats) {
			if (code != 0) != refused[seq] {
				t.Errorf("send %d is answered %d", seq, code)
			}
		}
		bob.Sees(t, stored...)
		carol.Sees(t, others...)
		wantUnread(t, s, "bob", len(stored))
	})
}

// The same while the back end is asked about each message: it forbids some and swallows some, and takes its time.
func TestSendsOverlapWithCallbacks(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		back := s.BackEnd(t, "C2C.CallbackBeforeSendMsg")
		back.Answer(func(c *magpietest.Callback) (int, string) {
			switch text := string(c.Body); {
			case strings.Contains(text, "forbidden"):
				return http.StatusOK, `{"ErrorCode":1}`
			case strings.Contains(text, "swallowed"):
				return http.StatusOK, `{"ErrorCode":2}`
			}
			return http.StatusOK, magpietest.OK
		})
		const sends = 60
		var asked []int64
		var stored []string
		for n := range sends {
			text := fmt.Sprint(n)
			switch n % 6 {
			case 2:
				text = "forbidden"
			case 4:
				text = "swallowed"
			default:
				stored = append(stored, "alice → bob: "+text)
			}
			asked = append(asked, alice.Ask(t, sendCommand, fromClient("alice", "bob", text)))
		}
		for i, seq := range asked {
			body := alice.Answer(t, sendCommand, seq)
			if refused := !strings.Contains(string(body), `"ErrorCode":0,`); refused != (i%6 == 2) {
				t.Errorf("send %d is answered %s", i, body)
			}
		}
		bob.Sees(t, stored...)
	})
}
