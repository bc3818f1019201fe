package conversation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

// story runs a scenario in which alice, bob and carol have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server), with ...magpietest.Option) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		tell(t, s)
	}, append(with, magpietest.Timed())...)
}

// cursors are what a caller echoes.
type cursors struct {
	TimeStamp, StartIndex, TopTimeStamp, TopStartIndex int64
}

func (c cursors) request(userID string) M {
	return M{"From_Account": userID, "TimeStamp": c.TimeStamp, "StartIndex": c.StartIndex, "TopTimeStamp": c.TopTimeStamp,
		"TopStartIndex": c.TopStartIndex, "AssistFlags": 15}
}

// listReply is what get_list answers.
type listReply struct {
	SessionItem []struct {
		Type    int
		To      string `json:"To_Account"`
		Group   string `json:"GroupId"`
		MsgTime int64
		TopFlag *int
	}
	CompleteFlag int
	cursors
	ErrorDisplay *string
}

// list reads an account's whole list by REST.
func list(t *testing.T, s *Server, userID string) []string {
	t.Helper()
	names := []string{}
	var next cursors
	for range 100 {
		var page listReply
		s.MustREST(t, "recentcontact/get_list", next.request(userID), &page)
		for _, item := range page.SessionItem {
			names = append(names, item.To+item.Group)
		}
		if page.CompleteFlag == 1 {
			return names
		}
		next = page.cursors
	}
	t.Fatal("the list never ends")
	return nil
}

func wantList(t *testing.T, s *Server, userID string, want ...string) {
	t.Helper()
	if got := list(t, s, userID); !slices.Equal(got, want) {
		t.Errorf("%s has conversations with %q, want %q", userID, got, want)
	}
}

// A conversation is in both lists from the first message on; the newest stands first.
func TestList(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		wantList(t, s, "alice")
		sent := s.Send(t, "alice", "bob", "hi")
		s.NextSecond(t)
		s.Send(t, "carol", "alice", "hello")
		wantList(t, s, "alice", "carol", "bob")
		wantList(t, s, "bob", "alice")
		wantList(t, s, "carol", "alice")
		s.NextSecond(t)
		again := s.Send(t, "bob", "alice", "hi again")
		wantList(t, s, "alice", "bob", "carol")

		var page listReply
		s.MustREST(t, "recentcontact/get_list", cursors{}.request("alice"), &page)
		if one := page.SessionItem[0]; one.Type != 1 || one.MsgTime != again.MsgTime || one.MsgTime <= sent.MsgTime || one.TopFlag == nil || *one.TopFlag != 0 {
			t.Errorf("the first item is %+v", one)
		}
		if page.ErrorDisplay == nil || page.CompleteFlag != 1 {
			t.Errorf("answered %+v", page)
		}
	})
}

// A long list comes in pages, each conversation once; the application says how many there are at most.
func TestListPages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const chats = 130
		names := make([]string, chats)
		for i := range names {
			names[i] = fmt.Sprintf("peer%03d", i)
		}
		for some := range slices.Chunk(names, 100) {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
		}
		// Old times, so that they are in a known order.
		for i, name := range names {
			s.MustREST(t, "openim/importmsg", magpietest.With(magpietest.Message(name, "bob", "hi"),
				M{"SyncFromOldSystem": 2, "MsgTimeStamp": 1500000000 + i}), nil)
		}
		slices.Reverse(names)
		wantList(t, s, "bob", names[:100]...) // the default of an application
		s.Configure(t, "conversation.recent", "500")
		wantList(t, s, "bob", names...)
		s.Configure(t, "conversation.recent", "10")
		wantList(t, s, "bob", names[:10]...)
	})
}

