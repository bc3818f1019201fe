package groupmessage_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// What a member says is stored once, answered with its sequence, and pushed once to all members that are online, to the
// sender's other devices too, and to nobody else.
func TestSend(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, alicePad := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(3))
		bob, carol, dave := s.Login(t, "bob"), s.Login(t, "carol"), s.Login(t, "dave")
		first := say(t, alice, says(id, "hello", 1))
		if first.Seq != 1 || first.Time == 0 {
			t.Errorf("answered %+v", first)
		}
		if again := say(t, alice, says(id, "hello", 1)); again != first {
			t.Errorf("the repeat is answered %+v, want %+v", again, first)
		}
		second := order(t, s, id, "from the back end", M{"From_Account": "dave"})
		if second.Seq != 2 {
			t.Errorf("answered %+v", second)
		}
		if again := order(t, s, id, "from the back end", M{"From_Account": "dave"}); again != second {
			t.Errorf("the back end's repeat is answered %+v, want %+v", again, second)
		}
		if other := order(t, s, id, "something else", M{"From_Account": "bob"}); other.Seq != 3 {
			t.Errorf("answered %+v", other)
		}
		alice.Sees(t, "2 dave: from the back end", "3 bob: something else")
		for _, c := range []*Conn{alicePad, bob, carol} {
			c.Sees(t, "1 alice: hello", "2 dave: from the back end", "3 bob: something else")
		}
		dave.SeesNothing(t)
	}, magpietest.Timed())
}

// Who is not a member, is muted, or writes what a group does not take, is refused at either door with the code of the table.
func TestRefused(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		bob, dave, alice := s.Login(t, "bob"), s.Login(t, "dave"), s.Login(t, "alice")
		refused := func(c *Conn, code int, more M) {
			t.Helper()
			if e := c.Call(t, clientSend, magpietest.With(says(id, "no", 9), more), nil); e.ErrorCode != code || e.ErrorInfo == "" {
				t.Errorf("%v: answered %d %q, want %d", more, e.ErrorCode, e.ErrorInfo, code)
			}
		}
		refused(dave, 10007, nil)
		refused(bob, 10010, M{"GroupId": "@TGS#2NOBODY"})
		refused(bob, 10004, M{"GroupId": ""})
		refused(bob, 10004, M{"TopicId": "@TGS#_1@TOPIC#_1"})
		refused(bob, 10004, M{"MsgPriority": "high"})
		refused(bob, 10004, M{"MsgBody": []M{}})
		refused(bob, 10004, M{"Random": nil})
		refused(bob, 80002, M{"CloudCustomData": string(make([]byte, 13000))})
		refused(bob, 10053, M{"GroupAtInfo": make([]M, 31)})
		refused(bob, 10005, M{"To_Account": make([]string, 51)})
		refused(bob, 10004, M{"To_Account": []string{"dave"}})
		s.Refuses(t, sendCommand, M{"GroupId": id, "Random": 1, "From_Account": "nobody", "MsgBody": magpietest.Text("x")}, 10019)
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": 60}, nil)
		refused(bob, 10017, nil)
		s.Refuses(t, sendCommand, M{"GroupId": id, "Random": 1, "From_Account": "bob", "MsgBody": magpietest.Text("x")}, 10017)
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"bob"}, "MuteTime": 0}, nil)
		s.MustREST(t, "group_open_http_svc/forbid_send_msg", M{"GroupId": id, "Members_Account": []string{"dave"}, "MuteTime": 60}, nil)
		s.Refuses(t, sendCommand, M{"GroupId": id, "Random": 1, "From_Account": "dave", "MsgBody": magpietest.Text("x")}, 10017)
		s.MustREST(t, "group_open_http_svc/modify_group_base_info", M{"GroupId": id, "MuteAllMember": "On"}, nil)
		refused(bob, 10017, nil)
		if a := say(t, alice, says(id, "the owner speaks", 1)); a.Seq != 4 { // behind the tips of three mutes
			t.Errorf("answered %+v", a)
		}
		s.MustREST(t, "group_open_http_svc/destroy_group", M{"GroupId": id}, nil)
		refused(alice, 10010, nil)
		s.Refuses(t, sendCommand, M{"GroupId": id, "Random": 1, "MsgBody": magpietest.Text("x")}, 10010)
	})
}

