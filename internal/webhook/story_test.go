package webhook_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

// A back end is told what its users do: they come, write, read, take back, change their profiles and go.
func TestBackEndIsTold(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		back := s.BackEnd(t, "all")
		alice := s.Login(t, "alice")
		alice.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message("alice", "bob", "hi"), M{"CloudCustomData": "extra"}), nil)
		var asked, told struct {
			CallbackCommand, MsgKey, CloudCustomData, ErrorInfo string
			From                                                string `json:"From_Account"`
			To                                                  string `json:"To_Account"`
			MsgSeq, MsgTime, EventTime                          int64
			OnlineOnlyFlag, SendMsgResult, UnreadMsgNum         *int
			MsgBody                                             []struct{ MsgType string }
		}
		before := back.Gets(t, "C2C.CallbackBeforeSendMsg", 1)[0]
		before.Into(t, &asked)
		if asked.From != "alice" || asked.To != "bob" || asked.CloudCustomData != "extra" || len(asked.MsgBody) != 1 ||
			asked.OnlineOnlyFlag == nil || asked.MsgKey == "" || asked.EventTime == 0 || asked.CallbackCommand != before.Command {
			t.Errorf("asked %s", before.Body)
		}
		after := back.Gets(t, "C2C.CallbackAfterSendMsg", 1)[0]
		after.Into(t, &told)
		if told.MsgKey == "" || told.UnreadMsgNum == nil || *told.UnreadMsgNum != 1 || *told.SendMsgResult != 0 ||
			told.ErrorInfo != "send msg succeed" || told.MsgSeq != asked.MsgSeq || told.MsgTime == 0 {
			t.Errorf("told %s", after.Body)
		}
		if q := after.Query; q.Get("SdkAppid") != fmt.Sprint(s.AppID) || q.Get("OptPlatform") != "Web" || q.Get("ClientIP") != "127.0.0.1" ||
			q.Get("contenttype") != "json" || q.Has("Sign") {
			t.Errorf("the query is %v", q)
		}
		if before.Event() != "" || after.Event() == "" {
			t.Errorf("event ids %q and %q", before.Event(), after.Event())
		}
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		read := back.Gets(t, "C2C.CallbackAfterMsgReport", 1)[0]
		if read.Query.Get("OptPlatform") != "RESTAPI" {
			t.Errorf("the platform of a back end is %q", read.Query.Get("OptPlatform"))
		}
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": told.MsgKey}, nil)
		back.Gets(t, "C2C.CallbackAfterMsgWithDraw", 1)
		alice.MustCall(t, "profile.portrait_set", M{"From_Account": "alice", "ProfileItem": []M{{"Tag": "Tag_Profile_IM_Nick", "Value": "Al"}}}, nil)
		back.Gets(t, "Profile.CallbackPortraitSet", 1)
		again := s.Login(t, "alice")
		alice.Kicked(t)
		again.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 1}, nil)
		back.Gets(t, "State.StateChange", 3)
		s.Login(t, "alice").Close()
		var state struct {
			Info struct{ Action, Reason string }
		}
		calls := back.Gets(t, "State.StateChange", 5)
		calls[4].Into(t, &state)
		if state.Info.Action != "Disconnect" || state.Info.Reason != "LinkClose" {
			t.Errorf("a lost link is %s", calls[4].Body)
		}
	})
}
