package server_test

import (
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/magpietest"
)

// A server that goes on with a PostgreSQL has all that it had: logins, messages, what is unread, groups; and goes on counting.
func TestMoveOfAServer(t *testing.T) {
	t.Parallel()
	const group = "g"
	dir, url := t.TempDir(), dbtest.URL(t)
	s := magpietest.Start(t, magpietest.Dir(dir))
	say := func(random int) (sequence int64) {
		t.Helper()
		var sent struct{ MsgSeq int64 }
		s.MustREST(t, "group_open_http_svc/send_group_msg",
			M{"GroupId": group, "From_Account": "alice", "Random": random, "MsgBody": magpietest.Text("to all")}, &sent)
		return sent.MsgSeq
	}
	s.Import(t, "alice", "bob")
	bob := s.Login(t, "bob")
	s.Send(t, "alice", "bob", "one")
	s.Send(t, "alice", "bob", "two")
	s.MustREST(t, "group_open_http_svc/create_group",
		M{"Type": "Public", "Name": "g", "GroupId": group, "Owner_Account": "alice", "MemberList": []M{{"Member_Account": "bob"}}}, nil)
	before := say(1)
	if err := server.Move(t.Context(), dir, url, func(db.Moved) {}); err == nil || !strings.Contains(err.Error(), "a server is running") {
		t.Fatalf("a store that is served was moved: %v", err)
	}
	s.Stop(t)
	if err := server.Move(t.Context(), dir, url, func(db.Moved) {}); err != nil {
		t.Fatal(err)
	}
	s = magpietest.Start(t, magpietest.Database(url))
	back := s.Connect(t)
	if reply := back.Resume(t, "bob", bob.Session); reply.ErrorCode != 0 {
		t.Fatalf("the way back is answered %d %s", reply.ErrorCode, reply.ErrorInfo)
	}
	if pulled := back.Pull(t, ""); len(pulled.Items) != 2 {
		t.Errorf("%d messages are pulled", len(pulled.Items))
	}
	var unread struct{ AllC2CUnreadMsgNum int }
	s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "bob"}, &unread)
	if unread.AllC2CUnreadMsgNum != 2 {
		t.Errorf("%d messages are unread", unread.AllC2CUnreadMsgNum)
	}
	if after := say(2); after != before+1 {
		t.Errorf("behind the sequence %d of the group comes %d", before, after)
	}
}
