package live_test

import (
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

const broadcasts = rest + "send_broadcast_msg"

func broadcast(text string, random int) M {
	return M{"From_Account": "alice", "Random": random, "MsgBody": magpietest.Text(text), "CloudCustomData": "all"}
}

// A back end says something once, and whoever is inside of a live room of the application hears it, guests too; so often a second as
// the application may, and once if it says the same again.
func TestBroadcast(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.backlog", "5")
		other := create(t, s, M{})
		bob, carol, dave := enters(t, s, "bob", id), enters(t, s, "carol", other), s.Login(t, "dave")
		hears(t, bob, "tip 1 of bob, 1 inside")
		hears(t, carol, "tip 1 of carol, 1 inside")
		v := visits(t, s, id)
		asked := v.asks(t)
		var first, again sent
		s.MustREST(t, broadcasts, broadcast("to all", 1), &first)
		for _, c := range []*Conn{bob, carol} {
			hears(t, c, "alice: to all")
		}
		if got := v.told(t, asked); !slices.Equal(got, []string{"alice: to all"}) {
			t.Errorf("the guest is told %q", got)
		}
		s.MustREST(t, broadcasts, broadcast("to all", 1), &again)
		if first.Seq == 0 || again.Seq != first.Seq {
			t.Errorf("the broadcast has the number %d, and again %d", first.Seq, again.Seq)
		}
		s.Refuses(t, broadcasts, broadcast("too soon", 2), 10023)
		s.Pass(t, time.Second)
		s.MustREST(t, broadcasts, broadcast("later", 3), nil)
		hears(t, bob, "alice: later")
		if got := late(t, dave, id); got != nil {
			t.Errorf("who comes late is given %q", got)
		}
		s.Configure(t, "live.broadcast_rate", "0")
		s.Refuses(t, broadcasts, broadcast("off", 4), 10007)
		s.Refuses(t, broadcasts, M{"From_Account": "nobody", "Random": 5, "MsgBody": magpietest.Text("x")}, 10019)
		s.Refuses(t, broadcasts, M{"Random": 5, "MsgBody": []M{}}, 10004)
		s.Refuses(t, broadcasts, M{"MsgBody": magpietest.Text("x")}, 10004)
	})
}

// A broadcast is heard on other nodes, and known there when it comes again.
func TestBroadcastOfAnotherNode(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice", "bob", "carol")
	id := create(t, here, M{})
	bob, carol := enters(t, here, "bob", id), enters(t, there, "carol", id)
	var first, again sent
	here.MustREST(t, broadcasts, broadcast("to all", 1), &first)
	for _, c := range []*Conn{bob, carol} {
		c.Next(t, "the broadcast", func(f *magpietest.Frame) bool { return contains(f, "to all") })
	}
	there.MustREST(t, broadcasts, broadcast("to all", 1), &again)
	if again.Seq != first.Seq {
		t.Errorf("the broadcast has the number %d, and on the other node %d", first.Seq, again.Seq)
	}
}
