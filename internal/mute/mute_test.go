package mute_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

// story runs a scenario in which alice and bob have accounts and share a group.
func story(t *testing.T, tell func(t *testing.T, s *Server), with ...magpietest.Option) {
	t.Helper()
	run := magpietest.Shared
	if len(with) > 0 {
		run = func(t *testing.T, story func(*testing.T, *Server)) { magpietest.Scenario(t, story, with...) }
	}
	run(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		s.MustREST(t, "group_open_http_svc/create_group", M{
			"Type": "Public", "GroupId": "club", "Name": "club", "Owner_Account": "bob", "MemberList": []M{{"Member_Account": "alice"}},
		}, nil)
		tell(t, s)
	})
}

func silence(t *testing.T, s *Server, times M) {
	t.Helper()
	s.MustREST(t, "openconfigsvr/setnospeaking", magpietest.With(M{"Set_Account": "alice"}, times), nil)
}

// wants checks what sends of alice are answered: one to one, and in a group.
func wants(t *testing.T, c *Conn, toBob, toClub int) {
	t.Helper()
	for text, flag := range map[string]M{"stored": {}, "online only": {"MsgLifeTime": 0, "OnlineOnlyFlag": 1}} {
		if e := c.Call(t, "openim.sendmsg", magpietest.With(magpietest.Message("alice", "bob", text), flag), nil); e.ErrorCode != toBob {
			t.Errorf("a %s message to bob: answered %+v, want %d", text, e, toBob)
		}
		group := magpietest.With(M{"From_Account": "alice", "GroupId": "club", "Random": 1, "MsgBody": magpietest.Text(text)}, flag)
		if e := c.Call(t, "group_open_http_svc.send_group_msg", group, nil); e.ErrorCode != toClub {
			t.Errorf("a %s message to the club: answered %+v, want %d", text, e, toClub)
		}
	}
}

// left is what is left of alice's mutes.
func left(t *testing.T, s *Server) string {
	t.Helper()
	var reply struct{ C2CmsgNospeakingTime, GroupmsgNospeakingTime int64 }
	s.MustREST(t, "openconfigsvr/getnospeaking", M{"Get_Account": "alice"}, &reply)
	return fmt.Sprint(reply.C2CmsgNospeakingTime, " ", reply.GroupmsgNospeakingTime)
}

// A muted account does not speak at the client door; a back end speaks for it. Each kind of chat has its own mute.
func TestMutes(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		wants(t, alice, 0, 0)
		if got := left(t, s); got != "0 0" {
			t.Errorf("never muted: %s", got)
		}
		silence(t, s, M{"C2CmsgNospeakingTime": 100000})
		wants(t, alice, 20012, 0)
		silence(t, s, M{"GroupmsgNospeakingTime": uint32(1<<32 - 1)})
		bob.Pushes(t)
		wants(t, alice, 20012, 10017)
		bob.SeesNothing(t)
		var chats, groups int64
		if _, err := fmt.Sscan(left(t, s), &chats, &groups); err != nil || chats > 100000 || chats < 99900 || groups != 1<<32-1 {
			t.Errorf("muted for 100000 seconds and for ever: %d and %d are left (%v)", chats, groups, err)
		}
		s.Send(t, "alice", "bob", "by REST")
		bob.Sees(t, "alice → bob: by REST")
		silence(t, s, M{"C2CmsgNospeakingTime": 0})
		wants(t, alice, 0, 10017)
		silence(t, s, M{"GroupmsgNospeakingTime": 0})
		wants(t, alice, 0, 0)
	})
}

// A muted account does not speak by edits of messages either.
func TestMutedEdits(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		var sent struct{ MsgTime, MsgSeq int64 }
		alice.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message("alice", "bob", "hello"), M{"MsgSeq": 5, "MsgRandom": 6}), &sent)
		toBob := M{"From_Account": "alice", "To_Account": "bob", "MsgSeq": 5, "MsgRandom": 6, "MsgTime": sent.MsgTime, "MsgBody": magpietest.Text("by an edit")}
		alice.MustCall(t, "group_open_http_svc.send_group_msg", M{
			"From_Account": "alice", "GroupId": "club", "Random": 1, "MsgBody": magpietest.Text("hello")}, &sent)
		toClub := M{"GroupId": "club", "MsgSeq": sent.MsgSeq, "MsgBody": magpietest.Text("by an edit")}
		bob.Pushes(t)
		edits := func(chat, club int) {
			t.Helper()
			for name, row := range map[string]struct {
				body M
				code int
			}{"openim.modify_c2c_msg": {toBob, chat}, "openim.modify_group_msg": {toClub, club}} {
				if e := alice.Call(t, name, row.body, nil); e.ErrorCode != row.code {
					t.Errorf("%s: answered %+v, want %d", name, e, row.code)
				}
			}
		}
		silence(t, s, M{"C2CmsgNospeakingTime": 60, "GroupmsgNospeakingTime": 60})
		edits(20012, 10017)
		bob.SeesNothing(t)
		silence(t, s, M{"C2CmsgNospeakingTime": 0, "GroupmsgNospeakingTime": 0})
		edits(0, 0)
	})
}

