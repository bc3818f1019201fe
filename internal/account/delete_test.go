package account_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// Deleting an account logs it out everywhere and takes it out of the application. Messages that it sent stay.
func TestDelete(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.SendWith(t, magpietest.Message("alice", "bob", "hi"), magpietest.M{"MsgSeq": 1})
		bob.Pushes(t)
		got := items(t, s, "account_delete", "DeleteItem", "alice", "nobody", "administrator")
		if got[0] != (result{UserID: "alice"}) {
			t.Errorf("alice: %+v", got[0])
		}
		if got[1] != (result{UserID: "nobody", ResultCode: 70107, ResultInfo: "Err_TLS_PT_Open_Login_Account_Not_Exist"}) {
			t.Errorf("nobody: %+v", got[1])
		}
		if got[2].ResultCode != 70402 || got[2].ResultInfo == "" {
			t.Errorf("the administrator: %+v, want a refusal", got[2])
		}
		if alice.Kicked(t) != 3 {
			t.Error("alice's device was told another reason than 3")
		}
		if exists(t, s, "alice") || !exists(t, s, "administrator") || !exists(t, s, "bob") {
			t.Error("not just alice is gone")
		}
		s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "ghost"), 90008)
		s.Refuses(t, "openim/sendmsg", magpietest.Message("bob", "alice", "to a ghost"), 90012)
		s.Refuses(t, login+"kick", M{"UserID": "alice"}, 70107)
		bob.SeesNothing(t)
		// Bob still has what she wrote, under her name.
		if texts, _ := clientHistory(t, bob, "alice"); !slices.Equal(texts, []string{"hi"}) {
			t.Errorf("bob reads %v in his chat with alice", texts)
		}
		if got := items(t, s, "account_delete", "DeleteItem", "alice"); got[0].ResultCode != 70107 {
			t.Errorf("deleted again: %+v", got[0])
		}
		if contacts := contactsOf(t, bob); !slices.Equal(contacts, []string{"alice"}) {
			t.Errorf("bob's list has %v, want the chat with alice still", contacts)
		}
	})
}

// An account of the same name that comes later starts empty: no profile, no conversations, no history, no sessions.
func TestDeleteAndImportAgain(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.MustREST(t, "profile/portrait_set", M{"From_Account": "alice", "ProfileItem": []M{
			{"Tag": "Tag_Profile_IM_Nick", "Value": "Al"}, {"Tag": "Tag_Profile_IM_Level", "Value": 7},
		}}, nil)
		s.Send(t, "bob", "alice", "old")
		s.Send(t, "alice", "bob", "older still")
		oldSig := s.UserSigAt(t, "alice", time.Now().Add(-time.Minute), time.Hour)
		old := alice.Session
		items(t, s, "account_delete", "DeleteItem", "alice")
		alice.Kicked(t)
		s.MustREST(t, login+"account_import", M{"UserID": "alice"}, nil)
		wantProfile(t, s, "alice", "", "")

		again := s.Connect(t)
		if e := again.Resume(t, "alice", old); e.ErrorCode == 0 {
			t.Error("the old session goes on")
		}
		if e := again.TryLogin(t, "alice", oldSig); e.ErrorCode != 70052 {
			t.Errorf("an old signature: answered %+v, want 70052", e)
		}
		if e := again.TryLogin(t, "alice", nextSig(t, s, "alice")); e.ErrorCode != 0 {
			t.Fatalf("log in again: %+v", e)
		}
		if got := again.Pull(t, ""); len(got.Lines) != 0 || len(got.Unread) != 0 {
			t.Errorf("the new alice pulls %+v", got)
		}
		if contacts := contactsOf(t, again); len(contacts) != 0 {
			t.Errorf("the new alice's list has %v", contacts)
		}
		if texts, _ := clientHistory(t, again, "bob"); len(texts) != 0 {
			t.Errorf("the new alice reads %v", texts)
		}
		// Bob's side is as it was, and the two can talk.
		if texts, _ := clientHistory(t, bob, "alice"); !slices.Equal(texts, []string{"old", "older still"}) {
			t.Errorf("bob reads %v", texts)
		}
		bob.Pushes(t)
		s.Send(t, "alice", "bob", "new")
		bob.Sees(t, "alice → bob: new")
		if texts, _ := clientHistory(t, again, "bob"); !slices.Equal(texts, []string{"new"}) {
			t.Errorf("the new alice reads %v", texts)
		}
		var unread struct{ AllC2CUnreadMsgNum int }
		s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "alice"}, &unread)
		if unread.AllC2CUnreadMsgNum != 0 {
			t.Errorf("the new alice has %d unread messages", unread.AllC2CUnreadMsgNum)
		}
	})
}

// A signature from before the deletion does not bring the account back; a new one is a first login.
func TestDeletedDoesNotComeBackByItself(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		oldSig := s.UserSigAt(t, "alice", time.Now().Add(-time.Minute), time.Hour)
		items(t, s, "account_delete", "DeleteItem", "alice")
		c := s.Connect(t)
		if e := c.TryLogin(t, "alice", oldSig); e.ErrorCode != 70052 {
			t.Errorf("an old signature: answered %+v, want 70052", e)
		}
		if exists(t, s, "alice") {
			t.Error("alice is back")
		}
		if e := c.TryLogin(t, "alice", nextSig(t, s, "alice")); e.ErrorCode != 0 {
			t.Errorf("a new signature: answered %+v", e)
		}
		if !exists(t, s, "alice") {
			t.Error("alice logged in and does not exist")
		}
	})
}

func TestDeleteRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		many := make([]M, 101)
		for i := range many {
			many[i] = M{"UserID": fmt.Sprint("user", i)}
		}
		s.Refuses(t, login+"account_delete", M{"DeleteItem": many}, 70206)
		s.Refuses(t, login+"account_delete", M{"DeleteItem": []M{}}, 70206)
		s.Refuses(t, login+"account_delete", M{}, 70206)
		s.Refuses(t, login+"account_delete", M{"DeleteItem": []string{"alice"}}, 70402)
		s.Refuses(t, login+"account_delete", `{`, 70402)
		if !exists(t, s, "alice") {
			t.Error("alice is gone")
		}
	})
}

// clientHistory reads a chat's newest page as a client, or the code of the refusal.
func clientHistory(t *testing.T, c *magpietest.Conn, peer string) (texts []string, code int) {
	t.Helper()
	var reply struct{ MsgList []json.RawMessage }
	e := c.Call(t, "openim.getroammsg", M{"Peer_Account": peer, "MaxCnt": 15, "LastMsgTime": 0, "MsgKey": "", "WithRecalledMsg": 1}, &reply)
	for _, raw := range reply.MsgList {
		item := magpietest.ReadItem(t, raw)
		texts = append(texts, item.Text())
	}
	return texts, e.ErrorCode
}

// contactsOf names the peers of a client's conversations.
func contactsOf(t *testing.T, c *magpietest.Conn) []string {
	t.Helper()
	var reply struct {
		SessionItem []struct {
			To string `json:"To_Account"`
		}
	}
	c.MustCall(t, "recentcontact.page_get", M{"From_Account": c.UserID, "TimeStamp": 0, "StartIndex": 0}, &reply)
	names := []string{}
	for _, item := range reply.SessionItem {
		names = append(names, item.To)
	}
	return names
}