// Cursors beyond the end, or that make no sense, give an empty last page.
func TestListCursors(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		for _, at := range []cursors{{StartIndex: 1}, {StartIndex: 1_000_000}, {StartIndex: 50, TimeStamp: 7, TopTimeStamp: 8, TopStartIndex: 9}} {
			var page listReply
			s.MustREST(t, "recentcontact/get_list", at.request("bob"), &page)
			if len(page.SessionItem) != 0 || page.CompleteFlag != 1 {
				t.Errorf("cursors %+v: answered %+v", at, page)
			}
		}
		var page listReply
		s.MustREST(t, "recentcontact/get_list", cursors{StartIndex: -5}.request("bob"), &page)
		if len(page.SessionItem) != 1 {
			t.Errorf("a negative index: answered %+v", page)
		}
	})
}

func TestListRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"an unknown account", cursors{}.request("nobody"), 50001},
			{"no account", M{"TimeStamp": 0}, 50001},
			{"an account that is a number", M{"From_Account": 7}, 50002},
			{"an index that is text", M{"From_Account": "alice", "StartIndex": "0"}, 50002},
			{"not JSON", `{`, 50002},
		} {
			if e := s.REST(t, "recentcontact/get_list", row.body, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
	})
}

func removal(userID, peer string) M { return M{"From_Account": userID, "Type": 1, "To_Account": peer} }

// reads is a chat's history in the viewer's eyes.
func reads(t *testing.T, s *Server, viewer, peer string) []string {
	t.Helper()
	var page struct{ MsgList []json.RawMessage }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0,
		"MaxTime": 4_000_000_000}, &page)
	texts := []string{}
	for _, raw := range page.MsgList {
		item := magpietest.ReadItem(t, raw)
		texts = append(texts, item.Text())
	}
	return texts
}

func unread(t *testing.T, s *Server, userID string) int {
	t.Helper()
	var reply struct{ AllC2CUnreadMsgNum int }
	s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": userID}, &reply)
	return reply.AllC2CUnreadMsgNum
}

// Removing takes a conversation out of one account's list, with its unread messages. History stays unless it is to go
// too; the peer's side stays in any case; a new message brings the conversation back.
func TestDelete(t *testing.T) {
	for _, row := range []struct {
		name string
		more M
		want []string
	}{
		{"", nil, []string{"old"}},
		{"Type in lower case", M{"Type": nil, "type": 1}, []string{"old"}},
		{"ClearRamble 0", M{"ClearRamble": 0}, []string{"old"}},
		{"ClearRamble 1", M{"ClearRamble": 1}, []string{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
				s.Send(t, "alice", "bob", "old")
				s.Send(t, "carol", "bob", "other")
				bob.Pushes(t)
				phone.Pushes(t)
				s.MustREST(t, "recentcontact/delete", magpietest.With(removal("bob", "alice"), row.more), nil)
				wantList(t, s, "bob", "carol")
				wantList(t, s, "alice", "bob")
				if n := unread(t, s, "bob"); n != 1 {
					t.Errorf("bob has %d unread messages, want that of carol", n)
				}
				if got := reads(t, s, "bob", "alice"); !slices.Equal(got, row.want) {
					t.Errorf("bob reads %q, want %q", got, row.want)
				}
				if got := reads(t, s, "alice", "bob"); !slices.Equal(got, []string{"old"}) {
					t.Errorf("alice reads %q", got)
				}
				line := "conversation 1 with alice removed elsewhere"
				bob.Sees(t, line)
				phone.Sees(t, line)
				alice.SeesNothing(t)

				s.NextSecond(t)
				s.Send(t, "alice", "bob", "new")
				wantList(t, s, "bob", "alice", "carol")
				if got := reads(t, s, "bob", "alice"); !slices.Equal(got, append(row.want, "new")) {
					t.Errorf("bob reads %q", got)
				}
				if n := unread(t, s, "bob"); n != 2 {
					t.Errorf("bob has %d unread messages, want two", n)
				}
			})
		})
	}
}

func TestDeleteRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		bob := s.Login(t, "bob")
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"an unknown account", removal("nobody", "alice"), 50001},
			{"an unknown peer", removal("bob", "nobody"), 50001},
			{"no account", M{"Type": 1, "To_Account": "alice"}, 50001},
			{"no type", M{"From_Account": "bob", "To_Account": "alice"}, 50002},
			{"a group that there is not", M{"From_Account": "bob", "Type": 2, "ToGroupid": "@TGS#1"}, 51007},
			{"type 3", M{"From_Account": "bob", "Type": 3, "To_Account": "alice"}, 50002},
			{"a type that is text", M{"From_Account": "bob", "Type": "1", "To_Account": "alice"}, 50002},
			{"a peer that is a number", M{"From_Account": "bob", "Type": 1, "To_Account": 7}, 50002},
			{"not JSON", `{`, 50002},
		} {
			if e := s.REST(t, "recentcontact/delete", row.body, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		wantList(t, s, "bob", "alice")
		bob.SeesNothing(t)
		// Removing what is not there is no fault.
		s.MustREST(t, "recentcontact/delete", removal("bob", "carol"), nil)
	})
}

// paged is a conversation as clients read it.
type paged struct {
	Type                            int
	To                              string `json:"To_Account"`
	MsgTimeStamp, MsgSeq, MsgRandom int64
	LastMsgFlags, UnreadMsgCount    int
	LastFrom                        string `json:"LastC2CMsgFrom_Account"`
	LastFromLite                    string `json:"LastC2cMsgFrom_Account"`
	C2cNick, C2cImage, C2cRemark    string
	C2cPeerReadTime                 int64
	TopFlags                        int
	StandardMark, CustomMark        string
	ContactGroupID                  []int `json:"ContactGroupId"`
	MsgRecvOption                   int
	LastMsg                         *struct {
		MsgBody         json.RawMessage
		CloudCustomData string
		RevokerInfo     *struct {
			Account string `json:"Revoker_Account"`
			Reason  string
		}
	}
}

type pageReply struct {
	SessionItem  []paged
	GroupItem    []struct{}
	CompleteFlag int
	cursors
}

// clientPage asks for a page as the web SDK does.
func clientPage(t *testing.T, c *magpietest.Conn, at cursors) pageReply {
	t.Helper()
	var page pageReply
	c.MustCall(t, "recentcontact.page_get", magpietest.With(at.request(c.UserID), M{
		"OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31}), &page)
	if page.SessionItem == nil || page.GroupItem == nil {
		t.Errorf("the web client cannot read this page: %+v", page)
	}
	return page
}

// A client's list has with each conversation its last message, the peer's profile and up to when he has read.
func TestClientList(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.MustREST(t, "profile/portrait_set", M{"From_Account": "bob", "ProfileItem": []M{
			{"Tag": "Tag_Profile_IM_Image", "Value": "http://x/bob.png"}}}, nil)
		s.Send(t, "alice", "bob", "hi")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		s.NextSecond(t)
		sent := s.SendWith(t, magpietest.Message("bob", "alice", "hello"), M{"MsgSeq": 5, "MsgRandom": 6, "CloudCustomData": "mine"})
		alice := s.Login(t, "alice")
		page := clientPage(t, alice, cursors{})
		if len(page.SessionItem) != 1 || page.CompleteFlag != 1 {
			t.Fatalf("alice's list is %+v", page)
		}
		one := page.SessionItem[0]
		if one.Type != 1 || one.To != "bob" || one.MsgTimeStamp != sent.MsgTime || one.MsgSeq != 5 || one.MsgRandom != 6 ||
			one.LastFrom != "bob" || one.LastFromLite != "bob" || one.UnreadMsgCount != 1 || one.C2cNick != "nick of bob" || one.C2cImage != "http://x/bob.png" ||
			one.C2cPeerReadTime == 0 || one.ContactGroupID == nil || one.LastMsgFlags != 0 {
			t.Errorf("the conversation is %+v", one)
		}
		if one.LastMsg == nil || one.LastMsg.CloudCustomData != "mine" || one.LastMsg.RevokerInfo != nil ||
			string(one.LastMsg.MsgBody) != `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}}]` {
			t.Errorf("the last message is %+v", one.LastMsg)
		}
		// The last message is taken back: the list says so.
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "bob", "To_Account": "alice", "MsgKey": sent.MsgKey}, nil)
		one = clientPage(t, alice, cursors{}).SessionItem[0]
		if one.LastMsgFlags != 8 || one.LastMsg.RevokerInfo == nil || one.LastMsg.RevokerInfo.Account != magpietest.Admin {
			t.Errorf("after the recall: %+v, %+v", one, one.LastMsg)
		}
		// What must not move the list does not.
		s.SendWith(t, magpietest.Message("bob", "alice", "unlisted"), M{"SendMsgControl": []string{"NoLastMsg"}})
		if again := clientPage(t, alice, cursors{}).SessionItem[0]; again.MsgSeq != 5 {
			t.Errorf("the last message is %d, want the one before", again.MsgSeq)
		}
	})
}

