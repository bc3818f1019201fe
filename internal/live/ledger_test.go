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
			catches(t, s, bob, "hello")
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

// Of all rooms a back end reads those first into which most came lately.
func TestLedgersOfAllRooms(t *testing.T) {
	story(t, func(t *testing.T, s *Server, quiet string) {
		busy, other := create(t, s, M{}), s.App(t, 1400000777, "another-key")
		bob := enters(t, s, "bob", quiet)
		join(t, bob, busy)
		say(t, bob, says(quiet, "one", 1, "Normal"))
		for i := range 3 {
			say(t, bob, says(busy, "many", 10+i, "Normal"))
		}
		type answer struct {
			RoomNum int
			Recent  became
			List    []struct {
				ID            string `json:"GroupId"`
				Inside        int    `json:"InsideNum"`
				Recent, Total became
			} `json:"LedgerList"`
		}
		var got answer
		magpietest.Eventually(t, "all are given", func() bool {
			s.Pass(t, 100*time.Millisecond)
			got = answer{}
			s.MustREST(t, "magpie_live/list_ledgers", M{"Seconds": 60, "Limit": 1}, &got)
			return got.Recent.Given == 4
		})
		if got.RoomNum != 2 || got.Recent.Received != 4 || len(got.List) != 1 || got.List[0].ID != busy || got.List[0].Inside != 1 ||
			got.List[0].Recent.Received != 3 || got.List[0].Total.Given != 3 {
			t.Errorf("%+v", got)
		}
		got = answer{}
		other.MustREST(t, "magpie_live/list_ledgers", M{}, &got)
		if got.RoomNum != 0 || len(got.List) != 0 {
			t.Errorf("another application reads %+v", got)
		}
		s.Refuses(t, "magpie_live/list_ledgers", M{"Seconds": 61}, 10004)
		s.Refuses(t, "magpie_live/list_ledgers", M{"Limit": 201}, 10004)
	})
}
