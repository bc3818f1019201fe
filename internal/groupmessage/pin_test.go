package groupmessage_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	pin     = "group_open_http_svc/pin_message"
	unpin   = "group_open_http_svc/unpin_message"
	listPin = "group_open_http_svc/get_pinned_messages"
)

func pinned(group string, sequence int) M { return M{"GroupId": group, "MsgSeq": sequence} }

// pins tells what is pinned, the latest first: "2 by bob".
func pins(t *testing.T, ask func(t *testing.T, command string, body, reply any), group string) (lines []string) {
	t.Helper()
	var reply struct {
		List []struct {
			MsgSeq int
			Pinner string `json:"Pinner_Account"`
		} `json:"PinnedMsgList"`
	}
	ask(t, listPin, M{"GroupId": group}, &reply)
	if reply.List == nil {
		t.Error("an empty list is null")
	}
	for _, one := range reply.List {
		lines = append(lines, fmt.Sprintf("%d by %s", one.MsgSeq, one.Pinner))
	}
	return lines
}

// Members pin and unpin messages by either door; all are told, the acting device too, and find them in the list.
func TestPins(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, dave := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "dave")
		for n := range 3 {
			say(t, alice, says(id, fmt.Sprint("text ", n+1), n+1))
		}
		alice.Pushes(t)
		bob.Pushes(t)
		wantLines(t, "nothing yet", pins(t, asks(bob), id))
		bob.MustCall(t, dotted(pin), magpietest.With(pinned(id, 2), M{"Pinner_Account": "bob"}), nil)
		for _, c := range []*Conn{alice, bob} {
			c.Sees(t, "6: bob pinned 2 alice: text 2")
		}
		// To pin it again is no news.
		alice.MustCall(t, dotted(pin), pinned(id, 2), nil)
		bob.SeesNothing(t)
		s.MustREST(t, pin, pinned(id, 1), nil)
		s.MustREST(t, pin, magpietest.With(pinned(id, 3), M{"Pinner_Account": "carol"}), nil)
		alice.Sees(t, "6: administrator pinned 1 alice: text 1", "6: carol pinned 3 alice: text 3")
		for _, ask := range []func(t *testing.T, command string, body, reply any){asks(alice), askedBy(s)} {
			wantLines(t, "the list", pins(t, ask, id), "3 by carol", "1 by administrator", "2 by bob")
		}
		bob.Pushes(t)
		alice.MustCall(t, dotted(unpin), magpietest.With(pinned(id, 2), M{"UnPinner_Account": "alice"}), nil)
		bob.Sees(t, "6: alice unpinned 2")
		alice.Sees(t, "6: alice unpinned 2")
		s.MustREST(t, unpin, pinned(id, 1), nil)
		alice.Sees(t, "6: administrator unpinned 1")
		bob.Pushes(t)
		// A message that is taken back is pinned no more.
		s.MustREST(t, "group_open_http_svc/group_msg_recall", receiptsFor(id, 3, 2), nil)
		bob.Sees(t, "6: administrator unpinned 3", "administrator recalled 3: ", "administrator recalled 2: ")
		wantLines(t, "after the recall", pins(t, asks(bob), id))
		dave.SeesNothing(t)
	})
}

// All that an account said is recalled with what is attached to it.
func TestPinsOfSender(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		say(t, alice, says(id, "one", 1))
		say(t, bob, says(id, "two", 2))
		s.MustREST(t, pin, pinned(id, 1), nil)
		s.MustREST(t, pin, pinned(id, 2), nil)
		s.MustREST(t, "group_open_http_svc/delete_group_msg_by_sender", M{"GroupId": id, "Sender_Account": "alice"}, nil)
		wantLines(t, "what is left", pins(t, asks(bob), id), "2 by administrator")
	})
}

// A group has ten pins at most, of messages that are there and for all.
func TestPinRefused(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, dave := s.Login(t, "alice"), s.Login(t, "dave")
		for n := range 11 {
			say(t, alice, says(id, "text", n+1))
		}
		for n := range 10 {
			s.MustREST(t, pin, pinned(id, n+1), nil)
		}
		s.Refuses(t, pin, pinned(id, 11), 10070)
		s.MustREST(t, unpin, pinned(id, 4), nil)
		s.MustREST(t, pin, pinned(id, 11), nil)
		s.Refuses(t, pin, pinned(id, 99), 10030)
		s.Refuses(t, pin, pinned(id, 0), 10004)
		s.Refuses(t, unpin, pinned(id, 4), 10030)
		s.Refuses(t, pin, magpietest.With(pinned(id, 4), M{"Pinner_Account": "nobody"}), 10019)
		s.Refuses(t, pin, pinned("no such group", 1), 10010)
		s.Refuses(t, listPin, M{"GroupId": "no such group"}, 10010)
		for _, command := range []string{pin, unpin, listPin} {
			if e := dave.Call(t, dotted(command), pinned(id, 1), nil); e.ErrorCode != 10007 {
				t.Errorf("%s by who is no member: %+v", command, e)
			}
		}
		if e := alice.Call(t, dotted(pin), magpietest.With(pinned(id, 4), M{"Pinner_Account": "bob"}), nil); e.ErrorCode != 10004 {
			t.Errorf("in another's name: %+v", e)
		}
		whispered := say(t, alice, magpietest.With(says(id, "only you", 50), M{"To_Account": []string{"bob"}}))
		s.Refuses(t, pin, pinned(id, int(whispered.Seq)), 10004)
		s.Refuses(t, pin, pinned(create(t, s, "Private"), 1), 10030)
	})
}

// Where an application wants it, owner and administrators alone pin.
func TestWhoPins(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		say(t, alice, says(id, "text", 1))
		s.MustREST(t, "group_open_http_svc/modify_group_member_info", M{"GroupId": id, "Member_Account": "carol", "Role": "Admin"}, nil)
		s.Configure(t, "group.pin_who", "admin")
		if e := bob.Call(t, dotted(pin), pinned(id, 1), nil); e.ErrorCode != 10007 {
			t.Errorf("a member: %+v", e)
		}
		carol.MustCall(t, dotted(pin), pinned(id, 1), nil)
		if e := bob.Call(t, dotted(unpin), pinned(id, 1), nil); e.ErrorCode != 10007 {
			t.Errorf("a member: %+v", e)
		}
		alice.MustCall(t, dotted(unpin), pinned(id, 1), nil)
		s.Configure(t, "group.pin_who", "member")
		bob.MustCall(t, dotted(pin), pinned(id, 1), nil)
	})
}
