package message_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, bob and carol, who have accounts; nobody has not. They go through the
// doors of a whole server, once on each database: what the caller is answered, what the others were pushed, and what is
// in history, counters and lists afterwards. Conn.Sees also says that nothing else was pushed.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// WireMessage is a message as it is read.
	WireMessage = magpietest.Item
)

// With is magpietest.With.
func With(object, more M) M { return magpietest.With(object, more) }

// story runs a scenario in which the three have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		tell(t, s)
	})
}

// timedStory is story with a clock that the story moves.
func timedStory(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		tell(t, s)
	}, magpietest.Timed())
}

// page is the reply to admin_getroammsg.
type page struct {
	Complete    int
	MsgCnt      int
	LastMsgTime int64
	LastMsgKey  string
	MsgList     []json.RawMessage
}

const forever = 4_000_000_000

// pageOf asks for a page of the history between two accounts, as the first of them sees it.
func pageOf(t *testing.T, s *Server, viewer, peer string, more M) (page, []WireMessage) {
	t.Helper()
	var p page
	s.MustREST(t, "openim/admin_getroammsg", magpietest.With(M{
		"Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0, "MaxTime": forever,
	}, more), &p)
	items := make([]WireMessage, 0, len(p.MsgList))
	for _, raw := range p.MsgList {
		items = append(items, magpietest.ReadItem(t, raw))
	}
	if p.MsgCnt != len(items) {
		t.Errorf("MsgCnt is %d for %d messages", p.MsgCnt, len(items))
	}
	return p, items
}

// history is the newest page of the history between two accounts, as the first of them sees it.
func history(t *testing.T, s *Server, viewer, peer string) []WireMessage {
	t.Helper()
	_, items := pageOf(t, s, viewer, peer, nil)
	return items
}

// wantHistory compares the history in the viewer's eyes with lines as WireMessage.String writes them.
func wantHistory(t *testing.T, s *Server, viewer, peer string, lines ...string) {
	t.Helper()
	var got []string
	for _, item := range history(t, s, viewer, peer) {
		got = append(got, item.String())
	}
	if !slices.Equal(got, lines) {
		t.Errorf("%s reads %q, want %q", viewer, got, lines)
	}
}

// unread is how many messages an account has not read, in all.
func unread(t *testing.T, s *Server, userID string) int {
	t.Helper()
	var reply struct{ AllC2CUnreadMsgNum *int }
	s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": userID}, &reply)
	if reply.AllC2CUnreadMsgNum == nil {
		t.Fatal("no total of unread messages")
	}
	return *reply.AllC2CUnreadMsgNum
}

func wantUnread(t *testing.T, s *Server, userID string, want int) {
	t.Helper()
	if got := unread(t, s, userID); got != want {
		t.Errorf("%s has %d unread messages, want %d", userID, got, want)
	}
}

// conversations names the peers of an account's list, newest first.
func conversations(t *testing.T, s *Server, userID string) []string {
	t.Helper()
	var reply struct {
		SessionItem []struct {
			To string `json:"To_Account"`
		}
	}
	s.MustREST(t, "recentcontact/get_list", M{
		"From_Account": userID, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0, "AssistFlags": 15,
	}, &reply)
	names := []string{}
	for _, item := range reply.SessionItem {
		names = append(names, item.To)
	}
	return names
}

func wantConversations(t *testing.T, s *Server, userID string, names ...string) {
	t.Helper()
	if got := conversations(t, s, userID); !slices.Equal(got, names) {
		t.Errorf("%s has conversations with %q, want %q", userID, got, names)
	}
}

// fromClient is a request of openim.sendmsg as the web SDK makes it.
func fromClient(from, to, text string) M {
	return magpietest.With(magpietest.Message(from, to, text), M{
		"MsgSeq": 3526390001, "CloudCustomData": "", "From_AccountNick": "nick of " + from, "From_AccountHeadurl": "",
		"MsgClientTime": time.Now().Unix(), "IsNeedReadReceipt": 0, "SupportMessageExtension": 0, "IsRelayMsg": 0,
		"SendMsgControl": []string{}, "OfflinePushInfo": M{"PushFlag": 0, "Title": "", "Desc": "", "Ext": "",
			"ApnsInfo": "{}", "AndroidInfo": "{}"},
	})
}

// oneSecond runs what must happen within one second of the clock, again if it did not.
func oneSecond(t *testing.T, run func()) {
	t.Helper()
	for range 10 {
		began := time.Now().Unix()
		if run(); time.Now().Unix() == began {
			return
		}
	}
	t.Fatal("this machine never does it within one second")
}
