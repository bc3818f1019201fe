package live_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The ledger says of each message what became of it.
func TestLedger(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.message_rate", "2")
		bob := enters(t, s, "bob", id)
		s.Pass(t, 5*time.Second)
		for i := range 10 {
			say(t, bob, says(id, fmt.Sprint(i), i, []string{"Low", "High"}[i%2]))
		}
		var got ledger
		magpietest.Eventually(t, "all are settled", func() bool {
			s.Pass(t, 500*time.Millisecond)
			got = readLedger(t, s, id)
			return got.Waiting == 0 && all(got.Total).Given == all(got.Total).Pushed
		})
		received, ended := 0, 0
		for _, one := range got.Total {
			received += one.Received
			ended += one.Pushed + one.Dropped["rate"] + one.Dropped["crowded"]
			if one.Priority == "High" && one.Received != 5 || one.Priority == "Low" && one.Dropped["crowded"] == 0 {
				t.Errorf("of %s: %+v", one.Priority, one)
			}
		}
		if received != 10 || ended != 10 || got.Inside != 1 || len(got.Seconds) == 0 {
			t.Errorf("the ledger says %+v", got)
		}
		s.Refuses(t, "magpie_live/get_ledger", M{"GroupId": id, "Seconds": 181}, 10004)
		s.Refuses(t, "magpie_live/get_ledger", M{"GroupId": "none"}, 10010)
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A room that nobody is inside of any more is let go. Its sums go on when it is used again.
func TestSumsOfARoomThatWasLetGo(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		for visit := range 3 {
			bob := enters(t, s, "bob", id)
			say(t, bob, says(id, "hello", visit, "Normal"))
			bob.Next(t, "the message", func(f *magpietest.Frame) bool { return contains(f, "hello") })
			bob.MustCall(t, groups+"quit_group", M{"GroupId": id}, nil)
			bob.Close()
			magpietest.Eventually(t, "the room is let go", func() bool {
				s.Pass(t, time.Minute)
				return metric(t, s, "magpie_live_rooms") == 0
			})
			if sum := all(readLedger(t, s, id).Total); sum.Received != visit+1 || sum.Pushed != visit+1 || sum.Given != visit+1 {
				t.Errorf("after visit %d: %+v", visit, sum)
			}
			if n := metric(t, s, `magpie_live_given_total{outcome="given",priority="Normal"}`); n != visit+1 {
				t.Errorf("after visit %d the metrics say %d", visit, n)
			}
		}
	})
}
