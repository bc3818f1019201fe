package live_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// late joins as a client does that would have the newest messages, and gives what it is told was said.
func late(t *testing.T, c *Conn, id string) (lines []string) {
	t.Helper()
	var got joined
	c.MustCall(t, groups+"apply_join_group", M{"GroupId": id, "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1}, &got)
	for _, one := range got.Backlog {
		if one.Sequence == 0 || one.Event != 3 || one.Group != id {
			t.Errorf("a message of the backlog: %+v", one)
		}
		lines = append(lines, one.String())
	}
	return lines
}

// Who comes late is given the newest messages of the last day, if the application wants that and the client asks.
func TestBacklog(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice := enters(t, s, "alice", id)
		speak := func(from, to int) {
			for i := from; i <= to; i++ {
				say(t, alice, says(id, fmt.Sprint(i), i, "Normal"))
				s.Pass(t, 100*time.Millisecond)
			}
		}
		speak(1, 2)
		if got := late(t, s.Login(t, "bob"), id); got != nil {
			t.Errorf("without the setting bob is given %q", got)
		}
		s.Configure(t, "live.backlog", "3")
		speak(3, 6)
		if got := late(t, s.Login(t, "carol"), id); !slices.Equal(got, []string{"alice: 4", "alice: 5", "alice: 6"}) {
			t.Errorf("carol is given %q", got)
		}
		if got := join(t, s.Login(t, "dave"), id); len(got.Backlog) != 0 {
			t.Errorf("dave, who does not ask, is given %+v", got.Backlog)
		}
		s.Pass(t, 23*time.Hour) // nobody is connected any more
		s.MustREST(t, rest+"send_group_msg", magpietest.With(says(id, "7", 7, "Normal"), M{"From_Account": "alice"}), nil)
		s.Pass(t, 90*time.Minute)
		if got := late(t, s.Login(t, "bob"), id); !slices.Equal(got, []string{"alice: 7"}) {
			t.Errorf("a day later bob is given %q", got)
		}
	})
}

// A node that begins to hear of a room asks the others for what was said before, and hears from then on what is said elsewhere.
func TestBacklogOfOtherNodes(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice", "bob", "carol", "dave")
	here.Configure(t, "live.backlog", "5")
	id := create(t, here, M{})
	alice := enters(t, here, "alice", id)
	say(t, alice, says(id, "early", 1, "Normal"))
	alice.Next(t, "her own message", func(f *magpietest.Frame) bool { return contains(f, "early") })
	magpietest.Eventually(t, "the other node knows", func() bool { return online(t, there, id) == 1 })
	bob := there.Login(t, "bob")
	if got := late(t, bob, id); !slices.Equal(got, []string{"alice: early"}) {
		t.Errorf("bob is given %q", got)
	}
	say(t, alice, says(id, "later", 2, "Normal"))
	bob.Next(t, "what is said on the other node", func(f *magpietest.Frame) bool { return contains(f, "later") })
	carol := there.Login(t, "carol")
	if got := late(t, carol, id); !slices.Equal(got, []string{"alice: early", "alice: later"}) {
		t.Errorf("carol is given %q", got)
	}
	say(t, bob, says(id, "from there", 3, "Normal"))
	alice.Next(t, "what is said there", func(f *magpietest.Frame) bool { return contains(f, "from there") })
	if got := late(t, here.Login(t, "dave"), id); !slices.Equal(got, []string{"alice: early", "alice: later", "bob: from there"}) {
		t.Errorf("dave is given %q", got)
	}
	v := visits(t, there, id) // a guest is the last to leave that node
	for _, c := range []*Conn{bob, carol} {
		c.MustCall(t, groups+"quit_group", M{"GroupId": id}, nil)
	}
	v.Close()
	magpietest.Eventually(t, "nobody is inside there", func() bool { return online(t, here, id) == 2 })
	say(t, alice, says(id, "unheard there", 4, "Normal"))
	alice.Next(t, "her own message", func(f *magpietest.Frame) bool { return contains(f, "unheard there") })
	if got := late(t, carol, id); !slices.Contains(got, "alice: unheard there") {
		t.Errorf("carol, who is back, is given %q", got)
	}
}
