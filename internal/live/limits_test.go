package live_test

import (
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

const limits = "magpie_live/set_limits"

type limited struct {
	MessageRate, HighRate, Backlog int
	Chosen                         struct{ MessageRate, HighRate, Backlog int }
}

// A back end chooses the rate and the backlog of one room, which other rooms do not have; what it does not choose is the
// application's.
func TestLimits(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.message_rate", "20")
		var got limited
		s.MustREST(t, limits, M{"GroupId": id}, &got)
		if got.MessageRate != 20 || got.Chosen.MessageRate != -1 || got.Backlog != 0 {
			t.Errorf("without a choice there is %+v", got)
		}
		s.MustREST(t, limits, M{"GroupId": id, "MessageRate": 2, "Backlog": 1}, &got)
		if got.MessageRate != 2 || got.HighRate != 0 || got.Backlog != 1 || got.Chosen.HighRate != -1 || got.Chosen.MessageRate != 2 {
			t.Errorf("chosen is %+v", got)
		}
		other := create(t, s, M{})
		bob, carol := enters(t, s, "bob", id), enters(t, s, "carol", other)
		for i := range 4 {
			say(t, bob, says(id, "here", i, "Normal"))
			say(t, carol, says(other, "there", i, "Normal"))
		}
		s.Pass(t, 100*time.Millisecond)
		counted := func(id string) (pushed, dropped int) {
			var sums struct {
				Total []struct {
					Pushed, Waiting int
					Dropped         map[string]int
				}
			}
			s.MustREST(t, "magpie_live/get_ledger", M{"GroupId": id}, &sums)
			for _, one := range sums.Total {
				pushed += one.Pushed
				for _, n := range one.Dropped {
					dropped += n
				}
			}
			return pushed, dropped
		}
		magpietest.Eventually(t, "the other room pushes all", func() bool { pushed, _ := counted(other); return pushed == 4 })
		if pushed, dropped := counted(id); pushed > 2 || dropped == 0 {
			t.Errorf("the room has pushed %d and dropped %d", pushed, dropped)
		}
		if got := late(t, s.Login(t, "dave"), id); !slices.Equal(got, []string{"bob: here"}) {
			t.Errorf("dave is given %q", got)
		}
		s.MustREST(t, limits, M{"GroupId": id, "MessageRate": -1}, &got)
		if got.MessageRate != 20 || got.Backlog != 1 {
			t.Errorf("afterwards there is %+v", got)
		}
		s.Refuses(t, limits, M{"GroupId": id, "MessageRate": 0}, 10004)
		s.Refuses(t, limits, M{"GroupId": id, "Backlog": 51}, 10004)
		s.Refuses(t, limits, M{"GroupId": "nobody's"}, 10010)
	})
}

// What is chosen on one node holds on the others.
func TestLimitsOnAnotherNode(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes())
	here.Import(t, "alice")
	id := create(t, here, M{})
	var got limited
	there.MustREST(t, limits, M{"GroupId": id}, &got)
	here.MustREST(t, limits, M{"GroupId": id, "HighRate": 7}, nil)
	magpietest.Eventually(t, "the other node knows", func() bool {
		there.MustREST(t, limits, M{"GroupId": id}, &got)
		return got.HighRate == 7
	})
}