// A client sees its own list, whatever it asks for.
func TestClientListIsItsOwn(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		carol := s.Login(t, "carol")
		var page pageReply
		carol.MustCall(t, "recentcontact.page_get", cursors{}.request("alice"), &page)
		if len(page.SessionItem) != 0 {
			t.Errorf("carol sees %+v", page.SessionItem)
		}
	})
}

// After a reconnect the client asks with the cursors that it kept, and gets what changed since.
func TestClientListAfterReconnect(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.MustREST(t, "openim/importmsg", magpietest.With(magpietest.Message("carol", "alice", "long ago"),
			M{"SyncFromOldSystem": 2, "MsgTimeStamp": 1500000000}), nil)
		s.Send(t, "bob", "alice", "hi")
		alice := s.Login(t, "alice")
		page := clientPage(t, alice, cursors{})
		if len(page.SessionItem) != 2 || page.CompleteFlag != 1 || page.StartIndex != 0 || page.TimeStamp == 0 {
			t.Fatalf("the first page is %+v", page)
		}
		sent := s.Send(t, "bob", "alice", "meanwhile")
		since := clientPage(t, alice, page.cursors)
		if since.CompleteFlag != 1 || len(since.SessionItem) == 0 || since.SessionItem[0].To != "bob" || since.SessionItem[0].MsgTimeStamp != sent.MsgTime {
			t.Errorf("since then: %+v", since)
		}
	})
}

// A client removes several at once and is told of each; its other device follows.
func TestClientDeletes(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "hi")
		s.Send(t, "carol", "bob", "hello")
		bob, phone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		var reply struct {
			ResultItem []struct {
				Type       int
				To         string `json:"To_Account"`
				ResultCode int
			}
		}
		bob.MustCall(t, "recentcontact.batch_delete", M{"ClearRamble": 1, "ContactItem": []M{
			{"Type": 1, "To_Account": "alice"}, {"Type": 1, "To_Account": "nobody"}, {"Type": 2, "ToGroupid": "@TGS#1"},
			{"Type": 1, "To_Account": "carol"},
		}}, &reply)
		if got := fmt.Sprint(reply.ResultItem); got != "[{1 alice 0} {1 nobody 50001} {2  51007} {1 carol 0}]" {
			t.Errorf("ResultItem is %s", got)
		}
		phone.Sees(t, "conversation 1 with alice removed elsewhere, conversation 1 with carol removed elsewhere")
		bob.SeesNothing(t)
		wantList(t, s, "bob")
		if got := reads(t, s, "bob", "carol"); len(got) != 0 {
			t.Errorf("bob reads %q", got)
		}
		wantList(t, s, "carol", "bob")
		for name, body := range map[string]M{"nothing": {}, "too many": {"ContactItem": slices.Repeat([]M{{"Type": 1, "To_Account": "alice"}}, 101)}} {
			if e := bob.Call(t, "recentcontact.batch_delete", body, nil); e.ErrorCode != 50002 {
				t.Errorf("%s: answered %+v, want 50002", name, e)
			}
		}
	})
}
