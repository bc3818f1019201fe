package bundle_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

type M = magpietest.M

const (
	saves = "im_long_msg.save_relay_json_msg"
	reads = "im_long_msg.get_relay_json_msg"
)

// listOf makes the messages of a merged message, each with a text of so many bytes.
func listOf(n, bytes int) []M {
	list := make([]M, n)
	for i := range list {
		list[i] = M{"From_Account": "alice", "MsgSeq": i, "MsgBody": magpietest.Text(strings.Repeat("x", bytes))}
	}
	return list
}

// save stores messages and gives their key.
func save(t *testing.T, by *magpietest.Conn, list any) string {
	t.Helper()
	var reply struct {
		Key   string `json:"JsonMsgKey"`
		PBKey string `json:"PbMsgKey"`
	}
	by.MustCall(t, saves, M{"MsgList": list}, &reply)
	if reply.Key == "" || reply.PBKey == "" {
		t.Fatalf("answered %+v", reply)
	}
	return reply.Key
}

// read gives the messages of a key, as they came.
func read(t *testing.T, by *magpietest.Conn, key string) string {
	t.Helper()
	var reply struct{ MsgList json.RawMessage }
	by.MustCall(t, reads, M{"JsonMsgKey": key}, &reply)
	return string(reply.MsgList)
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever has the key reads what was stored, as it was stored, also after a restart; of another application nobody does, nor
// with another secret.
func TestBundle(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		other := s.App(t, 1400000002, "another key")
		alice, bob, stranger := s.Login(t, "alice"), s.Login(t, "bob"), other.Login(t, "alice")
		list := listOf(20, 10_000)
		key := save(t, alice, list)
		if got := read(t, bob, key); got != encoded(t, list) {
			t.Errorf("bob reads %d bytes: %.200s", len(got), got)
		}
		id, secret, _ := strings.Cut(key, "_")
		for what, unknown := range map[string]string{
			"nothing": "", "no key": "x", "no secret": id, "another secret": id + "_" + strings.Repeat("0", len(secret)), "another id": "1_" + secret,
		} {
			if e := bob.Call(t, reads, M{"JsonMsgKey": unknown}, nil); e.ErrorCode != 20022 {
				t.Errorf("%s is answered %+v", what, e)
			}
		}
		if e := stranger.Call(t, reads, M{"JsonMsgKey": key}, nil); e.ErrorCode != 20022 {
			t.Errorf("another application is answered %+v", e)
		}
		s.Restart(t)
		if got := read(t, s.Login(t, "carol"), key); got != encoded(t, list) {
			t.Errorf("after a restart there are %d bytes", len(got))
		}
	})
}

// What cannot be shown is not stored, and neither is what is more than the application may have.
func TestBundleIsBounded(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		s.Configure(t, "message.bundle_max_bytes", "40000")
		for _, row := range []struct {
			name string
			list any
			code int
		}{
			{"nothing", nil, 90010},
			{"an object", M{}, 90010},
			{"no messages", []M{}, 90010},
			{"a text", []any{"x"}, 90010},
			{"too many", listOf(301, 1), 90010},
			{"too deep", json.RawMessage(strings.Repeat("[", 40) + strings.Repeat("]", 40)), 90010},
			{"too large", listOf(2, 25_000), 80002},
		} {
			if e := alice.Call(t, saves, M{"MsgList": row.list}, nil); e.ErrorCode != row.code || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		save(t, alice, listOf(300, 1))
		s.Configure(t, "message.bundle_max_bytes", "200000", "message.bundle_total_mib", "1")
		refused := false
		for n := range 10 {
			e := alice.Call(t, saves, M{"MsgList": listOf(1, 190_000)}, nil)
			if refused = e.ErrorCode == 80002; refused && n < 4 || e.ErrorCode != 0 && !refused {
				t.Fatalf("bundle %d is answered %+v", n, e)
			}
			if refused {
				break
			}
		}
		if !refused {
			t.Error("more than a mebibyte is stored")
		}
	})
}

// A merged message that is too large to carry its messages carries their key to all who read it, in chats of both kinds.
func TestMergedMessageByKey(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		key := save(t, alice, listOf(30, 1000))
		body := []M{{"MsgType": "TIMRelayElem", "MsgContent": M{
			"Title": "t", "AbstractList": []string{"a"}, "CompatibleText": "c", "MsgNum": 30, "JsonMsgKey": key, "PbMsgKey": key, "LayersOverLimit": false,
		}}}
		alice.MustCall(t, "openim.sendmsg", M{"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgBody": body}, nil)
		var reply struct {
			MsgList []struct {
				MsgBody []struct {
					MsgContent struct {
						Key string `json:"JsonMsgKey"`
					}
				}
			}
		}
		s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 10,
			"MinTime": 0, "MaxTime": s.Now().Unix() + 10}, &reply)
		if len(reply.MsgList) != 1 || read(t, bob, reply.MsgList[0].MsgBody[0].MsgContent.Key) == "" {
			t.Errorf("bob's history is %+v", reply)
		}
	})
}
