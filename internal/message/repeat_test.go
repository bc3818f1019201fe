package message_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// A back end that repeats a call within the second makes one message of it, and learns what it was called the first time.
func TestSendTwice(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		bob, carol := s.Login(t, "bob"), s.Login(t, "carol")
		var message M
		var first, second magpietest.Sent
		oneSecond(t, func() {
			message = With(magpietest.Message("alice", "bob", "hi"), M{"MsgSeq": 77})
			first = s.SendWith(t, message, nil)
			second = s.SendWith(t, message, M{"MsgBody": magpietest.Text("not the first")})
			bob.Pushes(t)
		})
		if first != second {
			t.Errorf("answered %+v and then %+v, want the same", first, second)
		}
		// Somebody else's message is another one.
		s.SendWith(t, message, M{"To_Account": "carol"})
		carol.Sees(t, "alice → carol: hi")
		// The same a second later is meant.
		s.NextSecond(t)
		if third := s.SendWith(t, message, M{"MsgBody": magpietest.Text("again")}); third.MsgKey == first.MsgKey {
			t.Errorf("a second later it is still %s", third.MsgKey)
		}
		bob.Sees(t, "alice → bob: again")
		items := history(t, s, "bob", "alice")
		if last := items[len(items)-2:]; last[0].String() != "alice → bob: hi" || last[1].String() != "alice → bob: again" {
			t.Errorf("bob reads %v", last)
		}
	})
}

// A back end that gives a time repeats its call as late as it likes.
func TestSendTwiceWithTime(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		message := With(magpietest.Message("alice", "bob", "hi"), M{"MsgSeq": 77, "MsgTimeStamp": time.Now().Unix()})
		first := s.SendWith(t, message, nil)
		s.NextSecond(t)
		s.NextSecond(t)
		if second := s.SendWith(t, message, nil); second != first {
			t.Errorf("answered %+v and then %+v, want the same", first, second)
		}
		bob.Sees(t, "alice → bob: hi")
	})
}

// Bob answers with the numbers that alice used, within the same second. It is his message all the same: sender and
// receiver are part of what makes two the same.
func TestSendSameNumbersBack(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		numbers := M{"MsgSeq": 1, "MsgRandom": 1287657}
		s.SendWith(t, magpietest.Message("alice", "bob", "ping"), numbers)
		s.SendWith(t, magpietest.Message("bob", "alice", "pong"), numbers)
		wantHistory(t, s, "bob", "alice", "alice → bob: ping", "bob → alice: pong")
	})
}

// A client sends its request again after a reconnect, unchanged and as late as that was. It counts once.
func TestClientSendsTwice(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		request := fromClient("alice", "bob", "hi")
		var first, second magpietest.Sent
		alice.MustCall(t, "openim.sendmsg", request, &first)
		s.NextSecond(t)
		s.NextSecond(t)
		alice.MustCall(t, "openim.sendmsg", request, &second)
		if first != second {
			t.Errorf("answered %+v and then %+v, want the same", first, second)
		}
		bob.Sees(t, "alice → bob: hi")
		wantHistory(t, s, "bob", "alice", "alice → bob: hi")
		wantUnread(t, s, "bob", 1)
	})
}