// A client that does not wait for its answers has its messages stored, pushed and answered in the order in which it sent
// them.
func TestSendsOverlap(t *testing.T) {
	story(t, "Private", func(t *testing.T, s *Server, id string) {
		s.Configure(t, "group.message_rate", "1000")
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		const sends = 200
		var (
			asked []int64
			lines = []string{"notice 7 for bob by alice: "}
		)
		for n := range sends {
			asked = append(asked, alice.Ask(t, clientSend, says(id, fmt.Sprint(n), n)))
			lines = append(lines, fmt.Sprintf("%d alice: %d", n+1, n))
		}
		for n, seq := range asked {
			f := alice.Next(t, "a send is answered", func(f *magpietest.Frame) bool { return f.Servcmd == clientSend })
			if f.Seq != fmt.Sprint(seq) {
				t.Fatalf("answer %d is to %s, want %d", n, f.Seq, seq)
			}
		}
		bob.Sees(t, lines...)
	})
}

// A message for some members reaches them and the sender's other devices, and nobody else.
func TestTargeted(t *testing.T) {
	story(t, "Private", func(t *testing.T, s *Server, id string) {
		alice, alicePad := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(3))
		bob, carol := s.Login(t, "bob"), s.Login(t, "carol")
		body := magpietest.With(says(id, "for bob", 1), M{"To_Account": []string{"bob", "dave"}})
		if a := say(t, alice, body); a.Seq != 1 {
			t.Errorf("answered %+v", a)
		}
		if e := alice.Call(t, clientSend, magpietest.With(body, M{"GroupAtInfo": []M{{"GroupAt_Account": "bob"}}}), nil); e.ErrorCode != 10004 {
			t.Errorf("with a mention: %+v", e)
		}
		bob.Sees(t, "notice 7 for bob by alice: ", "1 alice: for bob")
		alicePad.Sees(t, "1 alice: for bob")
		alice.SeesNothing(t)
		carol.Sees(t, "notice 7 for carol by alice: ") // the group is awake, and what was said is not for her
	})
}

// Who may read a message by name and is no member any more hears nothing more of it.
func TestTargetedAndRemoved(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		say(t, alice, magpietest.With(says(id, "secret", 1), M{"To_Account": []string{"bob", "carol"}}))
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{
			"GroupId": id, "Silence": 1, "MemberToDel_Account": []string{"bob"},
		}, nil)
		s.MustREST(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": 1, "MsgBody": magpietest.Text("more of it")}, nil)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 1}}}, nil)
		bob.Sees(t, "1 alice: secret", "notice 4 for bob by administrator: ")
		carol.Sees(t, "1 alice: secret", "1 alice edited 1: more of it", "administrator recalled 1: ")
	})
}

// A message for whoever is online takes no sequence.
func TestOnlineOnly(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		if a := say(t, alice, magpietest.With(says(id, "typing", 1), M{"OnlineOnlyFlag": 1})); a.Seq != 0 || a.Time == 0 {
			t.Errorf("answered %+v", a)
		}
		if a := say(t, alice, says(id, "typed", 2)); a.Seq != 1 {
			t.Errorf("answered %+v", a)
		}
		bob.Sees(t, "0 alice: typing", "1 alice: typed")
	})
}

// Above its rate a group's messages are dropped, their senders are told success, and a back end learns why.
func TestRate(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		s.Configure(t, "group.message_rate", "2")
		bob := s.Login(t, "bob")
		for n := range 3 {
			a := order(t, s, id, "x", M{"Random": n})
			if dropped := n == 2; (a.Dropped != "") != dropped || (a.Seq == 0) != dropped {
				t.Errorf("message %d: answered %+v", n, a)
			}
		}
		s.NextSecond(t)
		if a := order(t, s, id, "later", M{"Random": 9}); a.Seq != 3 {
			t.Errorf("answered %+v", a)
		}
		bob.Sees(t, "1 administrator: x", "2 administrator: x", "3 administrator: later")
	}, magpietest.Timed())
}
