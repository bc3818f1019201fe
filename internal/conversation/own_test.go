package conversation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// An account deletes messages for itself, by either door: it does not see them any more, they do not count, and its list shows the
// one before. The other one notices nothing.
func TestDeleteMessages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		var keys []string
		for i, text := range []string{"one", "two", "three", "four"} {
			keys = append(keys, s.SendWith(t, magpietest.Message([]string{"alice", "bob"}[i%2], []string{"bob", "alice"}[i%2], text), M{"MsgSeq": i + 1}).MsgKey)
		}
		keys = append(keys, s.SendWith(t, magpietest.Message("alice", "bob", "five"), M{"MsgSeq": 5}).MsgKey)
		for _, c := range []*magpietest.Conn{alice, bob} {
			c.Pushes(t)
		}
		want := func(viewer, peer, line string, unreadOnes int, texts ...string) {
			t.Helper()
			if got := reads(t, s, viewer, peer); !slices.Equal(got, texts) {
				t.Errorf("%s reads %q, want %q", viewer, got, texts)
			}
			if n := unread(t, s, viewer); n != unreadOnes {
				t.Errorf("%s has %d unread, want %d", viewer, n, unreadOnes)
			}
			wantGroups(t, map[string]*magpietest.Conn{"alice": alice, "bob": bob}[viewer], line)
		}
		want("bob", "alice", "alice: 5 five, 3 unread", 3, "one", "two", "three", "four", "five")
		bob.MustCall(t, "openim.delete_c2c_msg_ramble", M{"From_Account": "bob", "To_Account": "alice", "MsgKeyList": []string{keys[4], keys[2]}}, nil)
		want("bob", "alice", "alice: 4 four, 1 unread", 1, "one", "two", "four")
		var reply struct {
			Invalid []string `json:"InvalidMsgKeyList"`
		}
		s.MustREST(t, "openim/delete_c2c_msg_ramble", M{"Operator_Account": "bob", "Peer_Account": "alice", "MsgKeyList": []string{keys[3], "x", keys[4], "9_9_9"}}, &reply)
		want("bob", "alice", "alice: 2 two, 1 unread", 1, "one", "two")
		if !slices.Equal(reply.Invalid, []string{"x"}) {
			t.Errorf("invalid: %q", reply.Invalid)
		}
		want("alice", "bob", "bob: 5 five, 2 unread", 2, "one", "two", "three", "four", "five")
		// A recall of what is deleted, or read, settles nothing twice.
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": keys[2]}, nil)
		if n := unread(t, s, "bob"); n != 1 {
			t.Errorf("after the recall bob has %d unread, want 1", n)
		}
		bob.MustCall(t, "openim.delete_c2c_msg_ramble", M{"From_Account": "bob", "To_Account": "alice", "MsgKeyList": keys[:2]}, nil)
		want("bob", "alice", "alice: 0 nothing, 0 unread", 0)
		s.SendWith(t, magpietest.Message("alice", "bob", "six"), M{"MsgSeq": 6})
		want("bob", "alice", "alice: 6 six, 1 unread", 1, "six")
		for name, body := range map[string]M{
			"no keys": {"To_Account": "alice"}, "too many": {"To_Account": "alice", "MsgKeyList": slices.Repeat(keys, 7)}, "nobody": {"To_Account": "nobody", "MsgKeyList": keys},
		} {
			if e := bob.Call(t, "openim.delete_c2c_msg_ramble", body, nil); e.ErrorCode == 0 {
				t.Errorf("%s: answered %+v", name, e)
			}
		}
	})
}

// A member deletes messages of a group for itself; all others see them as before.
func TestDeleteMessagesOfGroup(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		for _, text := range []string{"one", "three", "fifth"} {
			say(t, s, id, "alice: "+text, nil)
		}
		history := func(c *magpietest.Conn) string {
			var page struct {
				Messages []struct {
					MsgSeq     int
					IsPlaceMsg int
					Body       json.RawMessage `json:"MsgBody"`
				} `json:"RspMsgList"`
				Invisible []int `json:"InvisibleMsgSeq"`
			}
			c.MustCall(t, "group_open_http_svc.group_msg_get", M{"GroupId": id, "ReqMsgNumber": 20}, &page)
			var lines []string
			for _, one := range page.Messages {
				item := magpietest.Item{Body: one.Body}
				if one.IsPlaceMsg == 0 {
					lines = append(lines, fmt.Sprint(one.MsgSeq, " ", item.Text()))
				}
			}
			return fmt.Sprint(lines, page.Invisible)
		}
		remove := func(sequences ...string) {
			t.Helper()
			bob.MustCall(t, "group_open_http_svc.delete_group_ramble_msg_by_seq", M{"GroupId": id, "Deleter_Account": "bob", "Seqs": sequences}, nil)
		}
		remove("3", "99")
		if got := history(bob); got != "[2 three 1 one] [3]" {
			t.Errorf("bob reads %s", got)
		}
		wantGroups(t, bob, id+": 2 three, 2 unread")
		remove("3", "2", "1")
		wantGroups(t, bob, id+": 3 nothing, 0 unread")
		wantGroups(t, alice, id+": 3 fifth, 0 unread")
		if got := history(alice); got != "[3 fifth 2 three 1 one] []" {
			t.Errorf("alice reads %s", got)
		}
		say(t, s, id, "alice: sixth!", nil)
		wantGroups(t, bob, id+": 4 sixth!, 1 unread")
		for _, body := range []M{{"GroupId": id}, {"GroupId": id, "Seqs": []string{"x"}}, {"GroupId": id, "Seqs": slices.Repeat([]string{"1"}, 101)}, {"GroupId": "nowhere", "Seqs": []string{"1"}}} {
			if e := bob.Call(t, "group_open_http_svc.delete_group_ramble_msg_by_seq", body, nil); e.ErrorCode == 0 {
				t.Errorf("%v: answered %+v", body, e)
			}
		}
	})
}
