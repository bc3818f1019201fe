package live_test

import (
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// recalls takes a message back as a client, and gives its code.
func recalls(t *testing.T, c *Conn, id string, number int64) int {
	t.Helper()
	var got recalled
	c.MustCall(t, groups+"group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": number}}}, &got)
	return got.List[0].Code
}

type recalled struct {
	List []struct {
		Code int `json:"RetCode"`
	} `json:"RecallRetList"`
}

// What was said in a live room is taken back by its sender, the owner and the back end, and nobody else: those inside are told, the
// guests too, and who comes late is not given it.
func TestRecall(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.backlog", "10")
		back := s.BackEnd(t, "Group.CallbackAfterRecallMsg")
		alice, bob, carol := enters(t, s, "alice", id), enters(t, s, "bob", id), enters(t, s, "carol", id)
		magpietest.Eventually(t, "carol hears that she is inside", func() bool {
			s.Pass(t, 100*time.Millisecond)
			return carol.Arrived(func(f *magpietest.Frame) bool { return contains(f, `"carol"`) }) > 0
		})
		v := visits(t, s, id)
		var numbers []int64
		for i, text := range []string{"one", "two", "three", "four"} {
			numbers = append(numbers, say(t, bob, says(id, text, i, "Normal")).Seq)
			s.Pass(t, 100*time.Millisecond)
		}
		magpietest.Eventually(t, "carol hears the last", func() bool {
			s.Pass(t, 100*time.Millisecond)
			return carol.Arrived(func(f *magpietest.Frame) bool { return contains(f, "four") }) > 0
		})
		v.told(t, v.asks(t))
		carol.Pushes(t)
		for _, row := range []struct {
			who    *Conn
			number int64
			code   int
		}{
			{carol, numbers[0], 10032}, {bob, numbers[0], 0}, {bob, numbers[0], 10030}, {alice, numbers[1], 0}, {bob, 1 << 40, 10030},
		} {
			if got := recalls(t, row.who, id, row.number); got != row.code {
				t.Errorf("%s recalls %d with the code %d, want %d", row.who.UserID, row.number, got, row.code)
			}
		}
		hears(t, carol, "recall by bob", "recall by alice")
		if got := v.told(t, v.asks(t)); !slices.Equal(got, []string{"recall by bob", "recall by alice"}) {
			t.Errorf("the guest is told %q", got)
		}
		s.Pass(t, 3*time.Minute)
		if got := recalls(t, enters(t, s, "bob", id), id, numbers[2]); got != 10031 {
			t.Errorf("too late bob recalls with the code %d", got)
		}
		s.MustREST(t, rest+"group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": numbers[2]}}, "Reason": "old"}, nil)
		if got := late(t, s.Login(t, "dave"), id); !slices.Equal(got, []string{"bob: four"}) {
			t.Errorf("dave is given %q", got)
		}
		if got := s.Login(t, "alice").Call(t, groups+"group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 1}}}, nil).ErrorCode; got != 0 {
			t.Errorf("the owner, who is not inside, recalls with the code %d", got)
		}
		var told struct {
			Type     string
			Operator string                   `json:"Operator_Account"`
			List     []struct{ MsgSeq int64 } `json:"MsgSeqList"`
		}
		calls := back.Gets(t, "Group.CallbackAfterRecallMsg", 3)
		calls[0].Into(t, &told)
		if told.Operator != "bob" || told.Type != "AVChatRoom" || told.List[0].MsgSeq != numbers[0] {
			t.Errorf("the back end is told %+v", told)
		}
		s.Refuses(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": numbers[3], "MsgBody": magpietest.Text("x")}, 10044)
	})
}

// What waits for the end of its window is not pushed when it is recalled.
func TestRecallBeforeThePush(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob := enters(t, s, "bob", id)
		hears(t, bob, "tip 1 of bob, 1 inside")
		say(t, bob, says(id, "at once", 1, "Normal"))
		hears(t, bob, "bob: at once")
		regretted := say(t, bob, says(id, "regretted", 2, "Normal"))
		say(t, bob, says(id, "meant", 3, "Normal"))
		if got := recalls(t, bob, id, regretted.Seq); got != 0 {
			t.Errorf("a message that waits is recalled with the code %d", got)
		}
		s.Pass(t, 100*time.Millisecond)
		hears(t, bob, "bob: meant")
	})
}

// A node that has not heard a message recalls it all the same.
func TestRecallOnAnotherNode(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice", "bob")
	here.Configure(t, "live.backlog", "5")
	id := create(t, here, M{})
	alice := enters(t, here, "alice", id)
	number := say(t, alice, says(id, "hello", 1, "Normal")).Seq
	alice.Next(t, "her own message", func(f *magpietest.Frame) bool { return contains(f, "hello") })
	magpietest.Eventually(t, "the other node knows", func() bool { return online(t, there, id) == 1 })
	var got recalled
	there.MustREST(t, rest+"group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": number}}}, &got)
	if got.List[0].Code != 0 {
		t.Errorf("the other node recalls with the code %d", got.List[0].Code)
	}
	alice.Next(t, "the recall", func(f *magpietest.Frame) bool { return contains(f, "GroupWithdrawInfoArray") })
	if got := late(t, here.Login(t, "bob"), id); got != nil {
		t.Errorf("bob is given %q", got)
	}
}
