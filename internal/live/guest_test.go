package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

const (
	guestJoin = "group_open_http_noauth_svc.apply_join_group"
	guestPoll = "group_open_long_polling_http_noauth_svc.get_msg"
)

// polled is what a guest is answered.
type polled struct {
	Code int64 `json:"ErrorCode"`
	Key  string
	Next int64  `json:"NextSeq"`
	List []said `json:"RspMsgList"`
}

// visitor is a guest's client.
type visitor struct {
	*Conn
	key  string
	next int64
}

func visits(t *testing.T, s *Server, id string) *visitor {
	t.Helper()
	v := &visitor{Conn: s.Connect(t)}
	var got joined
	v.MustCall(t, guestJoin, M{"GroupId": id, "WebPushFlag": 1}, &got)
	if got.Poll == nil || *got.Poll == "" || got.Huge != 1 || got.Status != "JoinedSuccess" {
		t.Fatalf("a guest joins with %+v", got)
	}
	v.key = *got.Poll
	return v
}

// asks begins a poll, which waits when the next request is answered.
func (v *visitor) asks(t *testing.T) (seq int64) {
	t.Helper()
	defer v.Call(t, guestJoin, M{"GroupId": v.key}, nil)
	return v.Ask(t, guestPoll, M{"USP": 1, "StartSeq": v.next, "HoldTime": 90, "Key": v.key})
}

// told waits for the answer of a poll.
func (v *visitor) told(t *testing.T, seq int64) (lines []string) {
	t.Helper()
	var got polled
	if err := json.Unmarshal(v.Answer(t, guestPoll, seq), &got); err != nil || got.Code != 0 || got.Key != v.key {
		t.Fatalf("a poll is answered %+v: %v", got, err)
	}
	v.next = got.Next
	for _, one := range got.List {
		if one.Event == 0 || one.Group == "" || one.Sequence == 0 {
			t.Errorf("a guest is told %+v", one)
		}
		lines = append(lines, one.String())
	}
	return lines
}

// tires lets time pass until a poll has waited long enough.
func (v *visitor) tires(t *testing.T, s *Server, seq int64) []string {
	t.Helper()
	magpietest.Eventually(t, "a poll is answered by itself", func() bool {
		s.Pass(t, time.Second)
		return v.Arrived(func(f *magpietest.Frame) bool { return f.Servcmd == guestPoll && f.Seq == fmt.Sprint(seq) }) > 0
	})
	return v.told(t, seq)
}

// Without a login a client hears what is said in a live room, by asking, and does nothing else.
func TestGuest(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice := enters(t, s, "alice", id)
		hears(t, alice, "tip 1 of alice, 1 inside")
		v := visits(t, s, id)
		if got := joins(t, v, id); got != 0 {
			t.Errorf("a guest who is there joins with the code %d", got)
		}
		s.Pass(t, time.Second)
		if n := online(t, s, id); n != 2 || listed(t, s, id) != "alice" {
			t.Errorf("%d are inside, and listed are %s", n, listed(t, s, id))
		}
		asked := v.asks(t)
		v.MustCall(t, "heartbeat.alive", M{}, nil) // nothing else waits for the poll
		say(t, alice, says(id, "hello", 1, "Normal"))
		if got := v.told(t, asked); !slices.Equal(got, []string{"alice: hello"}) {
			t.Errorf("the guest is told %q", got)
		}
		say(t, alice, says(id, "while he does not ask", 2, "Normal"))
		s.Pass(t, time.Second)
		hears(t, alice, "alice: hello", "alice: while he does not ask")
		if got := v.told(t, v.asks(t)); !slices.Equal(got, []string{"alice: while he does not ask"}) {
			t.Errorf("the guest is told %q", got)
		}
		asked = v.asks(t)
		again := v.asks(t) // a client that asks again has given the first one up
		if got := v.told(t, asked); got != nil {
			t.Errorf("the first poll is told %q", got)
		}
		if got := v.tires(t, s, again); got != nil {
			t.Errorf("after a while the guest is told %q", got)
		}
		for _, name := range []string{"send_group_msg", "apply_join_group", "get_group_self_member_info"} {
			if got := v.Call(t, groups+name, says(id, "x", 3, "Normal"), nil).ErrorCode; got == 0 {
				t.Errorf("a guest may %s", name)
			}
		}
		if n := v.Arrived(func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_push.msg_push" }); n != 0 {
			t.Errorf("%d pushes came to a guest", n)
		}
		asked = v.asks(t)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": id}, nil)
		if got := v.told(t, asked); !slices.Equal(got, []string{"report 5 by administrator "}) {
			t.Errorf("of the end the guest is told %q", got)
		}
		if got := v.Call(t, guestPoll, M{"Key": v.key, "StartSeq": v.next}, nil).ErrorCode; got != 10010 {
			t.Errorf("in a room that is gone a guest is answered %d", got)
		}
	})
}

// joins has a guest enter, and gives the code.
func joins(t *testing.T, v *visitor, id string) int {
	t.Helper()
	return v.Call(t, guestJoin, M{"GroupId": id}, nil).ErrorCode
}

// Guests are bounded, may be kept out, leave when they do not ask any more, and are counted if an operator wants that.
func TestGuestsAreBounded(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.max_guests_per_address", "2")
		first, second, third := visits(t, s, id), visits(t, s, id), &visitor{Conn: s.Connect(t)}
		if got := joins(t, third, id); got != 10014 {
			t.Errorf("a guest too many joins with the code %d", got)
		}
		first.Close()
		magpietest.Eventually(t, "there is room again", func() bool { return joins(t, third, id) == 0 })
		third.key = id
		for range 3 {
			third.tires(t, s, third.asks(t))
		}
		magpietest.Eventually(t, "who does not ask has left", func() bool { return online(t, s, id) == 1 })
		second.key = id
		asked := second.asks(t)
		magpietest.Eventually(t, "who asks again is back", func() bool { return online(t, s, id) == 2 })
		s.Configure(t, "live.guests", "off")
		if got := joins(t, third, id); got != 10007 {
			t.Errorf("where guests are not wanted one joins with the code %d", got)
		}
		second.tires(t, s, asked)
		s.Configure(t, "live.count_guests", "off")
		s.MustREST(t, rest+"send_group_msg", says(id, "hello", 1, "Normal"), nil)
		s.Pass(t, time.Second)
		if n := online(t, s, id); n != 0 {
			t.Errorf("%d are inside where guests do not count", n)
		}
	})
}

// A guest who logs in is a guest no more, and one who waits when the node stops is answered first.
func TestGuestsEnd(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		v, w := visits(t, s, id), visits(t, s, id)
		if n := online(t, s, id); n != 2 {
			t.Errorf("%d are inside", n)
		}
		asked := v.asks(t)
		v.Login(t, "bob")
		if got := v.told(t, asked); got != nil {
			t.Errorf("of his login the guest is told %q", got)
		}
		if n := online(t, s, id); n != 1 {
			t.Errorf("after the login %d are inside", n)
		}
		asked = w.asks(t)
		s.Stop(t)
		if got := w.told(t, asked); got != nil {
			t.Errorf("of the node's end the guest is told %q", got)
		}
	})
}

// A guest whose node hears of the room by him alone is told what is said on another one.
func TestGuestOfAnotherNode(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice")
	id := create(t, here, M{})
	alice := enters(t, here, "alice", id)
	v := visits(t, there, id)
	asked := v.asks(t)
	say(t, alice, says(id, "hello", 1, "Normal"))
	got := v.told(t, asked)
	for !slices.Contains(got, "alice: hello") { // a tip may come before it
		got = v.told(t, v.asks(t))
	}
}