// A mute ends by itself, and holds over a restart until then.
func TestMuteEnds(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		silence(t, s, M{"C2CmsgNospeakingTime": 60, "GroupmsgNospeakingTime": 120})
		s.Restart(t)
		if got := left(t, s); got != "60 120" {
			t.Errorf("after a restart: %s", got)
		}
		wants(t, s.Login(t, "alice"), 20012, 10017)
		s.Pass(t, 50*time.Second)
		wants(t, s.Login(t, "alice"), 20012, 10017)
		s.Pass(t, 20*time.Second)
		wants(t, s.Login(t, "alice"), 0, 10017)
		s.Pass(t, 60*time.Second)
		wants(t, s.Login(t, "alice"), 0, 0)
		if got := left(t, s); got != "0 0" {
			t.Errorf("after their ends: %s", got)
		}
	}, magpietest.Timed())
}

// A mute that comes while the back end is asked about a message holds for it.
func TestMutedMeanwhile(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		asked, decided := make(chan struct{}, 2), make(chan struct{})
		backEnd := s.BackEnd(t, "C2C.CallbackBeforeSendMsg,Group.CallbackBeforeSendMsg")
		backEnd.Answer(func(*magpietest.Callback) (int, string) {
			asked <- struct{}{}
			<-decided
			return 200, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`
		})
		alice := s.Login(t, "alice")
		chat := alice.Ask(t, "openim.sendmsg", magpietest.Message("alice", "bob", "too late"))
		group := alice.Ask(t, "group_open_http_svc.send_group_msg", M{
			"From_Account": "alice", "GroupId": "club", "Random": 1, "MsgBody": magpietest.Text("too late"),
		})
		<-asked
		<-asked
		silence(t, s, M{"C2CmsgNospeakingTime": 60, "GroupmsgNospeakingTime": 60})
		close(decided)
		for servcmd, row := range map[string]struct {
			seq  int64
			code string
		}{"openim.sendmsg": {chat, `"ErrorCode":20012`}, "group_open_http_svc.send_group_msg": {group, `"ErrorCode":10017`}} {
			if got := string(alice.Answer(t, servcmd, row.seq)); !strings.Contains(got, row.code) {
				t.Errorf("%s: answered %s, want %s", servcmd, got, row.code)
			}
		}
	})
}

// Refusals of the two commands.
func TestMuteRefusals(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, row := range []struct {
			command string
			body    any
			code    int
		}{
			{"setnospeaking", `{`, 130001},
			{"setnospeaking", M{"C2CmsgNospeakingTime": 1}, 130004},
			{"setnospeaking", M{"Set_Account": "alice"}, 130008},
			{"setnospeaking", M{"Set_Account": "nobody", "C2CmsgNospeakingTime": 1}, 130005},
			{"setnospeaking", M{"Set_Account": 1, "C2CmsgNospeakingTime": 1}, 130005},
			{"setnospeaking", M{"Set_Account": "alice", "C2CmsgNospeakingTime": -1}, 70402},
			{"setnospeaking", M{"Set_Account": "alice", "C2CmsgNospeakingTime": 1 << 32}, 70402},
			{"getnospeaking", `{`, 130001},
			{"getnospeaking", M{}, 130002},
			{"getnospeaking", M{"Get_Account": "nobody"}, 130003},
			{"getnospeaking", M{"Get_Account": []int{}}, 130003},
		} {
			s.Refuses(t, "openconfigsvr/"+row.command, row.body, row.code)
		}
	})
}

// A deleted account that comes back under its name is not muted.
func TestMuteEndsWithTheAccount(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		silence(t, s, M{"C2CmsgNospeakingTime": 1000})
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
		s.Refuses(t, "openconfigsvr/getnospeaking", M{"Get_Account": "alice"}, 130003)
		s.Import(t, "alice")
		if got := left(t, s); got != "0 0" {
			t.Errorf("imported again: %s", got)
		}
	})
}
